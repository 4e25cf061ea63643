//! The speed of the controller, and the learning rates at which it learns within 160 children.
//! `cargo bench --bench controller [-- SEEDS]`; results in docs/CONTROLLER.md.

use std::time::Instant;

use nas_tui::config::{ControllerConfig, Decode, SpaceConfig};
use nas_tui::controller::Reinforce;
use nas_tui::space::Space;
use nas_tui::strategy::{Proposal, Random, Strategy};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn config(learning_rate: f64, entropy: f64, baseline_decay: f64) -> ControllerConfig {
    ControllerConfig {
        hidden_size: 35,
        layers: 2,
        init_range: 0.08,
        learning_rate,
        entropy,
        baseline_decay,
        gradient_clip: 5.0,
    }
}

fn space() -> Space {
    let config = SpaceConfig {
        layer: "chain".to_owned(),
        kernels: vec![1, 3, 5, 7],
        filters: vec![8, 16, 24, 32],
        strides: vec![1, 2],
        paddings: vec![0, 1, 2, 3],
        decode: Decode::Literal,
    };
    Space::new(&config, [1, 28, 28], 10).expect("a valid space")
}

/// A problem on which a policy can be scored without training children.
#[derive(Clone, Copy)]
struct Toy {
    name: &'static str,
    depth: fn(u64) -> usize,
    /// Reward as a function of the share of values equal to the target's, the depth, and a standard
    /// normal number.
    reward: fn(f64, usize, f64) -> f64,
}

const TOYS: [Toy; 2] = [
    Toy {
        name: "bandit: reward = share, depth 6",
        depth: |_| 6,
        reward: |share, _, _| share,
    },
    Toy {
        name: "like a search: reward = (0.6 + 0.2 share - 0.005 (depth - 6) + 0.03 noise)^3, depth 6 to 15",
        depth: |episode| 5 + episode as usize,
        reward: |share, depth, noise| {
            (0.6 + 0.2 * share - 0.005 * (depth as f64 - 6.0) + 0.03 * noise)
                .clamp(0.0, 1.0)
                .powi(3)
        },
    },
];

fn share(child: &Proposal) -> f64 {
    let child = child.sample().expect("the controller draws its children");
    let target = [1, 2, 0, 1];
    child
        .choices
        .iter()
        .filter(|choice| choice.index == target[choice.head])
        .count() as f64
        / child.choices.len() as f64
}

/// Mean share in each of 10 episodes of 16 children.
fn run(toy: Toy, strategy: &mut dyn Strategy, seed: u64) -> Vec<f64> {
    let space = space();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let mut episode = |number: u64| {
        let depth = (toy.depth)(number);
        let sample =
            |child: u64| strategy.propose(&space, depth, seed * 1_000_003 + number * 1_000 + child);
        let children = (0..16)
            .map(sample)
            .collect::<Result<Vec<_>, _>>()
            .expect("a finite policy");
        let shares: Vec<f64> = children.iter().map(share).collect();
        let rewards: Vec<f64> = shares
            .iter()
            .map(|&share| (toy.reward)(share, depth, normal()))
            .collect();
        strategy
            .learn(&children, &rewards)
            .expect("a finite gradient");
        shares.iter().sum::<f64>() / 16.0
    };
    (1..=10).map(&mut episode).collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

fn print_row(label: &str, runs: &[Vec<f64>]) {
    let episode = |number: usize| mean(runs.iter().map(move |run| run[number]));
    let gain = |run: &Vec<f64>| (run[8] + run[9] - run[0] - run[1]) / 2.0;
    let worst = runs.iter().map(gain).fold(f64::INFINITY, f64::min);
    let curve: Vec<String> = (0..10)
        .map(|number| format!("{:.3}", episode(number)))
        .collect();
    println!(
        "{label:<52}  {}  gain {:+.3} (worst {worst:+.3})",
        curve.join(" "),
        mean(runs.iter().map(gain))
    );
}

fn time_an_episode() {
    let (space, mut strategy) = (
        space(),
        Reinforce::new(&config(0.02, 0.0, 0.9), space().heads(), 1),
    );
    let (mut sampling, mut learning) = (Vec::new(), Vec::new());
    for episode in 0..20 {
        let start = Instant::now();
        let children: Vec<Proposal> = (0..16)
            .map(|child| {
                strategy
                    .propose(&space, 15, episode * 16 + child)
                    .expect("a finite policy")
            })
            .collect();
        sampling.push(start.elapsed().as_secs_f64());
        let rewards: Vec<f64> = children.iter().map(share).collect();
        let start = Instant::now();
        strategy
            .learn(&children, &rewards)
            .expect("a finite gradient");
        learning.push(start.elapsed().as_secs_f64());
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        1e3 * times[times.len() / 2]
    };
    println!(
        "16 children of 15 layers: sampling {:.1} ms, update {:.1} ms",
        median(&mut sampling),
        median(&mut learning)
    );
}

/// The settings compared: Adam's learning rate first, then one other setting at a time.
const SETTINGS: [Setting; 13] = [
    Setting::rate(6e-4),
    Setting::rate(5e-3),
    Setting::rate(0.01),
    Setting::rate(0.015),
    Setting::rate(0.02),
    Setting::rate(0.03),
    Setting::rate(0.05),
    Setting {
        decay: 0.5,
        ..Setting::rate(0.02)
    },
    Setting {
        decay: 0.8,
        ..Setting::rate(0.02)
    },
    Setting {
        decay: 0.95,
        ..Setting::rate(0.02)
    },
    Setting {
        entropy: 1e-3,
        ..Setting::rate(0.02)
    },
    Setting {
        entropy: 1e-2,
        ..Setting::rate(0.02)
    },
    Setting {
        first_baseline: Some(0.0),
        ..Setting::rate(0.02)
    },
];

#[derive(Debug, Clone, Copy)]
struct Setting {
    rate: f64,
    entropy: f64,
    decay: f64,
    /// `None` as in the controller: each child is compared with the mean of the others.
    first_baseline: Option<f64>,
}

impl Setting {
    const fn rate(rate: f64) -> Self {
        Setting {
            rate,
            entropy: 0.0,
            decay: 0.9,
            first_baseline: None,
        }
    }

    fn controller(self, seed: u64) -> Reinforce {
        let mut strategy = Reinforce::new(
            &config(self.rate, self.entropy, self.decay),
            space().heads(),
            seed,
        );
        let mut state = strategy.state();
        state
            .scalars
            .insert("baseline".to_owned(), self.first_baseline.into());
        strategy.restore(&state).expect("its own state");
        strategy
    }

    fn label(self) -> String {
        let start = self
            .first_baseline
            .map_or(String::new(), |start| format!(", baseline from {start}"));
        format!(
            "rate {}, entropy {}, decay {}{start}",
            self.rate, self.entropy, self.decay
        )
    }
}

fn main() {
    time_an_episode();
    let seeds: u64 = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(20);
    for toy in TOYS {
        println!(
            "\n{}; mean share in each episode over {seeds} seeds",
            toy.name
        );
        print_row(
            "random",
            &(0..seeds)
                .map(|seed| run(toy, &mut Random::new(0.9), seed))
                .collect::<Vec<_>>(),
        );
        for setting in SETTINGS {
            let runs: Vec<_> = (0..seeds)
                .map(|seed| run(toy, &mut setting.controller(seed), seed))
                .collect();
            print_row(&setting.label(), &runs);
        }
    }
}
