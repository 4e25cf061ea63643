//! Skipping, stopping after an episode, edited children.

use super::commands::wait_for;
use super::fakes::{Behaviour, Run, RunOutcome, event_names, parts};
use crate::event::{ChildFinished, Event, FinishReason, Level, Record};
use crate::link::{Command, Connection};
use crate::search::Search;
use crate::session::Working;
use crate::space::Dna;

/// A search in progress, held up by children that never end, and a client of it.
fn held(run: &Run, silent: &[u64]) -> (Connection, Working<Search>, Behaviour) {
    let session = run.begin();
    let client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        silent: silent.to_vec(),
        ..Behaviour::default()
    };
    (client, session.start(parts(&behaviour)).unwrap(), behaviour)
}

fn wait_for_end(client: &mut Connection, child: u64) -> ChildFinished {
    let record = wait_for(
        client,
        |event| matches!(event, Event::ChildFinished(finished) if finished.child == child),
    );
    let Event::ChildFinished(finished) = record.event.clone() else {
        unreachable!()
    };
    finished
}

fn wait_for_warning(client: &mut Connection, text: &str) {
    wait_for(
        client,
        |event| matches!(event, Event::Notice { level: Level::Warning, message } if message.contains(text)),
    );
}

/// The results without the edited children.
fn of_the_search(run: &Run) -> RunOutcome {
    let mut outcome = run.outcome();
    outcome.ended.retain(|child, _| *child <= 12);
    outcome
}

#[test]
fn a_skipped_child_keeps_the_accuracy_of_its_completed_epochs() {
    let run = Run::new(&["search.reuse=false"]);
    let (mut client, searching, _) = held(&run, &[2]);
    wait_for_end(&mut client, 1);
    client.commands.send(Command::Skip { child: 2 }).unwrap();
    wait_for(&mut client, |event| {
        *event == Event::SkipRequested { child: 2 }
    });
    let skipped = wait_for_end(&mut client, 2);
    assert!(
        skipped.skipped && skipped.accuracy == 0.9 && skipped.valid_accuracies.len() == 1,
        "{skipped:?}"
    );
    assert_eq!(searching.join().unwrap().children_evaluated, 12);
}

#[test]
fn a_child_skipped_before_its_first_epoch_is_excluded() {
    let run = Run::new(&["search.reuse=false"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        unbegun: vec![2],
        ..Behaviour::default()
    };
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for_end(&mut client, 1);
    client.commands.send(Command::Skip { child: 2 }).unwrap();
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildExcluded { child: 2, reason, .. } if reason.contains("skipped")),
    );
    let summary = searching.join().unwrap();
    assert_eq!(
        (
            summary.children_evaluated,
            summary.failures,
            summary.excluded_children
        ),
        (11, 0, 1)
    );
}

#[test]
fn an_answer_to_a_withdrawn_pause_does_not_answer_the_next() {
    let run = Run::new(&["search.reuse=false"]);
    let session = run.begin();
    let mut client = session.hub().connect().unwrap();
    let behaviour = Behaviour {
        silent: vec![2],
        answers_late: true,
        ..Behaviour::default()
    };
    let searching = session.start(parts(&behaviour)).unwrap();
    wait_for_end(&mut client, 1);
    for command in [Command::Pause, Command::Resume, Command::Pause] {
        client.commands.send(command).unwrap();
    }
    for _ in 0..2 {
        wait_for(&mut client, |event| *event == Event::PauseRequested);
    }
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    let names = event_names(&run.journal());
    assert_eq!(
        names
            .iter()
            .filter(|name| *name == "pause_requested")
            .count(),
        2
    );
    assert!(!names.contains(&"paused".to_owned()), "{names:?}");
}

#[test]
fn a_child_that_is_not_in_training_cannot_be_skipped() {
    let run = Run::new(&["search.reuse=false"]);
    let (mut client, searching, _) = held(&run, &[2]);
    wait_for_end(&mut client, 1);
    for child in [1, 99] {
        client.commands.send(Command::Skip { child }).unwrap();
        wait_for_warning(&mut client, "nothing to skip");
    }
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    let names = event_names(&run.journal());
    assert!(
        !names.contains(&"skip_requested".to_owned()) && !names.contains(&"notice".to_owned()),
        "{names:?}"
    );
}

#[test]
fn a_skipped_child_is_never_repeated() {
    let plain = Run::new(&[]);
    plain.search(&Behaviour::default()).unwrap();
    let repeats = plain
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::ChildFinished(finished) => finished
                .repeat_of
                .map(|first| (first, finished.child, finished.episode)),
            _ => None,
        });
    let in_one_episode =
        |(first, _, episode): &(u64, u64, usize)| (first - 1) / 4 + 1 == *episode as u64;
    let (first, repeat, _) = repeats
        .into_iter()
        .find(in_one_episode)
        .expect("an episode with a repeat");

    let run = Run::new(&[]);
    let (mut client, searching, behaviour) = held(&run, &[first]);
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildSampled(sampled) if sampled.child == repeat),
    );
    client
        .commands
        .send(Command::Skip { child: first })
        .unwrap();
    assert!(wait_for_end(&mut client, first).skipped);
    assert_eq!(wait_for_end(&mut client, repeat).repeat_of, None);
    searching.join().unwrap();
    assert!(behaviour.jobs().contains(&repeat));
}

#[test]
fn a_run_stops_after_its_episode_and_continues_as_if_it_had_not() {
    let (plain, stopped) = (Run::new(&[]), Run::new(&[]));
    plain.search(&Behaviour::default()).unwrap();
    let session = stopped.begin();
    session
        .hub()
        .commands()
        .send(Command::StopAfterEpisode)
        .unwrap();
    let summary = session
        .start(parts(&Behaviour::default()))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(
        (summary.reason, summary.episodes.len()),
        (Some(FinishReason::Stopped), 1)
    );
    let names = event_names(&stopped.journal());
    assert_eq!(
        names[names.len() - 3..],
        ["episode_finished", "checkpoint_saved", "run_finished"]
    );
    stopped.resume(&Behaviour::default()).unwrap();
    assert_eq!(plain.outcome(), stopped.outcome());
}

#[test]
fn a_stop_after_the_episode_can_be_withdrawn() {
    let run = Run::new(&[]);
    let session = run.begin();
    for command in [
        Command::GoOnAfterEpisode,
        Command::StopAfterEpisode,
        Command::StopAfterEpisode,
        Command::GoOnAfterEpisode,
    ] {
        session.hub().commands().send(command).unwrap();
    }
    let summary = session
        .start(parts(&Behaviour::default()))
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(summary.reason, Some(FinishReason::Completed));
    let names = event_names(&run.journal());
    let count = |name: &str| names.iter().filter(|other| *other == name).count();
    assert_eq!(
        (
            count("episode_stop_requested"),
            count("episode_stop_withdrawn")
        ),
        (1, 1)
    );
}

#[test]
fn an_edited_child_is_trained_and_does_not_affect_the_search() {
    let (plain, edited) = (Run::new(&[]), Run::new(&[]));
    let expected = plain.search(&Behaviour::default()).unwrap();
    // The last child that is not a repeat holds up the search.
    let trained = |record: Record| match record.event {
        Event::ChildFinished(ChildFinished {
            child,
            repeat_of: None,
            ..
        }) => Some(child),
        _ => None,
    };
    let last = plain
        .records()
        .into_iter()
        .filter_map(trained)
        .max()
        .unwrap();
    let (mut client, searching, behaviour) = held(&edited, &[last]);
    // Wide layers, for which the fake evaluator gives the highest accuracy.
    let dna = Dna(vec![vec![3, 200, 1, 1], vec![3, 200, 1, 1]]);
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildSampled(sampled) if sampled.child == last),
    );
    client
        .commands
        .send(Command::Train {
            parent: 3,
            dna: dna.clone(),
        })
        .unwrap();
    let queued = wait_for(&mut client, |event| matches!(event, Event::ChildQueued(_)));
    assert!(
        matches!(&queued.event, Event::ChildQueued(queued) if (queued.child, queued.parent, &queued.dna) == (13, 3, &dna))
    );
    assert_eq!(wait_for_end(&mut client, 13).accuracy, 1.0);
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    assert!(behaviour.jobs().contains(&13));
    let summary = edited.resume(&Behaviour::default()).unwrap();
    assert_eq!(
        (summary.edited_children, summary.children_evaluated),
        (1, 12)
    );
    assert_eq!(
        (&summary.best, summary.unique_architectures),
        (&expected.best, expected.unique_architectures)
    );
    assert_eq!(of_the_search(&plain), of_the_search(&edited));
}

#[test]
fn the_end_of_the_run_waits_for_edited_children_and_a_resume_trains_those_of_a_stopped_one() {
    let run = Run::new(&["search.reuse=false"]);
    let (mut client, searching, _) = held(&run, &[2, 13, 14]);
    let sampled = wait_for(&mut client, |event| matches!(event, Event::ChildSampled(_)));
    let Event::ChildSampled(sampled) = &sampled.event else {
        unreachable!()
    };
    for _ in 0..2 {
        client
            .commands
            .send(Command::Train {
                parent: 1,
                dna: sampled.dna.clone(),
            })
            .unwrap();
    }
    // Episodes do not wait for them: the search continues with child 2.
    wait_for(
        &mut client,
        |event| matches!(event, Event::ChildQueued(queued) if queued.child == 14),
    );
    client.commands.send(Command::Skip { child: 2 }).unwrap();
    wait_for(&mut client, |event| {
        matches!(event, Event::CheckpointSaved { episode: 3, .. })
    });
    client.commands.send(Command::Skip { child: 13 }).unwrap();
    assert!(wait_for_end(&mut client, 13).skipped);
    client.commands.send(Command::Stop).unwrap();
    assert_eq!(
        searching.join().unwrap().reason,
        Some(FinishReason::Stopped)
    );
    let again = Behaviour::default();
    let summary = run.resume(&again).unwrap();
    assert_eq!(
        (summary.reason, summary.edited_children),
        (Some(FinishReason::Completed), 2)
    );
    assert_eq!(again.jobs(), [14]);
}

#[test]
fn a_steered_run_killed_after_any_later_line_and_resumed_ends_as_it_did() {
    let run = Run::new(&["search.reuse=false"]);
    let (mut client, searching, _) = held(&run, &[2]);
    wait_for_end(&mut client, 1);
    client
        .commands
        .send(Command::Train {
            parent: 1,
            dna: Dna(vec![vec![3, 8, 1, 1], vec![3, 8, 1, 1]]),
        })
        .unwrap();
    wait_for(&mut client, |event| matches!(event, Event::ChildQueued(_)));
    client.commands.send(Command::Skip { child: 2 }).unwrap();
    searching.join().unwrap();
    let journal = std::fs::read_to_string(run.journal()).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let is_end = |line: &&str| line.contains("\"child_finished\"") && line.contains("\"child\":2,");
    let skipped = lines.iter().position(is_end).unwrap() + 1;
    for count in skipped..lines.len() {
        let cut = Run {
            root: tempfile::tempdir().unwrap(),
            config: run.config.clone(),
        };
        std::fs::create_dir_all(cut.path().join("checkpoint")).unwrap();
        std::fs::write(cut.path().join("config.toml"), cut.config.to_toml()).unwrap();
        std::fs::write(cut.journal(), lines[..count].concat()).unwrap();
        cut.resume(&Behaviour::default())
            .unwrap_or_else(|error| panic!("line {count}: {error}"));
        assert_eq!(cut.outcome(), run.outcome(), "line {count}");
    }
}

#[test]
fn an_edited_child_that_cannot_be_built_or_has_no_parent_is_refused_with_the_reason() {
    let run = Run::new(&["search.reuse=false"]);
    let (mut client, searching, _) = held(&run, &[2]);
    wait_for_end(&mut client, 1);
    for (parent, genes, reason) in [
        (1, vec![vec![99, 4, 1, 0]], "edited from child 1 cannot be"),
        (50, vec![vec![3, 4, 1, 1]], "there is no child 50"),
        (1, vec![vec![1, 4, 1, 0]; 20_000], "it has 20000 layers"),
    ] {
        let dna = Dna(genes);
        let train = Command::Train { parent, dna };
        client.commands.send(train).unwrap();
        wait_for_warning(&mut client, reason);
    }
    client.commands.send(Command::Stop).unwrap();
    searching.join().unwrap();
    let names = event_names(&run.journal());
    assert!(
        !names.contains(&"child_queued".to_owned()) && !names.contains(&"notice".to_owned()),
        "{names:?}"
    );
}
