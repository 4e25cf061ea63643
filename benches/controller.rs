//! How fast the controller is and at which learning rate it learns within 160 children.
//! `cargo bench --bench controller [-- SEEDS]`; results in docs/PERFORMANCE.md.

use std::time::Instant;

use nas_tui::config::{ControllerConfig, Decode, LayerKind, SpaceConfig};
use nas_tui::controller::Reinforce;
use nas_tui::search::{Random, Sample, Strategy};
use nas_tui::space::Space;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

fn config(learning_rate: f64, entropy: f64, baseline_decay: f64) -> ControllerConfig {
    ControllerConfig { hidden_size: 35, layers: 2, init_range: 0.08, learning_rate, entropy, baseline_decay, gradient_clip: 5.0 }
}

fn space() -> Space {
    let config = SpaceConfig {
        layer: LayerKind::Chain,
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
    /// Reward from the share of values equal to the target's, and a standard normal number.
    reward: fn(f64, f64) -> f64,
}

const TOYS: [Toy; 2] = [
    Toy { name: "bandit: reward = share, depth 6", depth: |_| 6, reward: |share, _| share },
    Toy {
        name: "noisy: reward = (0.6 + 0.3 share + 0.02 noise)^3, depth 6 to 15",
        depth: |episode| 5 + episode as usize,
        reward: |share, noise| (0.6 + 0.3 * share + 0.02 * noise).clamp(0.0, 1.0).powi(3),
    },
];

fn share(child: &Sample) -> f64 {
    let target = [1, 2, 0, 1];
    child.choices.iter().filter(|choice| choice.index == target[choice.head]).count() as f64 / child.choices.len() as f64
}

/// Mean share of each of 10 episodes of 16 children.
fn run(toy: Toy, strategy: &mut dyn Strategy, seed: u64) -> Vec<f64> {
    let space = space();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let mut episode = |number: u64| {
        let sample = |child: u64| strategy.sample(&space, (toy.depth)(number), seed * 1_000_003 + number * 1_000 + child);
        let children = (0..16).map(sample).collect::<Result<Vec<_>, _>>().expect("a finite policy");
        let shares: Vec<f64> = children.iter().map(share).collect();
        let rewards: Vec<f64> = shares.iter().map(|&share| (toy.reward)(share, normal())).collect();
        strategy.learn(&children, &rewards).expect("a finite gradient");
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
    let curve: Vec<String> = (0..10).map(|number| format!("{:.3}", episode(number))).collect();
    println!("{label:>34}  {}  gain {:+.3} (worst {worst:+.3})", curve.join(" "), mean(runs.iter().map(gain)));
}

fn time_an_episode() {
    let (space, mut strategy) = (space(), Reinforce::new(&config(0.02, 0.0, 0.9), space().decisions(), 1));
    let (mut sampling, mut learning) = (Vec::new(), Vec::new());
    for episode in 0..20 {
        let start = Instant::now();
        let children: Vec<Sample> =
            (0..16).map(|child| strategy.sample(&space, 15, episode * 16 + child).expect("a finite policy")).collect();
        sampling.push(start.elapsed().as_secs_f64());
        let rewards: Vec<f64> = children.iter().map(share).collect();
        let start = Instant::now();
        strategy.learn(&children, &rewards).expect("a finite gradient");
        learning.push(start.elapsed().as_secs_f64());
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        1e3 * times[times.len() / 2]
    };
    println!("16 children of 15 layers: sampling {:.1} ms, update {:.1} ms", median(&mut sampling), median(&mut learning));
}

fn main() {
    tch::set_num_threads(1);
    time_an_episode();
    let seeds: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    for toy in TOYS {
        println!("\n{}; mean share in each episode over {seeds} seeds", toy.name);
        print_row("random", &(0..seeds).map(|seed| run(toy, &mut Random::new(0.9), seed)).collect::<Vec<_>>());
        let settings = [(6e-4, 0.0, 0.9), (5e-3, 0.0, 0.9), (0.01, 0.0, 0.9), (0.02, 0.0, 0.9), (0.03, 0.0, 0.9), (0.05, 0.0, 0.9)];
        let more = [(0.08, 0.0, 0.9), (0.03, 0.0, 0.95), (0.03, 0.0, 0.8), (0.03, 1e-4, 0.9), (0.03, 1e-3, 0.9)];
        for (rate, entropy, decay) in settings.into_iter().chain(more) {
            let runs: Vec<_> = (0..seeds)
                .map(|seed| run(toy, &mut Reinforce::new(&config(rate, entropy, decay), space().decisions(), seed), seed))
                .collect();
            print_row(&format!("rate {rate}, entropy {entropy}, decay {decay}"), &runs);
        }
    }
}
