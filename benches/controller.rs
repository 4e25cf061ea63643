//! The speed of the controller, and what it learns within 160 children with different settings.
//! `cargo bench --bench controller [-- SEEDS]`; results in docs/CONTROLLER.md.

use std::time::Instant;

use nas_tui::config::{BaselineKind, ControllerConfig, Decode, PpoConfig, SpaceConfig};
use nas_tui::controller::{Ppo, Reinforce};
use nas_tui::space::Space;
use nas_tui::strategy::{Baseline, Proposal, Random, Reward, Strategy};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

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

const TOYS: [Toy; 3] = [
    Toy {
        name: "bandit: reward = share, depth 6",
        depth: |_| 6,
        reward: |share, _, _| share,
    },
    Toy {
        name: "like a search: reward = (0.6 + 0.2 share - 0.005 (depth - 6) + 0.03 noise)^3, depth 6 to 15",
        depth: growing,
        reward: |share, depth, noise| accuracy(share, depth, 0.03 * noise).powi(3),
    },
    Toy {
        name: "noisy: the same with so much noise that the reward's intraclass correlation is .05 among uniform children",
        depth: growing,
        reward: |share, depth, noise| {
            // The share of the target's values has this standard deviation among uniform children
            // (measured below); the variance is 19 parts noise to one part signal.
            let noise = 0.2 * 0.5 / (4.0 * depth as f64).sqrt() * 19f64.sqrt() * noise;
            accuracy(share, depth, noise).powi(3)
        },
    },
];

fn growing(episode: u64) -> usize {
    5 + episode as usize
}

fn accuracy(share: f64, depth: usize, noise: f64) -> f64 {
    (0.6 + 0.2 * share - 0.005 * (depth as f64 - 6.0) + noise).clamp(0.0, 1.0)
}

/// The best option of each decision, by its layer and head: what is right in one layer is wrong in
/// the next. (Always stride 1, because otherwise deep children would have no room left.)
fn target(layer: usize, head: usize) -> usize {
    match head {
        0 => layer % 4,
        1 => (layer / 2 + 1) % 4,
        2 => 0,
        _ => (3 * layer + 1) % 4,
    }
}

fn share(child: &Proposal) -> f64 {
    let child = child.sample().expect("the controller draws its children");
    let is_hit = |choice: &&_| {
        let nas_tui::event::Choice {
            layer, head, index, ..
        } = choice;
        *index == target(*layer, *head)
    };
    child.choices.iter().filter(is_hit).count() as f64 / child.choices.len() as f64
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
        let rewards: Vec<Reward> = shares
            .iter()
            .map(|&share| Reward::trained((toy.reward)(share, depth, normal())))
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

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values.iter().copied());
    let squares = values.iter().map(|value| (value - middle).powi(2));
    (squares.sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

fn print_row(label: &str, runs: &[Vec<f64>]) {
    let episode = |number: usize| mean(runs.iter().map(move |run| run[number]));
    let last = |run: &Vec<f64>| (run[8] + run[9]) / 2.0;
    let lasts: Vec<f64> = runs.iter().map(last).collect();
    let worst = lasts.iter().copied().fold(f64::INFINITY, f64::min);
    let curve: Vec<String> = [0, 2, 4, 6, 8, 9]
        .map(|number| format!("{:.3}", episode(number)))
        .into();
    let error = deviation(&lasts) / (lasts.len() as f64).sqrt();
    println!(
        "{label:<58}  {}  last two {:.3}+-{error:.3} (worst {worst:.3})",
        curve.join(" "),
        mean(lasts.iter().copied())
    );
}

/// Print the spread of the share among uniform children, from which the noise of the last toy
/// problem is computed.
fn print_spread() {
    let space = space();
    for depth in [6, 10, 15] {
        let child = |seed| random().propose(&space, depth, seed).expect("a child");
        let shares: Vec<f64> = (0..500).map(|seed| share(&child(seed))).collect();
        let scaled = deviation(&shares) * (4.0 * depth as f64).sqrt();
        println!("depth {depth}: standard deviation of the share {scaled:.3} / sqrt(decisions)");
    }
}

fn random() -> Random {
    Random::new(Baseline::new(BaselineKind::MovingAverage, 0.9))
}

fn time_an_episode() {
    let (space, mut strategy) = (space(), RATE_003.controller(1));
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
        let rewards: Vec<Reward> = children.iter().map(share).map(Reward::trained).collect();
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

/// The demo's settings.
const RATE_003: Setting = Setting {
    rate: 0.03,
    entropy: 0.0,
    baseline: BaselineKind::LeaveOneOut,
    ppo: None,
};
const AVERAGE: BaselineKind = BaselineKind::MovingAverage;

/// The settings compared: Adam's learning rate with both baselines, then the entropy bonus, then
/// PPO.
const SETTINGS: [Setting; 16] = [
    RATE_003.with_rate(6e-4),
    RATE_003.with_rate(0.01),
    RATE_003.with_rate(0.02),
    RATE_003,
    RATE_003.with_rate(0.05),
    RATE_003.with_baseline(AVERAGE).with_rate(6e-4),
    RATE_003.with_baseline(AVERAGE).with_rate(0.01),
    RATE_003.with_baseline(AVERAGE).with_rate(0.02),
    RATE_003.with_baseline(AVERAGE),
    RATE_003.with_baseline(AVERAGE).with_rate(0.05),
    RATE_003.with_entropy(0.01),
    RATE_003.with_entropy(0.03),
    RATE_003.with_entropy(0.1),
    RATE_003.with_ppo(4).with_rate(0.01),
    RATE_003.with_ppo(4).with_rate(0.02),
    RATE_003.with_ppo(4),
];

#[derive(Debug, Clone, Copy)]
struct Setting {
    rate: f64,
    entropy: f64,
    baseline: BaselineKind,
    /// Steps per episode of PPO; `None` for REINFORCE.
    ppo: Option<usize>,
}

impl Setting {
    const fn with_rate(self, rate: f64) -> Self {
        Setting { rate, ..self }
    }

    const fn with_entropy(self, entropy: f64) -> Self {
        Setting { entropy, ..self }
    }

    const fn with_baseline(self, baseline: BaselineKind) -> Self {
        Setting { baseline, ..self }
    }

    const fn with_ppo(self, epochs: usize) -> Self {
        Setting {
            ppo: Some(epochs),
            ..self
        }
    }

    fn controller(self, seed: u64) -> Box<dyn Strategy> {
        let config = ControllerConfig {
            hidden_size: 35,
            layers: 2,
            init_range: 0.08,
            learning_rate: self.rate,
            entropy: self.entropy,
            baseline: self.baseline,
            baseline_decay: 0.9,
            gradient_clip: 5.0,
        };
        let (space, clip) = (space(), 0.2);
        match self.ppo {
            Some(epochs) => {
                let ppo = PpoConfig { epochs, clip };
                Box::new(Ppo::new(&config, &ppo, space.heads(), seed))
            }
            None => Box::new(Reinforce::new(&config, space.heads(), seed)),
        }
    }

    fn label(self) -> String {
        let algorithm = self.ppo.map_or_else(
            || "reinforce".to_owned(),
            |epochs| format!("ppo, {epochs} epochs"),
        );
        let Setting { rate, entropy, .. } = self;
        let baseline = match self.baseline {
            BaselineKind::LeaveOneOut => "leave-one-out",
            BaselineKind::MovingAverage => "moving average",
        };
        format!("{algorithm}, {baseline}, rate {rate}, entropy {entropy}")
    }
}

fn main() {
    time_an_episode();
    print_spread();
    let seeds: u64 = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(20);
    for toy in TOYS {
        println!(
            "\n{}; mean share in episodes 1, 3, 5, 7, 9, 10 over {seeds} seeds",
            toy.name
        );
        let runs = (0..seeds).map(|seed| run(toy, &mut random(), seed));
        print_row("random", &runs.collect::<Vec<_>>());
        for setting in SETTINGS {
            let runs = (0..seeds).map(|seed| run(toy, setting.controller(seed).as_mut(), seed));
            print_row(&setting.label(), &runs.collect::<Vec<_>>());
        }
    }
}
