//! What is read from a snapshot and the rest of a journal, compared with what the whole journal gives.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::event::{ChildQueued, Event, FinishReason, GpuLoad, Level, MachineLoad, MeanOf, Record};
use crate::journal::{Archive, Journal, Reader};
use crate::state::CandidateOrigin;

/// Number of records.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Count(u64);

impl Beside for Count {
    const NAME: &'static str = "count";

    fn apply(&mut self, _: &Record) {
        self.0 += 1;
    }
}

/// A run directory, and its journal.
struct Run(tempfile::TempDir, PathBuf);

impl Run {
    fn new(events: impl IntoIterator<Item = Event>) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        drop(Journal::create(&path).unwrap());
        let run = Run(folder, path);
        run.append(events);
        run
    }

    fn append(&self, events: impl IntoIterator<Item = Event>) {
        let mut journal = Journal::open(&self.1).unwrap().journal;
        for event in events {
            let line = journal.line(event).unwrap();
            journal.write(&line).unwrap();
        }
    }

    /// Write a snapshot of the first `last` records.
    fn save(&self, last: usize) {
        let folder = File::open(self.0.path()).unwrap();
        let draft = Draft::write::<Count>(&self.1, last as u64, folder).unwrap();
        draft.put_in_place().unwrap();
    }

    fn snapshot(&self) -> PathBuf {
        self.1.with_file_name(NAME)
    }

    /// What a reader that uses the snapshot knows: how many records it did not read, and the state.
    fn known(&self) -> (u64, String) {
        let known = Snapshot::of(&self.1).and_then(|kept| Some((kept.place(), kept.state()?)));
        let (place, mut state) = known.unwrap_or_default();
        for record in Reader::after(&self.1, place).unwrap() {
            state.apply(&record.unwrap());
        }
        (place.lines, text_of(state))
    }

    /// The state after the whole journal.
    fn truth(&self) -> String {
        let mut state = RunState::default();
        for record in Reader::open(&self.1).unwrap() {
            state.apply(&record.unwrap());
        }
        text_of(state)
    }
}

/// Everything in a state but the choices of candidates, which readers of long journals leave out.
fn text_of(mut state: RunState) -> String {
    if let Some(search) = state.search_mut() {
        let training = search.by_worker.values_mut();
        let training = training.chain(search.ended_by_worker.values_mut());
        let candidates = training.filter_map(|training| training.candidate.as_mut());
        for candidate in search.waiting.values_mut().chain(candidates) {
            if let CandidateOrigin::Sampled { choices, .. } = &mut candidate.origin {
                choices.clear();
            }
        }
    }
    format!("{state:?}")
}

/// The events of the recorded run.
fn recorded() -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let records: Vec<Record> = crate::journal::read(&path).unwrap();
    records.into_iter().map(|record| record.event).collect()
}

/// Events of a session that the recorded run does not contain.
fn of_session() -> Vec<Event> {
    vec![
        Event::PauseRequested,
        Event::Paused,
        Event::Resumed,
        Event::StopRequested,
        Event::EpisodeStopRequested,
        Event::EpisodeStopWithdrawn,
        Event::Heartbeat {
            load: Some(MachineLoad {
                seconds: 60.0,
                busy: Some(0.5),
                gpus: vec![GpuLoad {
                    index: 0,
                    utilization: Some(0.25),
                    joules: Some(9e3),
                }],
            }),
        },
        Event::ChildNoted {
            child: 7,
            text: "odd #loss".to_owned(),
        },
        Event::RunResumed {
            host: "h".to_owned(),
            pid: 7,
            version: "0".to_owned(),
            next_child: Some(3),
            epoch: None,
            micro_batch: None,
        },
        Event::EpisodeExcluded {
            episode: 2,
            children: 3,
            seconds: 0.1,
        },
        Event::RunFinished {
            reason: FinishReason::Stopped,
            children: 3,
            epochs: None,
            wall_seconds: 12.5,
        },
    ]
}

/// Those, and events of children that it does not contain.
fn others(recorded: &[Event]) -> Vec<Event> {
    let mut others = of_session();
    for event in recorded {
        match event {
            Event::RunStarted(started) => {
                let mut averages = started.clone();
                averages.reuse_limit = Some(3);
                others.push(Event::RunStarted(averages));
            }
            Event::ChildSampled(sampled) if sampled.child <= 4 => {
                others.push(Event::ChildSampled(crate::event::ChildSampled {
                    control: true,
                    ..sampled.clone()
                }));
                others.push(Event::ChildQueued(ChildQueued {
                    child: sampled.child + 1_000,
                    episode: sampled.episode,
                    parent: sampled.child,
                    dna: sampled.dna.clone(),
                    design: sampled.design.clone(),
                    params: sampled.params,
                    macs: sampled.macs,
                }));
                others.push(Event::ChildExcluded {
                    child: sampled.child + 1_000,
                    episode: sampled.episode,
                    reason: "skipped".to_owned(),
                    seconds: 0.3,
                    control: false,
                });
            }
            Event::ChildFinished(finished) if finished.child <= 6 => {
                let mut again = finished.clone();
                again.accuracy /= 3.0;
                again.energy_wh = Some(0.1 + finished.accuracy);
                again.mean = Some(Box::new(MeanOf {
                    children: vec![1, finished.child],
                    own_accuracy: Some(finished.accuracy),
                    own_reward: Some(finished.reward),
                }));
                others.push(Event::ChildFinished(again));
            }
            _ => {}
        }
    }
    others
}

/// Random journals: parts of the recorded run in its order, with other events in between.
fn journals() -> impl Strategy<Value = Vec<Event>> {
    let recorded = recorded();
    let others = others(&recorded);
    let part = (0..recorded.len() - 40, 1_usize..40, 0..others.len());
    proptest::collection::vec(part, 1..6).prop_map(move |parts| {
        let mut events = vec![recorded[0].clone()];
        for (from, length, other) in parts {
            events.extend_from_slice(&recorded[from..from + length]);
            events.push(others[other].clone());
        }
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_snapshot_and_the_rest_give_what_the_whole_journal_gives(
        events in journals(),
        cuts in (0.0..1.0, 0.0..1.0),
    ) {
        let length = events.len();
        let at = |share: f64| (share * (length + 1) as f64) as usize;
        let (first, second) = (at(f64::min(cuts.0, cuts.1)), at(f64::max(cuts.0, cuts.1)));
        let run = Run::new(events);
        let truth = run.truth();
        // The second snapshot begins with the first.
        for last in [first, second] {
            run.save(last);
            prop_assert_eq!(run.known(), (last as u64, truth.clone()));
            let beside = Snapshot::of(&run.1).unwrap().beside::<Count>();
            prop_assert_eq!(beside, Some(Count(last as u64)));
        }
    }

    #[test]
    fn a_damaged_snapshot_is_never_believed(at in 0.0..1.0, bit in 0_u32..8, is_cut in any::<bool>()) {
        let run = Run::new(recorded().into_iter().take(150));
        run.save(120);
        let mut bytes = std::fs::read(run.snapshot()).unwrap();
        let at = (at * bytes.len() as f64) as usize;
        if is_cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1_u8 << bit;
        }
        std::fs::write(run.snapshot(), bytes).unwrap();
        prop_assert_eq!(run.known().1, run.truth());
        let mut archive = Archive::open(&run.1).unwrap();
        prop_assert_eq!(archive.record(110).unwrap().unwrap().seq, Some(110));
    }
}

#[test]
fn a_snapshot_of_a_training_gives_what_the_whole_journal_gives() {
    let started = serde_json::json!({
        "event": "training_started", "run": "t", "origin": "nascnn15", "params": 1, "macs": 2, "recipe": "r",
        "architecture": {"name": "n", "input": [1, 8, 8], "classes": 2, "output": [1], "layers": [
            {"kernel": [3, 3], "filters": 8, "stride": [1, 1], "padding": [1, 1], "inputs": [0]}]},
        "settings": {"epochs": 10, "batch_size": 2, "learning_rate": 0.1, "momentum": 0.9, "nesterov": true,
            "weight_decay": 1e-4, "schedule": {"kind": "cosine", "warmup_epochs": 1}, "early_stopping": 3},
        "precision": "float32", "micro_batch": 2, "seed": u64::MAX, "version": "0", "host": "h", "pid": 1,
        "libtorch": "2", "threads": 1, "device": "cpu",
        "data": {"spec": "s", "input": [1, 8, 8], "classes": ["a", "b"], "train_images": 9,
            "validation_images": 3, "fingerprint": "00000000"},
    });
    let mut events = vec![serde_json::from_value(started).unwrap()];
    events.extend((1..=5).map(|epoch| {
        let epoch = serde_json::json!({
            "event": "training_epoch", "epoch": epoch, "train_loss": 0.1 + 0.2, "train_accuracy": 1.0 / 3.0,
            "valid_loss": 0.7, "valid_accuracy": 0.1 * epoch as f64, "learning_rate": 0.1,
            "images_per_second": 99.9, "seconds": 1e-7,
        });
        serde_json::from_value(epoch).unwrap()
    }));
    events.push(Event::RunResumed {
        host: "h".to_owned(),
        pid: 7,
        version: "0".to_owned(),
        next_child: None,
        epoch: Some(4),
        micro_batch: Some(1),
    });
    for last in 0..=events.len() {
        let run = Run::new(events.clone());
        run.save(last);
        assert_eq!(run.known(), (last as u64, run.truth()));
    }
}

#[test]
fn a_snapshot_survives_what_is_appended_and_a_copy_of_the_folder() {
    let run = Run::new(recorded().into_iter().take(100));
    run.save(100);
    run.append([Event::Paused, Event::Resumed]);
    assert_eq!(run.known(), (100, run.truth()));
    let copy = Run::new([]);
    for name in ["journal.jsonl", NAME] {
        std::fs::copy(run.0.path().join(name), copy.0.path().join(name)).unwrap();
    }
    assert_eq!(copy.known(), (100, run.truth()));
}

#[test]
fn a_snapshot_of_another_journal_or_program_is_as_good_as_none() {
    let run = Run::new(recorded().into_iter().take(100));
    run.save(100);
    let kept = std::fs::read(run.snapshot()).unwrap();
    let truth = run.truth();
    let shorter = Run::new(recorded().into_iter().take(99));
    let mut other = recorded();
    other[99] = Event::Notice {
        level: Level::Info,
        message: "not what was recorded".to_owned(),
    };
    let other = Run::new(other);
    for run in [&shorter, &other] {
        std::fs::write(run.snapshot(), &kept).unwrap();
        assert_eq!(run.known(), (0, run.truth()));
    }
    let text = String::from_utf8(kept).unwrap();
    let by_another = text.replacen(PROGRAM, &"0".repeat(PROGRAM.len()), 1);
    std::fs::write(run.snapshot(), by_another).unwrap();
    assert_eq!(run.known(), (0, truth));
}

#[test]
fn a_crafted_snapshot_is_checked_like_a_journal() {
    let run = Run::new(recorded().into_iter().take(100));
    let index = {
        let mut index = LineIndex::default();
        index.extend(&mut File::open(&run.1).unwrap()).unwrap();
        index
    };
    let (_, reduced) = run.known();
    let mut state = RunState::default();
    for record in Reader::open(&run.1).unwrap() {
        state.apply(&record.unwrap());
    }
    let is_believed = |state: &RunState| {
        let bytes = writing::encode(state, &Count(100), &index, &run.1).unwrap();
        std::fs::write(run.snapshot(), bytes).unwrap();
        Snapshot::of(&run.1).unwrap().state().is_some()
    };
    assert!(is_believed(&state), "{reduced}");
    type Change = fn(&mut RunState);
    let changes: [Change; 6] = [
        |state| state.last_seq -= 1,
        |state| {
            state.note(
                Level::Info,
                "\x1b[2J".to_owned(),
                jiff::Timestamp::UNIX_EPOCH,
            )
        },
        |state| state.search_mut().unwrap().children[0].accuracy = Some(42.0),
        |state| state.search_mut().unwrap().episode = usize::MAX,
        |state| state.search_mut().unwrap().outcomes.counts.excluded += 1_000,
        |state| drop(state.search_mut().unwrap().children.pop()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut crafted = state.clone();
        change(&mut crafted);
        assert!(!is_believed(&crafted), "change {number}");
    }
}

#[test]
fn a_draft_that_is_not_put_in_place_leaves_no_file() {
    let run = Run::new(recorded().into_iter().take(10));
    let folder = File::open(run.0.path()).unwrap();
    drop(Draft::write::<Count>(&run.1, 10, folder).unwrap());
    assert_eq!(std::fs::read_dir(run.0.path()).unwrap().count(), 1);
}

#[test]
fn snapshots_are_due_in_proportion_to_growth() {
    let megabyte = 1 << 20;
    assert!(!is_due(3 * megabyte, 0, 8), "too short");
    assert!(is_due(4 * megabyte, 0, 8));
    assert!(!is_due(85 * megabyte, 80 * megabyte, 8));
    assert!(is_due(91 * megabyte, 80 * megabyte, 8));
}
