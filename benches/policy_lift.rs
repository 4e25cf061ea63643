//! How often the statements about learning would be false, and how often they detect a real effect:
//! simulated demo runs, judged by the real code. `cargo bench --bench policy_lift [-- RUNS]`;
//! results in docs/STATISTICS.md.

use nas_tui::analysis::lift::PolicyLift;
use nas_tui::analysis::statistics::slope as slope_of;
use nas_tui::state::Arms;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const EPISODES: usize = 10;
const CHILDREN: usize = 16;

/// Mean reward of REINFORCE minus that of random search, by episode: the demo, seed 1
/// (docs/REPRODUCTION.md).
const ADVANTAGE: [f64; EPISODES] = [
    0.0, 0.0315, 0.1089, 0.1500, 0.2899, 0.2631, 0.2632, 0.3444, 0.3109, 0.2943,
];
/// Standard deviation of the rewards within an episode, in the same two runs.
const POLICY_NOISE: f64 = 0.115;
const CONTROL_NOISE: f64 = 0.115;

/// A set of runs that differ only by chance.
struct Scenario {
    name: &'static str,
    /// Change of every child's reward from one episode to the next because networks grow.
    trend: f64,
    /// The policy's advantage as a fraction of the demo's.
    effect: f64,
    controls: usize,
    policy_noise: f64,
}

const fn scenario(
    name: &'static str,
    trend: f64,
    effect: f64,
    controls: usize,
    policy_noise: f64,
) -> Scenario {
    Scenario {
        name,
        trend,
        effect,
        controls,
        policy_noise,
    }
}

const HALF_NOISE: f64 = POLICY_NOISE / 2.0;
#[rustfmt::skip]
const SCENARIOS: [Scenario; 8] = [
    scenario("no learning, depth trend +0.010", 0.010, 0.0, 1, POLICY_NOISE),
    scenario("no learning, no depth trend", 0.0, 0.0, 1, POLICY_NOISE),
    scenario("no learning, depth trend -0.028", -0.028, 0.0, 1, POLICY_NOISE),
    scenario("half the demo's advantage", -0.028, 0.5, 1, POLICY_NOISE),
    scenario("the demo's advantage", -0.028, 1.0, 1, POLICY_NOISE),
    scenario("half, two controls", -0.028, 0.5, 2, POLICY_NOISE),
    scenario("no learning, policy half as noisy", -0.028, 0.0, 1, HALF_NOISE),
    scenario("half, policy half as noisy", -0.028, 0.5, 1, HALF_NOISE),
];

/// Fractions of the runs for which each statement would be made.
#[derive(Default)]
struct Shares {
    slope_rises: f64,
    slope_falls: f64,
    lift_above: f64,
    significant: f64,
    covered: f64,
    any_look: f64,
    slope_any_look: f64,
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (one, two): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * two).cos()
}

impl Scenario {
    fn run(&self, random: &mut ChaCha8Rng) -> Vec<Arms> {
        let episode = |episode: usize| {
            let base = 0.5 + self.trend * (episode - 1) as f64;
            let gain = self.effect * ADVANTAGE[episode - 1];
            let mut draw = |count: usize, mean: f64, noise: f64| -> Vec<f64> {
                (0..count).map(|_| mean + noise * normal(random)).collect()
            };
            Arms {
                depths: (6, 6),
                episode,
                policy: draw(CHILDREN, base + gain, self.policy_noise),
                controls: draw(self.controls, base, CONTROL_NOISE),
            }
        };
        (1..=EPISODES).map(episode).collect()
    }

    /// The policy's true advantage over the episodes that count.
    fn truth(&self) -> f64 {
        self.effect * ADVANTAGE[1..].iter().sum::<f64>() / (EPISODES - 1) as f64
    }

    fn shares(&self, runs: usize) -> Shares {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut shares = Shares::default();
        for _ in 0..runs {
            let run = self.run(&mut random);
            let positions: Vec<f64> = (1..=EPISODES).map(|episode| episode as f64).collect();
            let means: Vec<f64> = run.iter().map(|arms| mean(&arms.policy)).collect();
            let slope = slope_of(&positions, &means).expect("ten episodes have a slope");
            shares.slope_rises += f64::from(slope.ci95[0] > 0.0);
            shares.slope_falls += f64::from(slope.ci95[1] < 0.0);
            let rises = |seen: usize| {
                slope_of(&positions[..seen], &means[..seen]).is_some_and(|seen| seen.ci95[0] > 0.0)
            };
            shares.slope_any_look += f64::from((3..=EPISODES).any(rises));
            let looks: Vec<PolicyLift> = (2..=EPISODES)
                .filter_map(|seen| PolicyLift::of(&run[..seen]))
                .collect();
            let Some(lift) = looks.last() else { continue };
            shares.lift_above += f64::from(lift.ci95[0] > 0.0);
            shares.significant += f64::from(lift.p_value < 0.05 && lift.difference > 0.0);
            let truth = self.truth();
            shares.covered += f64::from(lift.ci95[0] <= truth && truth <= lift.ci95[1]);
            shares.any_look += f64::from(looks.iter().any(|look| look.ci95[0] > 0.0));
        }
        shares
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn main() {
    let runs = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let runs: usize = runs.unwrap_or(2_000);
    println!("{runs} runs each of {EPISODES} episodes of {CHILDREN} children; shares of the runs");
    println!(
        "| run | slope's interval above 0 | below 0 | lift's interval above 0 | p < 0.05, lift > 0 | interval holds the truth | lift above 0 at any look | slope above 0 at any look |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for scenario in SCENARIOS {
        let shares = scenario.shares(runs);
        let percent = |share: f64| format!("{:.1} %", 100.0 * share / runs as f64);
        let cells = [
            shares.slope_rises,
            shares.slope_falls,
            shares.lift_above,
            shares.significant,
            shares.covered,
            shares.any_look,
            shares.slope_any_look,
        ]
        .map(percent);
        println!("| {} | {} |", scenario.name, cells.join(" | "));
    }
}
