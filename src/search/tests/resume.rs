//! A run that was interrupted anywhere and resumed equals an uninterrupted one.

use std::fs;
use std::path::PathBuf;

use super::fakes::{Behaviour, Run, RunOutcome};
use crate::event::{Event, Level, Record};
use crate::search::checkpoint::SearchCheckpoint;

/// A finished run, with its checkpoint as it was before each child was trained.
pub struct Original {
    run: Run,
    behaviour: Behaviour,
    outcome: RunOutcome,
    pub journal: String,
    snapshots: tempfile::TempDir,
}

impl Original {
    pub fn new(set: &[&str], behaviour: &Behaviour) -> Original {
        let (run, snapshots) = (Run::new(set), tempfile::tempdir().unwrap());
        let copying = Behaviour {
            snapshots: Some((run.checkpoint_path(), snapshots.path().to_owned())),
            ..behaviour.clone()
        };
        run.search(&copying).unwrap();
        let journal = fs::read_to_string(run.journal()).unwrap();
        Original {
            outcome: run.outcome(),
            behaviour: Behaviour {
                jobs: Default::default(),
                ..behaviour.clone()
            },
            run,
            journal,
            snapshots,
        }
    }

    pub fn lines(&self) -> Vec<&str> {
        self.journal.split_inclusive('\n').collect()
    }

    /// The checkpoint of episode `episode`, if a copy exists.
    fn checkpoint(&self, episode: usize) -> Option<PathBuf> {
        if episode == self.run.config.search.episodes {
            return Some(self.run.checkpoint_path());
        }
        let copies = fs::read_dir(self.snapshots.path()).unwrap();
        let mut copies = copies.map(|copy| copy.unwrap().path());
        copies.find(|copy| {
            let checkpoint = SearchCheckpoint::load(copy).unwrap();
            checkpoint.is_some_and(|checkpoint| checkpoint.episode == episode)
        })
    }

    /// A run directory as a crash would leave it: the journal's first `bytes` bytes and the
    /// checkpoint of `episode`.
    pub fn cut(&self, bytes: usize, episode: usize) -> Option<Run> {
        let run = Run {
            root: tempfile::tempdir().unwrap(),
            config: self.run.config.clone(),
        };
        fs::create_dir_all(run.path().join("checkpoint")).unwrap();
        fs::write(run.path().join("config.toml"), self.run.config.to_toml()).unwrap();
        fs::write(run.journal(), &self.journal.as_bytes()[..bytes]).unwrap();
        if episode > 0 {
            fs::copy(self.checkpoint(episode)?, run.checkpoint_path()).unwrap();
        }
        Some(run)
    }

    /// The number of episodes that are finished, and of those whose checkpoint is saved, according
    /// to the first `lines` lines.
    fn progress(&self, lines: usize) -> (usize, usize) {
        let count = |name: &str| {
            self.lines()[..lines]
                .iter()
                .filter(|line| line.contains(&format!("\"event\":\"{name}\"")))
                .count()
        };
        (
            count("episode_finished") + count("episode_excluded"),
            count("checkpoint_saved"),
        )
    }
}

/// Cut the run after every line, with each checkpoint that may exist by then, and resume it.
pub fn resume_after_every_line(original: &Original) {
    let mut bytes = 0;
    let mut tried = 0;
    for lines in 0..=original.lines().len() {
        let (finished, saved) = original.progress(lines);
        // The checkpoint may be one episode ahead of the journal. It is behind, or absent, if it could not be
        // written and the records could.
        let behind = [0, saved.saturating_sub(1)];
        // Some are enough: all takes minutes.
        let is_tried = lines % 6 == 5 && lines < original.lines().len();
        let behind = behind.into_iter().filter(|_| is_tried);
        for episode in behind.chain([saved, finished]) {
            let Some(cut) = original.cut(bytes, episode) else {
                continue;
            };
            tried += 1;
            if let Ok(session) = cut.open()
                && !session.is_complete()
            {
                drop(session);
                cut.resume(&original.behaviour)
                    .unwrap_or_else(|error| panic!("line {lines}, checkpoint {episode}: {error}"));
            }
            assert_eq!(
                cut.outcome(),
                original.outcome,
                "line {lines}, checkpoint {episode}"
            );
        }
        bytes += original.lines().get(lines).map_or(0, |line| line.len());
    }
    assert!(tried > original.lines().len());
}

#[test]
fn a_run_killed_after_any_line_and_resumed_equals_an_uninterrupted_one() {
    let behaviour = Behaviour {
        failing: vec![2, 7],
        breaking: vec![3],
        ..Behaviour::default()
    };
    resume_after_every_line(&Original::new(&["search.episodes=4"], &behaviour));
}

/// A small population, so that most children are mutations.
const EVOLUTION: [&str; 4] = [
    "search.strategy=evolution",
    "evolution.population=3",
    "evolution.sample=2",
    "search.episodes=4",
];

/// The settings of each strategy that learns after each child.
pub fn that_learn_from_each() -> [Vec<&'static str>; 3] {
    let predictor = [
        "search.strategy=predictor",
        "predictor.initial=4",
        "predictor.networks=2",
        "predictor.candidates=5",
        "search.episodes=4",
    ];
    let local_search = ["search.strategy=local_search", "search.episodes=4"];
    [
        EVOLUTION.to_vec(),
        predictor.to_vec(),
        local_search.to_vec(),
    ]
}

#[test]
fn so_does_one_that_learns_from_each_child() {
    let behaviour = Behaviour {
        failing: vec![2, 7],
        breaking: vec![3],
        ..Behaviour::default()
    };
    for settings in that_learn_from_each() {
        let original = Original::new(&settings, &behaviour);
        assert!(
            original.journal.contains("\"parent\":"),
            "{settings:?}: nothing was mutated"
        );
        resume_after_every_line(&original);
    }
}

#[test]
fn so_does_one_that_learns_from_each_child_and_has_two_at_a_time() {
    let behaviour = Behaviour {
        workers: 2,
        ..Behaviour::default()
    };
    for settings in that_learn_from_each() {
        resume_after_every_line(&Original::new(&settings, &behaviour));
    }
}

#[test]
fn so_does_a_run_with_controls_however_they_end() {
    let behaviour = Behaviour {
        failing: vec![2, 13],
        breaking: vec![3, 16],
        workers: 2,
        ..Behaviour::default()
    };
    for strategy in ["search.strategy=reinforce", "search.strategy=evolution"] {
        let settings = [strategy, "search.controls=2", "evolution.population=3"];
        resume_after_every_line(&Original::new(&settings, &behaviour));
    }
}

#[test]
fn an_evolution_whose_checkpoint_is_lost_is_recomputed_from_the_journal() {
    let original = Original::new(&EVOLUTION, &Behaviour::default());
    let lines = original.lines();
    let bytes = lines[..lines.len() / 2].iter().map(|line| line.len()).sum();
    let cut = original.cut(bytes, 0).unwrap();
    cut.resume(&original.behaviour).unwrap();
    assert_eq!(cut.outcome(), original.outcome);
}

#[test]
fn a_strategy_that_is_stopped_in_its_first_episode_learns_from_no_child_twice() {
    let settings = ["search.strategy=evolution", "evolution.population=3"];
    let (plain, stopped) = (Run::new(&settings), Run::new(&settings));
    plain.search(&Behaviour::default()).unwrap();
    let session = stopped.begin();
    let mut client = session.hub().connect().unwrap();
    let searching = session
        .start(super::fakes::parts(&Behaviour {
            silent: vec![3],
            ..Behaviour::default()
        }))
        .unwrap();
    super::commands::wait_for(
        &mut client,
        |event| matches!(event, Event::ChildSampled(child) if child.child == 3),
    );
    client.commands.send(crate::link::Command::Stop).unwrap();
    searching.join().unwrap();
    stopped.resume(&Behaviour::default()).unwrap();
    let mut outcome = stopped.outcome();
    outcome.checkpoints.retain(|episode| *episode > 0);
    assert_eq!(outcome, plain.outcome());
}

#[test]
fn so_does_a_run_with_an_episode_of_excluded_children() {
    let behaviour = Behaviour {
        breaking: vec![3, 5, 6, 7, 8],
        ..Behaviour::default()
    };
    let original = Original::new(&["search.reuse=false"], &behaviour);
    assert_eq!(original.outcome.episodes[1], "2: 4 excluded");
    resume_after_every_line(&original);
}

#[test]
fn a_run_killed_repeatedly_equals_an_uninterrupted_one() {
    let original = Original::new(&[], &Behaviour::default());
    let cut = original
        .cut(original.lines()[..4].concat().len(), 0)
        .unwrap();
    for silent in [vec![3, 4, 5, 6, 7, 8], vec![6, 7, 8], vec![9, 10]] {
        // Children that never end; the session is stopped and its last line removed, as if it had
        // been killed before writing it.
        let session = cut.open().unwrap();
        let mut client = session.hub().connect().unwrap();
        let searching = session
            .start(super::fakes::parts(&Behaviour {
                silent: silent.clone(),
                ..Behaviour::default()
            }))
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        client.commands.send(crate::link::Command::Stop).unwrap();
        searching.join().unwrap();
        while client.records.blocking_recv().is_some() {}
        let text = fs::read_to_string(cut.journal()).unwrap();
        let end = text.trim_end().rfind('\n').unwrap() + 1;
        fs::write(cut.journal(), &text[..end]).unwrap();
    }
    cut.resume(&Behaviour::default()).unwrap();
    let mut outcome = cut.outcome();
    outcome.checkpoints.retain(|episode| *episode > 0);
    assert_eq!(outcome, original.outcome);
}

#[test]
fn a_journal_torn_inside_a_line_is_repaired_with_a_notice() {
    let original = Original::new(&[], &Behaviour::default());
    let bytes = original.lines()[..9].concat().len() + 25;
    let cut = original.cut(bytes, 0).unwrap();
    cut.resume(&original.behaviour).unwrap();
    assert_eq!(cut.outcome(), original.outcome);
    let is_notice = |record: &Record| matches!(&record.event, Event::Notice { level: Level::Warning, message } if message.contains("unfinished line (line 10, 25 bytes)"));
    assert!(cut.records().iter().any(is_notice));
}

#[test]
fn what_ended_before_is_not_trained_again() {
    let original = Original::new(&["search.reuse=false"], &Behaviour::default());
    let ended = original
        .lines()
        .iter()
        .position(|line| line.contains("child_finished") && line.contains("\"child\":6,"))
        .unwrap();
    let bytes = original.lines()[..=ended].concat().len();
    let cut = original.cut(bytes, 1).unwrap();
    cut.resume(&original.behaviour).unwrap();
    assert_eq!(original.behaviour.jobs(), (7..=12).collect::<Vec<_>>());
}

#[test]
fn a_lost_checkpoint_is_recomputed_from_the_journal_and_nothing_is_trained_twice() {
    let original = Original::new(&["search.reuse=false"], &Behaviour::default());
    let ended = original
        .lines()
        .iter()
        .position(|line| line.contains("child_finished") && line.contains("\"child\":10,"))
        .unwrap();
    let cut = original
        .cut(original.lines()[..=ended].concat().len(), 0)
        .unwrap();
    cut.resume(&original.behaviour).unwrap();
    assert_eq!(cut.outcome(), original.outcome);
    assert_eq!(original.behaviour.jobs(), [11, 12]);
    let is_notice = |record: &Record| matches!(&record.event, Event::Notice { message, .. } if message.contains("checkpoint is missing"));
    assert!(cut.records().iter().any(is_notice), "and the user is told");
}

#[test]
fn a_complete_run_has_nothing_to_resume() {
    let run = Run::new(&[]);
    let summary = run.search(&Behaviour::default()).unwrap();
    let before = fs::read(run.journal()).unwrap();
    let session = run.open().unwrap();
    assert!(session.is_complete());
    assert_eq!(session.summary().unwrap(), summary);
    drop(session);
    assert_eq!(fs::read(run.journal()).unwrap(), before);
}

#[test]
fn the_screen_of_a_resumed_run_knows_the_dna_of_children_sampled_before() {
    let original = Original::new(&["search.reuse=false"], &Behaviour::default());
    let started = original
        .lines()
        .iter()
        .position(|line| line.contains("child_started") && line.contains("\"child\":2,"))
        .unwrap();
    let cut = original
        .cut(original.lines()[..=started].concat().len(), 0)
        .unwrap();
    cut.resume(&original.behaviour).unwrap();
    let mut state = crate::state::RunState::default();
    let mut seen = 0;
    for record in cut.records() {
        state.apply(&record);
        if let Event::ChildStarted { worker, .. } = record.event {
            assert!(
                state.search().by_worker[&worker].candidate.is_some(),
                "{:?}",
                record.event
            );
            seen += 1;
        }
    }
    assert_eq!(
        (
            seen,
            state.search().children.len(),
            state.search().waiting.len()
        ),
        (13, 12, 0),
        "child 2 was started twice"
    );
}
