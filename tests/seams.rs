//! A strategy, a space, an evaluator and a panel that the program does not know, all in this file:
//! each registers itself here, and the program finds it by its name or by the settings.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use jiff::tz::TimeZone;
use linkme::distributed_slice;
use nas_tui::config::{Decode, STRATEGIES, ScreenConfig, StrategyFacts};
use nas_tui::evaluate::{EVALUATORS, Evaluator, Job, Ready, Registered, Report, Reports};
use nas_tui::event::{DataDescription, Event, Record};
use nas_tui::reward::Outcome;
use nas_tui::space::family::{FAMILIES, Family};
use nas_tui::space::{Design, Dna, Head, HeadKind, Space, SpaceError, Values};
use nas_tui::strategy::{
    CONSTRUCTORS, Constructor, EndedChild, Origin, Proposal, Strategy, StrategyError, StrategyState,
};
use nas_tui::tui::app::App;
use nas_tui::tui::theme::Role;
use nas_tui::tui::{
    About, Content, PANELS, PanelId, Row, SEARCH, Scene, Scrolled, Settings, TextPanel,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

// A space: a layer is one of four coins, a child is a row of them.

const COINS: [&str; 4] = ["cent", "nickel", "dime", "quarter"];

const COIN: HeadKind = HeadKind {
    key: "coin",
    name: "coin",
    short_name: "coin",
    values: Values::Named(&COINS),
};

#[derive(Debug)]
struct Coins;

#[distributed_slice(FAMILIES)]
static SPACE: &dyn Family = &Coins;

impl Family for Coins {
    fn name(&self) -> &'static str {
        "coins"
    }

    fn kinds(&self) -> &'static [HeadKind] {
        &[COIN]
    }

    fn is_tabular(&self) -> bool {
        true
    }

    fn roomiest(&self, head: &Head) -> u32 {
        head.options[0]
    }

    fn output(&self, _: Decode, shapes: &[[usize; 3]], _: &[u32]) -> Option<[usize; 3]> {
        shapes.last().copied()
    }

    fn decode(
        &self,
        _: Decode,
        dna: &Dna,
        _: &str,
        _: [usize; 3],
        _: usize,
    ) -> Result<Design, SpaceError> {
        let coins = dna.0.iter().map(|gene| COINS[gene[0] as usize]);
        Ok(Design::Key(coins.collect::<Vec<_>>().join("-")))
    }
}

// A strategy: replace one coin of the best child by the next larger one.

#[distributed_slice(STRATEGIES)]
static FACTS: StrategyFacts = StrategyFacts {
    name: "larger_coins",
    learns: true,
    has_policy: false,
    section: None,
};

#[distributed_slice(CONSTRUCTORS)]
static NEW: Constructor = (&FACTS, |_, _| Box::new(LargerCoins::default()));

#[derive(Default)]
struct LargerCoins {
    best: Option<EndedChild>,
}

impl Strategy for LargerCoins {
    fn propose(&mut self, space: &Space, depth: usize, _: u64) -> Result<Proposal, StrategyError> {
        space.check_depth(depth)?;
        let Some(EndedChild { child, dna, .. }) = &self.best else {
            let dna = Dna(vec![vec![0]; depth]);
            let origin = Origin::Uniform;
            return Ok(Proposal { dna, origin });
        };
        let (mut dna, parent) = (dna.clone(), *child);
        if let Some(smallest) = dna.0.iter_mut().min() {
            smallest[0] = (smallest[0] + 1).min(3);
        }
        let origin = Origin::Mutated { parent };
        Ok(Proposal { dna, origin })
    }

    fn learns_from_each(&self) -> bool {
        true
    }

    fn take(&mut self, child: EndedChild) {
        let is_better = |best: &EndedChild| child.reward > best.reward;
        if self.best.as_ref().is_none_or(is_better) {
            self.best = Some(child);
        }
    }

    fn state(&self) -> StrategyState {
        StrategyState::of(FACTS.name, [("best", serde_json::json!(self.best))])
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        state.expect_strategy(FACTS.name)?;
        self.best = state.scalar("best")?;
        Ok(())
    }
}

// An evaluator: the accuracy of a child is the mean of its coins.

#[distributed_slice(EVALUATORS)]
static EVALUATOR: Registered = Registered {
    name: "coins",
    takes: |config| config.space.layer == "coins",
    is_default: false,
    start: |_, _, report| {
        report(Report::Ready(Ready {
            data: DataDescription {
                spec: "coins".to_owned(),
                images: None,
                fingerprint: "c0145".to_owned(),
            },
            workers: 1,
            compute: None,
        }));
        Ok(Box::new(Counter { report }))
    },
};

struct Counter {
    report: Reports,
}

impl Evaluator for Counter {
    fn submit(&mut self, job: Job) {
        let Design::Key(key) = job.design else {
            panic!("{:?}", job.design);
        };
        let values: Vec<f64> = key
            .split('-')
            .map(|coin| COINS.iter().position(|name| *name == coin).unwrap() as f64 / 3.0)
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (self.report)(Report::Finished {
            child: job.child,
            outcome: Outcome::Trained {
                valid_accuracies: vec![mean],
            },
            seconds: 0.0,
            energy_wh: None,
            test_accuracy: None,
        });
    }

    fn skip(&mut self, _: u64) {}

    fn pause(&mut self, number: u64) {
        (self.report)(Report::Paused { number });
    }

    fn resume(&mut self) {}

    fn shutdown(&mut self) {}
}

// A panel: the coins of the best child.

#[distributed_slice(PANELS)]
static PANEL: About = About::of::<Scrolled<Purse>>("purse", "Purse", 45, SEARCH);

#[derive(Debug, Default)]
struct Purse;

impl TextPanel for Purse {
    fn title(&self, _: &Scene<'_>, _: usize) -> (Cow<'static, str>, Row) {
        ("Purse".into(), Row::new())
    }

    fn content(&self, scene: &Scene<'_>, _: usize, _: usize) -> Content {
        let ended = scene.state.search().children.len();
        vec![vec![(Role::Strong, format!("{ended} handfuls of coins"))]].into()
    }
}

/// Holds the arguments of the program, one per line.
const ARGUMENTS: &str = "NAS_TUI_SEAMS_ARGUMENTS";

#[test]
#[ignore = "run by a_search_uses_what_registered_itself_here, in a process of its own"]
fn the_program_with_what_registered_itself_here() {
    let arguments = std::env::var(ARGUMENTS).unwrap();
    let status = nas_tui::cli::main(arguments.lines().map(OsString::from));
    assert_eq!(status, ExitCode::SUCCESS);
}

/// Run the program with these arguments, its first one being its name.
fn run_program(arguments: &[&str], state: &Path) {
    let name = "the_program_with_what_registered_itself_here";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(ARGUMENTS, arguments.join("\n"))
        .env("XDG_STATE_HOME", state)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

/// A search of 3 episodes of 4 children with three coins each, and the records of its journal.
fn search(run: &Path) -> Vec<Record> {
    let settings = [
        "space.layer=coins",
        "search.strategy=larger_coins",
        "search.initial_depth=3",
        "search.episodes=3",
        "search.children_per_episode=4",
    ];
    let set: Vec<&str> = settings.iter().flat_map(|one| ["--set", one]).collect();
    let run_text = run.to_str().unwrap();
    let arguments = [
        "nas-tui",
        "search",
        "--headless",
        "--preset",
        "nasbench201",
        "--run",
        run_text,
    ];
    let state = run.with_file_name("state");
    run_program(&[&arguments[..], &set].concat(), &state);
    nas_tui::journal::read(&run.join("journal.jsonl")).unwrap()
}

#[test]
fn a_search_uses_what_registered_itself_here() {
    let folder = tempfile::tempdir().unwrap();
    let records = search(&folder.path().join("run"));
    let mut keys = Vec::new();
    let mut accuracies = Vec::new();
    for record in &records {
        match &record.event {
            Event::RunStarted(run) => {
                assert_eq!(
                    (run.strategy.as_str(), &*run.data.spec),
                    (FACTS.name, "coins")
                );
            }
            Event::ChildSampled(child) => keys.push(child.design.key()),
            Event::ChildFinished(child) => accuracies.push(child.accuracy),
            _ => {}
        }
    }
    assert_eq!(
        keys[..3],
        ["cent-cent-cent", "nickel-cent-cent", "nickel-nickel-cent"]
    );
    assert_eq!(accuracies.len(), 12);
    assert!(accuracies.is_sorted(), "{accuracies:?}");
    assert_eq!(accuracies.last(), Some(&1.0));

    // A panel among the others of the screen.
    let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
    let (size, now) = (Size::new(80, 24), records.last().unwrap().time);
    let mut app = App::new(&settings, TimeZone::UTC, size, now);
    records.iter().for_each(|record| app.take(record));
    let workers = PanelId::of(app.kind())
        .iter()
        .position(|panel| *panel == PanelId("dna"));
    assert_eq!(PanelId::of(app.kind())[workers.unwrap() + 1], PANEL.id);
    app.view.focus = PANEL.id;
    app.refresh();
    let mut frame = Buffer::empty(Rect::new(0, 0, 80, 24));
    app.draw(&mut frame);
    let text: String = frame.content.iter().map(|cell| cell.symbol()).collect();
    assert!(text.contains("12 handfuls of coins"), "{text}");
}

/// The values that occur more than once.
fn repeated<T: Ord + Clone>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let pairs = values.windows(2).filter(|pair| pair[0] == pair[1]);
    pairs.map(|pair| pair[0].clone()).collect()
}

/// Whatever is looked up by one of these finds the same in every build, in whichever order the
/// linker collects the lists.
#[test]
fn what_things_are_found_by_is_unique() {
    assert!(repeated(STRATEGIES.iter().map(|facts| facts.name)).is_empty());
    assert!(repeated(CONSTRUCTORS.iter().map(|(facts, _)| facts.name)).is_empty());
    assert!(repeated(EVALUATORS.iter().map(|evaluator| evaluator.name)).is_empty());
    assert!(repeated(PANELS.iter().map(|about| about.id.0)).is_empty());
    assert!(repeated(FAMILIES.iter().map(|family| family.name())).is_empty());
    // A journal names the space of its run only by the list of what the heads decide.
    let heads = |family: &&dyn Family| -> Vec<&str> {
        family.kinds().iter().map(|kind| kind.key).collect()
    };
    assert_eq!(
        repeated(FAMILIES.iter().map(heads)),
        Vec::<Vec<&str>>::new()
    );
    // It names a head by its key.
    let kinds = || FAMILIES.iter().flat_map(|family| family.kinds());
    for (one, other) in kinds().flat_map(|one| kinds().map(move |other| (one, other))) {
        assert!(one.key != other.key || one == other, "{one:?}");
    }
}

#[test]
fn a_name_that_nothing_registers_is_refused_with_the_names_that_exist() {
    for (key, known) in [
        ("search.strategy", "larger_coins"),
        ("space.layer", "coins"),
    ] {
        let set = format!("{key}=unknown");
        let options = nas_tui::config::Options {
            set: vec![set],
            ..Default::default()
        };
        let message = match nas_tui::config::resolve(&options) {
            Err(error) => error.to_string(),
            Ok(config) => nas_tui::space::check_settings(&config)
                .unwrap_err()
                .to_string(),
        };
        assert!(
            message.contains(key) && message.contains(known),
            "{message}"
        );
    }
}
