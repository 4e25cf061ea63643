use super::*;
use crate::event::{DepthCost, EpisodeFinished, Event, Record};
use crate::space::{Dna, Genes};

/// Ten searches of the strategy `random` and ten of `reinforce`, of the presets `demo` and
/// `demo-cifar`, recorded on two cores that others used too: `run,child,episode,layers,macs,
/// seconds,kind,clock`, where `clock` is the run's working time when the child ended.
const RECORDED: &str = include_str!("../../../tests/fixtures/time_left.csv");

struct Ended {
    row: ChildRow,
    clock: f64,
}

struct Recorded {
    run: RunStarted,
    children: Vec<Ended>,
}

fn row(child: u64, episode: usize, layers: usize, macs: u64, seconds: f64) -> ChildRow {
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

/// The start of the recorded run in the journal of the tests, with other settings.
fn started(strategy: &str, controls: usize, largest_macs: u64) -> RunStarted {
    let journal = include_str!("../../../tests/fixtures/journal-demo.jsonl");
    let first = journal
        .lines()
        .find(|line| line.contains("\"run_started\""));
    let record: Record = serde_json::from_str(first.expect("a start")).expect("a record");
    let Event::RunStarted(run) = record.event else {
        panic!("not a start")
    };
    let depths = (0..10).map(|step| DepthCost {
        depth: 6 + step,
        first_child: 1 + 16 * step as u64,
        macs: 300_000,
    });
    RunStarted {
        strategy: strategy.to_owned(),
        controls,
        episodes: 10,
        children_per_episode: 16,
        workers: 2,
        outlook: Some(Box::new(CostOutlook {
            depths: depths.collect(),
            largest_macs,
        })),
        ..run
    }
}

fn recorded() -> Vec<Recorded> {
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
        let run = started(strategy, controls, 15 * 8 * 8 * 25 * image);
        Recorded { run, children }
    };
    runs.into_iter().map(of).collect()
}

impl Recorded {
    /// The state after this many children have ended.
    fn after(&self, count: usize) -> RunState {
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
    fn estimates(&self) -> Vec<(SearchTimeLeft, f64)> {
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

/// What was shown, and how often it was right.
#[derive(Debug, Default)]
struct Shown {
    /// Numbers, and those of them that are within 25 % of the truth.
    numbers: [usize; 2],
    /// Ranges, and those of them that contain the truth.
    ranges: [usize; 2],
    /// Median factor between the ends of the ranges.
    width: f64,
}

impl Shown {
    fn of(estimates: &[(SearchTimeLeft, f64)]) -> Shown {
        let mut shown = Shown::default();
        let mut widths = Vec::new();
        for (left, truth) in estimates {
            let (count, right) = match left.range {
                Some([low, high]) => {
                    widths.push(high / low);
                    (&mut shown.ranges, (low..=high).contains(&truth))
                }
                None => {
                    let ratio = left.seconds / truth;
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

    /// The share of the numbers that are right; all if there are none.
    fn numbers_right(&self) -> f64 {
        self.numbers[1] as f64 / self.numbers[0].max(1) as f64
    }

    fn ranges_right(&self) -> f64 {
        self.ranges[1] as f64 / self.ranges[0].max(1) as f64
    }
}

fn of_strategy(strategy: &str) -> Vec<Recorded> {
    let mut runs = recorded();
    runs.retain(|run| run.run.strategy == strategy);
    runs
}

fn estimates_of(strategy: &str) -> Vec<(SearchTimeLeft, f64)> {
    let all = of_strategy(strategy);
    let estimates: Vec<_> = all.iter().flat_map(Recorded::estimates).collect();
    assert_eq!(estimates.len(), 160);
    estimates
}

#[test]
fn on_a_busy_machine_a_range_is_shown_which_contains_the_truth_at_least_eight_times_of_ten() {
    let shown = Shown::of(&estimates_of("random"));
    assert!(shown.ranges[0] > 140 && shown.ranges_right() >= 0.8);
    assert!(shown.width < 2.1);
}

/// The recorded children, each of which takes what the fit to all of the run says.
fn undisturbed(mut run: Recorded) -> Recorded {
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

#[test]
fn without_other_programs_a_number_is_shown_once_five_episodes_have_said_so_and_is_right_to_a_quarter()
 {
    let random = of_strategy("random").into_iter();
    let estimates: Vec<_> = random
        .flat_map(|run| undisturbed(run).estimates())
        .collect();
    let shown = Shown::of(&estimates);
    assert!(shown.numbers[0] > 100 && shown.numbers_right() >= 0.9);
    assert!(shown.ranges_right() >= 0.9);
}

#[test]
fn of_a_policy_that_learns_a_range_is_shown_which_contains_the_truth_at_least_eight_times_of_ten() {
    let shown = Shown::of(&estimates_of("reinforce"));
    assert!(shown.ranges[0] > 120 && shown.ranges_right() >= 0.8);
}

/// Children of equal layers and cost, each of which takes ten seconds on one of two workers.
fn even(count: u64, strategy: &str) -> Recorded {
    let child = |child| Ended {
        row: row(child, 1 + (child as usize - 1) / 16, 6, 300_000, 10.0),
        clock: child as f64 * 5.0,
    };
    let mut run = started(strategy, 0, 300_000);
    if let Some(outlook) = &mut run.outlook {
        outlook.depths.truncate(1);
    }
    Recorded {
        run,
        children: (1..=count).map(child).collect(),
    }
}

#[test]
fn children_of_equal_cost_take_as_long_as_those_before() {
    let left = SearchTimeLeft::of(&even(160, "random").after(32)).expect("an estimate");
    assert!((left.seconds - 128.0 * 5.0).abs() < 1.0, "{left:?}");
}

#[test]
fn two_episodes_do_not_tell_how_steady_the_machine_is_but_six_do() {
    let run = even(160, "random");
    let range_after = |count| SearchTimeLeft::of(&run.after(count)).and_then(|left| left.range);
    let [low, high] = range_after(32).expect("a range");
    assert!(low < 500.0 && high > 800.0, "{low} to {high}");
    assert_eq!(range_after(96), None);
}

#[test]
fn many_small_episodes_tell_it_as_well_as_few_large_ones() {
    let mut run = even(160, "random");
    for (index, ended) in run.children.iter_mut().enumerate() {
        ended.row.episode = 1 + index / 2;
    }
    let range_after = |count| SearchTimeLeft::of(&run.after(count)).and_then(|left| left.range);
    assert!(range_after(8).is_some());
    assert_eq!(range_after(24), None);
}

#[test]
fn a_machine_that_was_twice_as_slow_in_every_second_episode_may_be_so_again() {
    let mut run = even(160, "random");
    for ended in &mut run.children {
        if ended.row.episode % 2 == 0 {
            ended.row.seconds *= 2.0;
        }
    }
    let left = SearchTimeLeft::of(&run.after(96)).expect("an estimate");
    let [low, high] = left.range.expect("a range");
    assert!(high / low > 3.0, "{low} to {high}");
}

/// The time left of 128 children of 12 layers, which cost ten times as much where they are uniform as the 32
/// of 6 layers before them, in multiples of what those took; time follows from the multiply-accumulates.
fn growth_with_costly_depths_to_come(largest_macs: u64) -> f64 {
    let mut run = even(160, "random");
    for (index, ended) in run.children.iter_mut().enumerate() {
        ended.row.macs = if index % 2 == 0 { 200_000 } else { 400_000 };
        ended.row.seconds = ended.row.macs as f64 / 30_000.0;
    }
    let Some(outlook) = &mut run.run.outlook else {
        panic!("no outlook")
    };
    outlook.largest_macs = largest_macs;
    outlook.depths.push(DepthCost {
        depth: 12,
        first_child: 33,
        macs: 3_000_000,
    });
    let left = SearchTimeLeft::of(&run.after(32)).expect("an estimate");
    // Ten seconds each on two workers.
    left.seconds / (128.0 * 5.0)
}

#[test]
fn a_depth_to_come_costs_as_much_more_as_uniform_children_say() {
    let growth = growth_with_costly_depths_to_come(u64::MAX);
    assert!((growth / 10.0 - 1.0).abs() < 0.01, "{growth}");
}

#[test]
fn no_child_to_come_costs_more_than_the_costliest_of_the_space() {
    let growth = growth_with_costly_depths_to_come(600_000);
    assert!((growth / 2.0 - 1.0).abs() < 0.01, "{growth}");
}

#[test]
fn in_a_run_that_did_not_record_what_uniform_children_cost_the_latest_children_count() {
    let mut run = even(160, "random");
    run.run.outlook = None;
    for ended in &mut run.children[16..] {
        ended.row.macs *= 4;
        ended.row.seconds *= 4.0;
    }
    let left = SearchTimeLeft::of(&run.after(32)).expect("an estimate");
    assert!(
        (left.seconds / (4.0 * 128.0 * 5.0) - 1.0).abs() < 0.01,
        "{left:?}"
    );
}

#[test]
fn nothing_is_estimated_before_two_children_and_after_the_end() {
    let run = even(160, "random");
    assert_eq!(SearchTimeLeft::of(&run.after(1)), None);
    assert_eq!(SearchTimeLeft::of(&run.after(160)), None);
    let stopped = RunState {
        status: RunStatus::Stopping,
        ..run.after(32)
    };
    assert_eq!(SearchTimeLeft::of(&stopped), None);
}
