//! Whether the rewards of two searches mean the same, and which of their values one axis can show.

use super::series::Quantity;
use crate::config::{ChangedSetting, Config, Decode, MacsPenalty};
use crate::event::{DataDescription, RunStarted};
use crate::space::Head;

/// A fact that affects the meaning of a reward and is not the same in two searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key of the setting, or what else it is: `data` for the images themselves.
    pub key: String,
    /// Both values, in words.
    pub text: String,
}

/// What two searches have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparability {
    /// Whatever affects the meaning of a reward and differs.
    pub differences: Vec<Difference>,
    /// Whether the settings of both can be read, so that nothing is missing there.
    pub settings_known: bool,
    /// Whether the images are the same, judging by their fingerprint.
    same_images: bool,
}

/// Settings that decide which images validate a child.
const VALIDATION: [&str; 4] = ["data.source", "data.size", "data.validation", "data.limit"];

impl Comparability {
    /// What the searches `then` and `now` have in common; their settings are `None` if they cannot
    /// be read.
    pub fn of(
        (then, settings): (&RunStarted, Option<&Config>),
        (now, config): (&RunStarted, Option<&Config>),
    ) -> Comparability {
        Comparability {
            differences: differences((then, settings), (now, config)),
            settings_known: settings.is_some() && config.is_some(),
            same_images: then.data.fingerprint == now.data.fingerprint,
        }
    }

    /// Why values of this quantity cannot stand on one axis; `None` if they can: accuracies on the same
    /// validation images, over the same number of last epochs; and rewards if they are made of them
    /// alike.
    pub fn obstacle(&self, quantity: Quantity) -> Option<&'static str> {
        let differs = |is: &dyn Fn(&str) -> bool| {
            let mut differences = self.differences.iter();
            differences.any(|difference| is(&difference.key))
        };
        if !self.same_images || differs(&|key| VALIDATION.contains(&key)) {
            return Some("other images");
        }
        if differs(&|key| key == "reward.last_epochs") {
            return Some("other epochs count");
        }
        let is_other_reward = differs(&|key| key.starts_with("reward."));
        (is_other_reward && quantity == Quantity::Reward).then_some("another reward")
    }

    /// Whether nothing is known to differ that affects the meaning of a reward.
    pub fn is_whole(&self) -> bool {
        self.differences.is_empty()
    }
}

/// The differences between two runs that affect the meaning of a reward: data, space, schedule,
/// depth, reward. Strategy, seed, controller and number of episodes are what is being compared;
/// machine and screen have no effect.
pub fn differences(
    (then, settings): (&RunStarted, Option<&Config>),
    (now, config): (&RunStarted, Option<&Config>),
) -> Vec<Difference> {
    let mut all = match (settings, config) {
        (Some(settings), Some(config)) => settings_differences(settings, config),
        // A journal without its settings still reveals most of them.
        _ => told_differences(then, now),
    };
    let is_named = all
        .iter()
        .any(|difference| difference.key.starts_with("data."));
    if then.data.fingerprint != now.data.fingerprint && !is_named {
        let name = |data: &DataDescription| {
            let images = match data.train_images() {
                0 => String::new(),
                count => format!(", {count} training images"),
            };
            format!("{}{images}, CRC-32 {}", data.spec, data.fingerprint)
        };
        all.push(Difference {
            key: "data".to_owned(),
            text: format!(
                "the data is {} there and {} here",
                name(&then.data),
                name(&now.data)
            ),
        });
    }
    all
}

/// The settings of another run that affect the meaning of a reward and are not those of `config`.
pub fn settings_differences(settings: &Config, config: &Config) -> Vec<Difference> {
    let changed = config.differences(&settings.to_toml(), decides_nothing);
    let difference = |ChangedSetting { key, then, now }: ChangedSetting| Difference {
        text: format!("{key} is {then} there and {now} here"),
        key,
    };
    changed.into_iter().map(difference).collect()
}

/// Whether runs that differ in this setting can still be compared.
pub fn decides_nothing(key: &str) -> bool {
    let sections = [
        "data.",
        "space.",
        "constraints.",
        "child.",
        "reward.",
        "early_stopping.",
    ];
    let of_search = [
        "children_per_episode",
        "initial_depth",
        "depth_step",
        "depth_every",
        // It decides whether the reward of a repeated architecture is a mean.
        "reuse",
    ];
    let decides = sections.iter().any(|section| key.starts_with(section))
        || key
            .strip_prefix("search.")
            .is_some_and(|key| of_search.contains(&key));
    !decides || key == "data.dir"
}

fn told_differences(then: &RunStarted, now: &RunStarted) -> Vec<Difference> {
    let facts = |run: &RunStarted| {
        [
            ("space.decode", decode_in_words(run.decode).to_owned()),
            ("child.epochs", run.child_epochs.to_string()),
            ("reward.power", run.reward_power.to_string()),
            ("reward.last_epochs", run.reward_last_epochs.to_string()),
            ("reward.target_macs", penalty_in_words(run.reward_penalty)),
            (
                "search.children_per_episode",
                run.children_per_episode.to_string(),
            ),
        ]
    };
    let heads = (then.heads != now.heads).then(|| {
        let (then, now) = heads_in_words(&then.heads, &now.heads);
        ("the decisions of a layer", then, now)
    });
    let pairs = facts(then).into_iter().zip(facts(now));
    let differing = pairs.filter(|((_, then), (_, now))| then != now);
    let differing = differing.map(|((what, then), (_, now))| (what, then, now));
    heads
        .into_iter()
        .chain(differing)
        .map(|(what, then, now)| Difference {
            key: what.to_owned(),
            text: match then.contains(',') {
                true => format!("{what}: {then} there; {now} here"),
                false => format!("{what}: {then} there, {now} here"),
            },
        })
        .collect()
}

/// Names of decisions that are listed before the others are only counted.
const NAMED: usize = 4;

/// The heads of two runs that differ in them: what they decide or, if that is the same, the options of those
/// whose options differ.
fn heads_in_words(then: &[Head], now: &[Head]) -> (String, String) {
    let kinds = |heads: &[Head]| heads.iter().map(|head| head.kind).collect::<Vec<_>>();
    if kinds(then) != kinds(now) {
        return (names_of(then), names_of(now));
    }
    let pairs = || then.iter().zip(now).filter(|(then, now)| then != now);
    let options = |head: &Head| {
        let options: Vec<String> = head.options.iter().map(u32::to_string).collect();
        format!("{} {}", head.kind.name, options.join("/"))
    };
    let all = |heads: Vec<&Head>| {
        heads
            .into_iter()
            .map(options)
            .collect::<Vec<_>>()
            .join(", ")
    };
    (
        all(pairs().map(|(then, _)| then).collect()),
        all(pairs().map(|(_, now)| now).collect()),
    )
}

/// What these heads decide: `kernel, filters, stride`, or the first ones and how many more there are.
fn names_of(heads: &[Head]) -> String {
    let names: Vec<&str> = heads.iter().map(|head| head.kind.name).collect();
    match names.get(NAMED..) {
        None | Some([]) => names.join(", "),
        Some(rest) => format!("{} and {} more", names[..NAMED].join(", "), rest.len()),
    }
}

fn decode_in_words(decode: Decode) -> &'static str {
    match decode {
        Decode::Literal => "literal",
        Decode::Clipped => "clipped",
    }
}

fn penalty_in_words(penalty: Option<MacsPenalty>) -> String {
    penalty.map_or_else(
        || "none".to_owned(),
        |MacsPenalty { target, exponent }| format!("{target} with the exponent {exponent}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparability(keys: &[&str]) -> Comparability {
        let difference = |key: &&str| Difference {
            key: (*key).to_owned(),
            text: String::new(),
        };
        Comparability {
            differences: keys.iter().map(difference).collect(),
            settings_known: true,
            same_images: true,
        }
    }

    #[test]
    fn settings_that_affect_the_meaning_of_a_reward_must_be_equal_and_others_may_differ() {
        for key in [
            "data.source",
            "data.limit",
            "space.kernels",
            "child.epochs",
            "reward.power",
            "search.initial_depth",
            "search.reuse",
            "early_stopping.below",
        ] {
            assert!(!decides_nothing(key), "{key}");
        }
        for key in [
            "data.dir",
            "search.seed",
            "search.strategy",
            "search.episodes",
            "controller.entropy",
            "workers.count",
            "preset",
        ] {
            assert!(decides_nothing(key), "{key}");
        }
    }

    #[test]
    fn rewards_made_differently_share_no_axis_although_the_accuracies_do() {
        let (reward, accuracy) = (Quantity::Reward, Quantity::Accuracy);
        let shared = |keys: &[&str]| {
            let found = comparability(keys);
            (found.obstacle(reward), found.obstacle(accuracy))
        };
        assert_eq!(shared(&[]), (None, None));
        assert_eq!(shared(&["reward.power"]), (Some("another reward"), None));
        assert_eq!(shared(&["child.epochs", "space.kernels"]), (None, None));
        let both = |obstacle| (Some(obstacle), Some(obstacle));
        assert_eq!(shared(&["data.validation"]), both("other images"));
        assert_eq!(shared(&["reward.last_epochs"]), both("other epochs count"));
    }

    #[test]
    fn nothing_of_other_images_is_on_the_same_axis() {
        let other = Comparability {
            same_images: false,
            ..comparability(&[])
        };
        for quantity in [Quantity::Reward, Quantity::Accuracy] {
            assert_eq!(other.obstacle(quantity), Some("other images"));
        }
    }

    #[test]
    fn what_only_journals_tell_is_told_in_plain_words() {
        let journal = include_str!("../../tests/fixtures/journal-demo.jsonl");
        let mut lines = journal.lines();
        let begun = lines.find(|line| line.contains("run_started")).unwrap();
        let record: crate::event::Record = serde_json::from_str(begun).unwrap();
        let crate::event::Event::RunStarted(begun) = record.event else {
            panic!("not a search")
        };
        let texts = |then: &RunStarted| -> Vec<String> {
            let differences = differences((then, None), (&begun, None)).into_iter();
            differences.map(|difference| difference.text).collect()
        };
        let mut other = begun.clone();
        other.heads[0].options = vec![1, 7];
        assert_eq!(
            texts(&other),
            ["the decisions of a layer: kernel 1/7 there, kernel 1/3/5 here"]
        );
        other.heads = [&begun.heads[..], &begun.heads[..2]].concat();
        other.reward_penalty = Some(MacsPenalty {
            target: 1_000_000,
            exponent: -0.07,
        });
        assert_eq!(
            texts(&other),
            [
                "the decisions of a layer: kernel, filters, stride, padding and 2 more there; \
                 kernel, filters, stride, padding here",
                "reward.target_macs: 1000000 with the exponent -0.07 there, none here",
            ]
        );
    }
}
