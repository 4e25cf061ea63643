//! Tables of what each option is worth, and of what the result is worth: `verify`, `reliability`
//! and `rank`. One measurement a row, as programs that plot expect it.

use super::{CsvColumn, CsvTable, cell};
use crate::analysis::effects::{EffectEstimate, Effects};
use crate::event::RunStarted;
use crate::study::rank::{Ranked, Ranking};
use crate::study::reliability::Findings;
use crate::study::results::Results;
use crate::study::verify::{POLICY, Verification};

/// The effect of each option over all depths (`depth_from` and `depth_to` are empty), then in each
/// band of depths if there are several.
pub fn effects(run: &RunStarted, effects: &Effects) -> CsvTable {
    let bands = match &effects.bands[..] {
        [_] => &[][..],
        bands => bands,
    };
    let mut rows = Vec::new();
    for (head, found) in run.heads.iter().zip(&effects.heads) {
        for option in &found.options {
            let name = [head.kind.name().to_owned(), head.kind.label(option.value)];
            let (networks, layers) = (effects.children.to_string(), option.layers.to_string());
            let all = [String::new(), String::new(), networks, layers];
            rows.push([&name[..], &all, &estimate(option.all.as_ref())].concat());
            for (band, effect) in bands.iter().zip(&option.bands) {
                let (from, to) = (band.from.to_string(), band.to.to_string());
                let within = [from, to, band.children.to_string(), String::new()];
                rows.push([&name[..], &within, &estimate(effect.as_ref())].concat());
            }
        }
    }
    let head = vec![
        "kind",
        "option",
        "depth_from",
        "depth_to",
        "networks",
        "layers",
        "reward_per_layer",
        "ci95_low",
        "ci95_high",
        "p_value",
        "clear",
    ];
    CsvTable {
        name: "effects",
        head,
        rows,
    }
}

/// The last five cells of a row; empty if the effect is unknown.
fn estimate(effect: Option<&EffectEstimate>) -> [String; 5] {
    let Some(effect) = effect else {
        return Default::default();
    };
    let [low, high] = effect.ci95;
    let [per_layer, low, high, p] =
        [effect.per_layer, low, high, effect.p_value].map(|value| value.to_string());
    [per_layer, low, high, p, effect.is_clear.to_string()]
}

/// The tables of the results that there are.
pub fn of_results(results: &Results) -> Vec<CsvTable> {
    let mut tables = Vec::new();
    if !results.verifications.is_empty() {
        let found = &results.verifications;
        tables.extend([verify(found), verify_rewards(found)]);
    }
    if !results.reliabilities.is_empty() {
        let found = &results.reliabilities;
        tables.extend([reliability(found), reliability_rewards(found)]);
    }
    tables.extend(results.ranking.as_ref().map(rank));
    tables
}

/// Both arms of each comparison, with the lift of the policy in the policy's row.
fn verify(found: &[Verification]) -> CsvTable {
    let mut rows = Vec::new();
    for found in found {
        let lift = found.lift.map(|lift| {
            let [low, high] = lift.ci95;
            [lift.difference, low, high, lift.p_value].map(|value| value.to_string())
        });
        let question = &found.question;
        for (name, arm) in found.arms() {
            let counts = [arm.children, arm.networks, arm.failed].map(|count| count.to_string());
            let means = [
                arm.mean_reward.to_string(),
                arm.deviation.to_string(),
                cell(arm.mean_accuracy),
            ];
            let mut row = vec![
                question.episode.to_string(),
                question.depth.to_string(),
                name.to_owned(),
            ];
            row.extend(counts.into_iter().chain(means));
            let lift = lift.clone().filter(|_| name == POLICY);
            row.extend(lift.unwrap_or_default());
            rows.push(row);
        }
    }
    let head = vec![
        "episode",
        "depth",
        "arm",
        "children",
        "networks",
        "failed",
        "mean_reward",
        "standard_deviation",
        "mean_accuracy",
        "lift",
        "lift_ci95_low",
        "lift_ci95_high",
        "lift_p_value",
    ];
    CsvTable {
        name: "verify",
        head,
        rows,
    }
}

/// The reward of each child of each comparison.
fn verify_rewards(found: &[Verification]) -> CsvTable {
    let mut rows = Vec::new();
    for found in found {
        let [episode, depth] = [found.question.episode, found.question.depth];
        for (name, arm) in found.arms() {
            for (number, reward) in (1..).zip(&arm.rewards) {
                let place = [episode.to_string(), depth.to_string(), name.to_owned()];
                let child = [u32::to_string(&number), reward.to_string()];
                rows.push([&place[..], &child].concat());
            }
        }
    }
    CsvTable {
        name: "verify_rewards",
        head: vec!["episode", "depth", "arm", "child", "reward"],
        rows,
    }
}

/// Each estimate of the reliability, once for each lift with the number of children that it needs.
fn reliability(found: &[Findings]) -> CsvTable {
    let mut rows = Vec::new();
    for found in found {
        let Some(reliability) = &found.reliability else {
            continue;
        };
        let [low, high] = reliability.ci95;
        let mut estimate = vec![
            reliability.networks.to_string(),
            reliability.trainings.to_string(),
        ];
        estimate.extend(
            [
                reliability.intraclass_correlation,
                low,
                high,
                reliability.p_value,
                reliability.noise,
                reliability.spread,
            ]
            .map(|value| value.to_string()),
        );
        for need in &found.needs {
            let need = [
                need.lift.to_string(),
                need.is_observed.to_string(),
                cell(need.children),
            ];
            rows.push([&estimate[..], &need].concat());
        }
    }
    let head = vec![
        "networks",
        "trainings",
        "intraclass_correlation",
        "ci95_low",
        "ci95_high",
        "p_value",
        "noise",
        "spread",
        "lift",
        "is_observed",
        "children",
    ];
    CsvTable {
        name: "reliability",
        head,
        rows,
    }
}

/// The reward of each training of each network.
fn reliability_rewards(found: &[Findings]) -> CsvTable {
    let mut rows = Vec::new();
    for found in found {
        let networks = found.networks.len().to_string();
        for network in &found.networks {
            for (training, reward) in (1..).zip(&network.rewards) {
                rows.push(vec![
                    networks.clone(),
                    network.name.clone(),
                    cell(network.depth),
                    u32::to_string(&training),
                    reward.to_string(),
                ]);
            }
        }
    }
    CsvTable {
        name: "reliability_rewards",
        head: vec!["networks", "network", "depth", "training", "reward"],
        rows,
    }
}

/// The children that were trained to completion.
fn rank(found: &Ranking) -> CsvTable {
    let columns: &[CsvColumn<'_, Ranked>] = &[
        ("child", &|child| child.chosen.child.to_string()),
        ("chosen_as", &|child| child.chosen.group().to_owned()),
        ("search_accuracy", &|child| {
            child.chosen.search_accuracy.to_string()
        }),
        ("final_accuracy", &|child| cell(child.final_accuracy)),
        ("epochs", &|child| child.epochs.to_string()),
    ];
    CsvTable::new("rank", &found.children, columns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::study::reliability::NetworkTrainings;

    fn text(tables: &[CsvTable], name: &str) -> String {
        let table = tables.iter().find(|table| table.name == name).unwrap();
        String::from_utf8(table.to_csv().unwrap()).unwrap()
    }

    /// A result as `--json` prints it.
    fn saved<R: serde::de::DeserializeOwned>(value: serde_json::Value) -> R {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_results_that_exist_have_tables() {
        assert!(of_results(&Results::default()).is_empty());
    }

    #[test]
    fn both_arms_and_each_reward_of_a_verification_are_rows() {
        let arm = |rewards: [f64; 2]| {
            json!({"children": 2, "networks": 2, "failed": 0, "mean_reward": rewards[0], "deviation": 0.125,
                "mean_accuracy": null, "rewards": rewards})
        };
        let found = json!({"run": "a", "strategy": "reinforce", "episode": 6, "episodes": 6, "depth": 11,
            "policy": arm([0.5, 0.25]), "uniform": arm([0.25, 0.0]), "excluded": 0, "earlier_looks": [],
            "lift": {"difference": 0.25, "ci95": [-0.5, 1.0], "p_value": 0.375}});
        let tables = of_results(&Results {
            verifications: vec![saved(found)],
            ..Results::default()
        });
        let verify = text(&tables, "verify");
        let rows: Vec<&str> = verify.lines().skip(1).collect();
        assert_eq!(
            rows,
            [
                "6,11,policy,2,2,0,0.5,0.125,,0.25,-0.5,1,0.375",
                "6,11,uniform,2,2,0,0.25,0.125,,,,,"
            ]
        );
        let rewards = text(&tables, "verify_rewards");
        assert_eq!(rewards.lines().count(), 1 + 4);
        assert!(rewards.contains("\n6,11,uniform,2,0\n"), "{rewards}");
    }

    #[test]
    fn each_lift_and_each_training_of_a_reliability_study_is_a_row() {
        let network = |name: &str, rewards: [f64; 2]| NetworkTrainings {
            name: name.to_owned(),
            depth: Some(3),
            rewards: rewards.to_vec(),
        };
        let networks = vec![network("child 1", [0.5, 0.6]), network("a, b", [0.7, 0.9])];
        let findings = Findings::of(None, networks, 0).with_lifts(&[0.05, 0.1], Some(0.2));
        let tables = of_results(&Results {
            reliabilities: vec![findings],
            ..Results::default()
        });
        let estimates = text(&tables, "reliability");
        assert_eq!(estimates.lines().count(), 1 + 3);
        assert!(
            estimates
                .lines()
                .skip(1)
                .all(|row| row.starts_with("2,2,0.66"))
        );
        assert!(estimates.lines().last().unwrap().contains(",0.2,true,"));
        let rewards = text(&tables, "reliability_rewards");
        assert!(rewards.ends_with("2,\"a, b\",3,1,0.7\n2,\"a, b\",3,2,0.9\n"));
    }

    #[test]
    fn an_unfinished_training_has_no_final_accuracy() {
        let child = |number: u64, accuracy: Option<f64>| {
            json!({"child": number, "is_top": number == 1, "search_accuracy": 0.5,
                "final_accuracy": accuracy, "epochs": 2})
        };
        let found = json!({"run": "a", "candidates": 9, "agreement": null, "unfinished": 1,
            "children": [child(1, Some(0.75)), child(2, None)]});
        let tables = of_results(&Results {
            ranking: Some(saved(found)),
            ..Results::default()
        });
        let rank = text(&tables, "rank");
        let rows: Vec<&str> = rank.lines().skip(1).collect();
        assert_eq!(rows, ["1,top,0.5,0.75,2", "2,random,0.5,,2"]);
    }
}
