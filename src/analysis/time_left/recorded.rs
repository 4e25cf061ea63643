//! The recorded searches that the time left is tried on, and made-up ones.

use super::super::*;
use crate::event::{DepthCost, EpisodeFinished, Event, Record};
use crate::foundation::numbers::{estimated, estimated_between};
use crate::space::{Dna, Genes};

/// Ten searches of the strategy `random` and ten of `reinforce`, of the presets `demo` and
/// `demo-cifar`, recorded on two cores that others used too: `run,child,episode,layers,macs,
/// seconds,kind,clock`, where `clock` is the run's working time when the child ended.
const RECORDED: &str = include_str!("../../../tests/fixtures/time_left.csv");

pub struct Ended {
    pub row: ChildRow,
    pub clock: f64,
}

pub struct Recorded {
    pub run: RunStarted,
    pub children: Vec<Ended>,
}

pub fn row(child: u64, episode: usize, layers: usize, macs: u64, seconds: f64) -> ChildRow {
    ChildRow {
        child,
        episode,
        accuracy: Some(0.5),
        reward: Some(0.5),
        params: 1,
        macs,
        seconds,
        repeat_of: None,
        mean: None,
        superseded: false,
        parent: None,
        control: false,
        skipped: false,
        energy_wh: None,
        genes: Genes::from(&Dna(vec![vec![1]; layers])),
        log_prob: None,
        entropy: None,
        sampled_seq: 0,
        ended_seq: 0,
    }
}

/// The start of the recorded run in the journal of the tests, with other settings, and one depth whose
/// uniform children have 300,000 multiply-accumulates.
pub fn started(strategy: &str, controls: usize, largest_macs: u64) -> RunStarted {
    let journal = include_str!("../../../tests/fixtures/journal-demo.jsonl");
    let first = journal
        .lines()
        .find(|line| line.contains("\"run_started\""));
    let record: Record = serde_json::from_str(first.expect("a start")).expect("a record");
    let Event::RunStarted(run) = record.event else {
        panic!("not a start")
    };
    let depth = DepthCost {
        depth: 6,
        first_child: 1,
        macs: 300_000,
    };
    RunStarted {
        strategy: strategy.to_owned(),
        controls,
        episodes: 10,
        children_per_episode: 16,
        workers: 2,
        outlook: Some(Box::new(CostOutlook {
            depths: vec![depth],
            largest_macs,
        })),
        ..run
    }
}

pub fn recorded() -> Vec<Recorded> {
    let mut runs: Vec<(String, Vec<Ended>)> = Vec::new();
    for line in RECORDED.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let whole = |index: usize| fields[index].parse::<u64>().expect("a whole number");
        let number = |index: usize| fields[index].parse::<f64>().expect("a number");
        let plain = row(
            whole(1),
            whole(2) as usize,
            whole(3) as usize,
            whole(4),
            number(5),
        );
        let ended = Ended {
            row: ChildRow {
                control: fields[6] == "control",
                repeat_of: (fields[6] == "repeat").then_some(1),
                ..plain
            },
            clock: number(7),
        };
        match runs.last_mut() {
            Some((name, children)) if name == fields[0] => children.push(ended),
            _ => runs.push((fields[0].to_owned(), vec![ended])),
        }
    }
    let of = |(name, children): (String, Vec<Ended>)| {
        let strategy = if name.contains("random") {
            "random"
        } else {
            "reinforce"
        };
        let image = if name.contains("cifar") {
            32 * 32
        } else {
            28 * 28
        };
        let controls = children.iter().filter(|ended| ended.row.control).count() / 10;
        // Fifteen layers of eight 5x5 filters on eight channels.
        let mut run = started(strategy, controls, 15 * 8 * 8 * 25 * image);
        let outlook = run.outlook.as_mut().expect("an outlook");
        outlook.depths = (0..10)
            .map(|step| DepthCost {
                depth: 6 + step,
                first_child: 1 + 16 * step as u64,
                // Nearly so: in both spaces, strides make up for more layers.
                macs: 300_000,
            })
            .collect();
        Recorded { run, children }
    };
    runs.into_iter().map(of).collect()
}

impl Recorded {
    /// The state after this many children have ended.
    pub fn after(&self, count: usize) -> RunState {
        let ended = &self.children[..count];
        let mut search = SearchRun {
            started: Some(self.run.clone()),
            children: ended.iter().map(|ended| ended.row.clone()).collect(),
            ..SearchRun::default()
        };
        let controls = ended.iter().filter(|ended| ended.row.control).count();
        search.outcomes.counts.controls = controls;
        search.outcomes.counts.sampled = count - controls;
        let mut begun = 0.0;
        for episode in 1..ended.last().map_or(1, |last| last.row.episode) {
            let of = self.children.iter().rev();
            let end = of
                .filter(|ended| ended.row.episode == episode)
                .map(|ended| ended.clock);
            let end = end.fold(0.0, f64::max);
            search.episodes.push(finished(episode, end - begun));
            begun = end;
        }
        RunState {
            status: RunStatus::Running,
            ..RunState::from(search)
        }
    }

    /// The time left as estimated, and as it was, at every twentieth of the run from a fifth on.
    pub fn estimates(&self) -> Vec<(SearchTimeLeft, f64)> {
        let all = self.children.len();
        let whole = self.children.last().map_or(0.0, |last| last.clock);
        (4..20)
            .filter_map(|twentieth| {
                let count = all * twentieth / 20;
                let left = SearchTimeLeft::of(&self.after(count))?;
                Some((left, whole - self.children[count - 1].clock))
            })
            .collect()
    }
}

fn finished(episode: usize, seconds: f64) -> EpisodeFinished {
    EpisodeFinished {
        episode,
        mean_reward: 0.5,
        mean_accuracy: None,
        best_accuracy: None,
        baseline: None,
        next_baseline: None,
        advantages: Vec::new(),
        entropy: None,
        max_entropy: None,
        loss: None,
        gradient_norm: None,
        repeats: 0,
        failures: 0,
        excluded: 0,
        staleness: None,
        seconds,
    }
}

/// What was shown, rounded as on the screen, and how often it was right.
#[derive(Debug, Default)]
pub struct Shown {
    /// Numbers, and those of them that are within 25 % of the truth.
    pub numbers: [usize; 2],
    /// Ranges, and those of them that contain the truth.
    pub ranges: [usize; 2],
    /// Ranges whose nearer end is within 25 % of the truth, if it is not between them.
    pub near: usize,
    /// Median factor between the ends of the ranges.
    pub width: f64,
}

impl Shown {
    pub fn of(estimates: &[(SearchTimeLeft, f64)]) -> Shown {
        let mut shown = Shown::default();
        let mut widths = Vec::new();
        for (left, truth) in estimates {
            let (count, right) = match left.range {
                Some(range) => {
                    let [low, high] = estimated_between(range).map(|end| end as f64);
                    widths.push(high / low);
                    shown.near += usize::from(0.75 * truth <= high && low <= 1.25 * truth);
                    (&mut shown.ranges, (low..=high).contains(truth))
                }
                None => {
                    let ratio = estimated(left.seconds) as f64 / truth;
                    (&mut shown.numbers, (0.75..1.25).contains(&ratio))
                }
            };
            count[0] += 1;
            count[1] += usize::from(right);
        }
        widths.sort_by(f64::total_cmp);
        shown.width = widths.get(widths.len() / 2).copied().unwrap_or(1.0);
        println!("{shown:?}");
        shown
    }

    /// The share of the numbers that are right.
    pub fn numbers_right(&self) -> f64 {
        self.numbers[1] as f64 / self.numbers[0] as f64
    }

    /// The share of all that is within 25 % of the truth.
    pub fn near_the_truth(&self) -> f64 {
        (self.numbers[1] + self.near) as f64 / (self.numbers[0] + self.ranges[0]) as f64
    }

    /// The share of the ranges that are right.
    pub fn ranges_right(&self) -> f64 {
        self.ranges[1] as f64 / self.ranges[0] as f64
    }
}

/// The recorded children, each of which takes what the fit to all of the run says.
pub fn undisturbed(mut run: Recorded) -> Recorded {
    let rows: Vec<&ChildRow> = run.children.iter().map(|ended| &ended.row).collect();
    let trained: Vec<&ChildRow> = rows.into_iter().filter(|row| is_typical(row)).collect();
    let fit = Fit::of(&trained);
    let mut clock = 0.0;
    for ended in &mut run.children {
        let (layers, macs) = (ended.row.genes.depth() as f64, ended.row.macs as f64);
        if ended.row.repeat_of.is_none() {
            ended.row.seconds = fit.seconds(layers, macs);
            clock += ended.row.seconds / 2.0;
        }
        ended.clock = clock;
    }
    run
}

/// Children of equal layers and cost, each of which takes ten seconds on one of two workers.
pub fn even(count: u64, strategy: &str) -> Recorded {
    let child = |child| Ended {
        row: row(child, 1 + (child as usize - 1) / 16, 6, 300_000, 10.0),
        clock: child as f64 * 5.0,
    };
    Recorded {
        run: started(strategy, 0, 300_000),
        children: (1..=count).map(child).collect(),
    }
}
