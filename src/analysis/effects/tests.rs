use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    children: Vec<Child>,
    effects: Vec<Expected>,
}

#[derive(Deserialize)]
struct Child {
    episode: usize,
    genes: Vec<Vec<u32>>,
    reward: f64,
}

#[derive(Deserialize)]
struct Expected {
    head: usize,
    value: u32,
    per_layer: f64,
    ci95: [f64; 2],
    p_value: f64,
    is_clear: bool,
}

fn cases() -> Vec<(String, Vec<Trained>, Vec<Expected>)> {
    let text = include_str!("../../../tests/fixtures/effects.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let child = |child: Child| Trained {
        episode: child.episode,
        genes: Genes::from(&Dna(child.genes)),
        reward: child.reward,
    };
    let cases = cases.into_iter().map(|case| {
        let children = case.children.into_iter().map(child).collect();
        (case.name, children, case.effects)
    });
    cases.collect()
}

fn found(effects: &Effects, head: usize, value: u32) -> Option<EffectEstimate> {
    let head = effects.heads.iter().find(|found| found.head == head)?;
    head.options.iter().find(|found| found.value == value)?.all
}

#[test]
fn effects_intervals_and_holms_procedure_agree_with_scipy() {
    for (name, children, expected) in cases() {
        let effects = Effects::of(&children);
        assert_eq!(effects.tested, expected.len(), "{name}");
        for expected in expected {
            let ours = found(&effects, expected.head, expected.value).unwrap();
            let pairs = [
                (ours.per_layer, expected.per_layer),
                (ours.ci95[0], expected.ci95[0]),
                (ours.ci95[1], expected.ci95[1]),
                (ours.p_value, expected.p_value),
            ];
            for (ours, theirs) in pairs {
                assert!((ours - theirs).abs() < 1e-8, "{name}: {pairs:?}");
            }
            assert_eq!(ours.is_clear, expected.is_clear, "{name}");
        }
    }
}

#[test]
fn the_effects_of_a_head_sum_to_zero() {
    let (_, children, _) = cases().remove(0);
    for head in Effects::of(&children).heads {
        let effects = head.options.iter().filter_map(|option| option.all);
        let sum: f64 = effects.map(|effect| effect.per_layer).sum();
        assert!(sum.abs() < 1e-12);
    }
}

#[test]
fn a_shift_of_a_whole_episode_changes_nothing() {
    let (_, mut children, _) = cases().remove(0);
    let before = Effects::of(&children);
    for child in &mut children {
        child.reward += child.episode as f64;
    }
    let after = Effects::of(&children);
    for head in &before.heads {
        for option in &head.options {
            let shifted = found(&after, head.head, option.value).unwrap();
            let apart = shifted.per_layer - option.all.unwrap().per_layer;
            assert!(apart.abs() < 1e-9);
        }
    }
}

#[test]
fn options_that_always_occur_together_are_not_distinguished() {
    let child = |value: u32, reward: f64| Trained {
        episode: 1,
        genes: Genes::from(&Dna(vec![vec![value, value + 10]])),
        reward,
    };
    let children: Vec<Trained> = (0..20)
        .map(|number| child(number % 2, f64::from(number % 7)))
        .collect();
    let effects = Effects::of(&children);
    assert_eq!(effects.tested, 0);
    assert!(found(&effects, 0, 0).is_none() && found(&effects, 1, 10).is_none());
}

#[test]
fn few_children_say_nothing() {
    let child = |value: u32| Trained {
        episode: 1,
        genes: Genes::from(&Dna(vec![vec![value]])),
        reward: f64::from(value),
    };
    let effects = Effects::of(&[child(1), child(2), child(1)]);
    assert_eq!((effects.children, effects.tested), (3, 0));
    assert_eq!(Effects::of(&[]), Effects::default());
}

#[test]
fn depths_are_divided_into_bands_of_about_equally_many_children() {
    let child = |depth: usize| Trained {
        episode: depth,
        genes: Genes::from(&Dna(vec![vec![1]; depth])),
        reward: 0.0,
    };
    let children: Vec<Trained> = (0..60).map(|number| child(6 + number / 10)).collect();
    let bands: Vec<(usize, usize, usize)> = bands(&children)
        .iter()
        .map(|band| (band.from, band.to, band.children))
        .collect();
    assert_eq!(bands, [(6, 7, 20), (8, 9, 20), (10, 11, 20)]);
}
