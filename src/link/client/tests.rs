use std::fs::File;

use super::*;
use crate::analysis::history::History;
use crate::event::{Event, FinishReason, Level, Record};
use crate::journal::Journal;
use crate::journal::snapshot::Draft;
use crate::link::Command;
use crate::link::feed::CAPACITY;
use crate::link::{Hub, Server};
use crate::runs::RunDirectory;

fn notice(number: u64) -> Event {
    Event::Notice {
        level: Level::Info,
        message: number.to_string(),
    }
}

fn ended() -> Event {
    Event::RunFinished {
        reason: FinishReason::Stopped,
        children: 0,
        epochs: None,
        wall_seconds: 0.0,
    }
}

fn next(connection: &mut Connection) -> Arc<Record> {
    connection
        .records
        .blocking_recv()
        .expect("the connection lasts")
}

fn wait_for(connection: &mut Connection, wanted: &LinkStatus) {
    let begin = Instant::now();
    while *connection.status.borrow_and_update() != *wanted {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{:?} is not {wanted:?}",
            connection.status.borrow()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_folder_that_is_not_a_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = attach(folder.path(), false).unwrap_err().to_string();
    assert!(error.contains("not a run directory"), "{error}");
}

#[test]
fn a_client_begins_where_the_snapshot_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("journal.jsonl")).unwrap();
    (1..=3).for_each(|number| drop(journal.append(notice(number)).unwrap()));
    let draft = Draft::write::<History>(journal.path(), 2, File::open(folder.path()).unwrap());
    draft.unwrap().put_in_place().unwrap();
    let mut client = attach(folder.path(), false).unwrap();
    let state = client.state.take().expect("the state in the snapshot");
    assert_eq!((state.last_seq, state.log.len()), (2, 2));
    assert_eq!(next(&mut client).seq, Some(3));
    journal.append(ended()).unwrap();
    assert_eq!(next(&mut client).seq, Some(4));
    wait_for(&mut client, &LinkStatus::Ended);
}

#[test]
fn a_finished_run_comes_from_its_journal_and_a_dead_one_is_reported_as_dead() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("journal.jsonl")).unwrap();
    journal.append(notice(1)).unwrap();
    let mut dead = attach(folder.path(), false).unwrap();
    assert_eq!(next(&mut dead).seq, Some(1));
    wait_for(&mut dead, &LinkStatus::Dead { watch_only: false });
    journal.append(ended()).unwrap();
    assert_eq!(next(&mut dead).seq, Some(2));
    wait_for(&mut dead, &LinkStatus::Ended);
}

#[test]
fn a_dead_run_whose_files_are_gone_or_cut_off_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    let mut journal = Journal::create(&run.join("journal.jsonl")).unwrap();
    journal.append(notice(1)).unwrap();
    let mut client = attach(&run, false).unwrap();
    wait_for(&mut client, &LinkStatus::Dead { watch_only: false });
    let lost = |what: &str| LinkStatus::Lost {
        what: what.to_owned(),
    };
    let file = File::options().write(true).open(journal.path()).unwrap();
    file.set_len(0).unwrap();
    wait_for(&mut client, &lost("its journal has been truncated"));
    std::fs::remove_file(journal.path()).unwrap();
    wait_for(&mut client, &lost("its journal has been removed"));
    let beside = crate::journal::rescued(journal.path());
    std::fs::write(&beside, "").unwrap();
    wait_for(&mut client, &LinkStatus::Dead { watch_only: false });
    std::fs::remove_file(beside).unwrap();
    std::fs::remove_dir(&run).unwrap();
    wait_for(&mut client, &lost("its directory is no longer there"));
}

#[test]
fn a_run_counts_as_read_once_all_that_its_journal_holds_has_been_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("journal.jsonl")).unwrap();
    // One record finds no room until another has been taken.
    (0..CAPACITY as u64).for_each(|number| drop(journal.append(notice(number)).unwrap()));
    journal.append(ended()).unwrap();
    let mut client = attach(folder.path(), false).unwrap();
    let begin = Instant::now();
    while client.records.len() < CAPACITY {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "not all are sent"
        );
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(*client.status.borrow(), LinkStatus::Reading { percent: 0 });
    next(&mut client);
    wait_for(&mut client, &LinkStatus::Ended);
    assert_eq!(client.records.len(), CAPACITY);
}

#[test]
fn the_journal_of_an_unreachable_search_is_polled() {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path()).unwrap();
    let mut journal = Journal::create(&directory.journal_path()).unwrap();
    let mut client = attach(folder.path(), false).unwrap();
    let holder = lock_state(folder.path()).expect("it is locked");
    assert!(holder.starts_with("pid "), "{holder}");
    wait_for(&mut client, &LinkStatus::Journal { holder });
    journal.append(notice(1)).unwrap();
    assert_eq!(next(&mut client).seq, Some(1));
}

#[test]
fn a_lock_that_is_held_for_a_moment_does_not_bring_a_dead_run_to_life() {
    let holder = || Some("pid 1 on here".to_owned());
    let looks = std::cell::Cell::new(0);
    let for_a_moment = || {
        looks.set(looks.get() + 1);
        holder().filter(|_| looks.get() == 1)
    };
    assert_eq!(lasting_holder(true, for_a_moment), None);
    assert_eq!(lasting_holder(true, holder), holder());
    looks.set(0);
    assert_eq!(lasting_holder(false, for_a_moment), holder());
}

#[test]
fn a_note_is_not_lost_if_the_search_that_would_record_it_has_just_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    std::fs::write(folder.path().join("config.toml"), "# ours\n").unwrap();
    let mut journal = Journal::create(&path).unwrap();
    journal.append(ended()).unwrap();
    drop(journal);
    let (feed, _records) = Feed::open(&path).unwrap();
    let (stream, search) = UnixStream::pair().unwrap();
    drop(search);
    let (commands, inbox) = orders::queue();
    let text = "#keep".to_owned();
    commands.send(Command::Note { child: 1, text }).unwrap();
    drop(commands);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let line = Line(Arc::new(Mutex::new(Some(stream))));
    let alone = Alone {
        run: folder.path().to_owned(),
        watch: false,
        voice: feed.voice(),
    };
    pass_on(inbox, &runtime.unwrap(), &line, &alone);
    let last = crate::journal::read(&path).unwrap().pop().unwrap();
    assert!(matches!(last.event, Event::ChildNoted { child: 1, .. }));
}

#[test]
fn a_client_follows_a_run_from_one_search_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let directory = RunDirectory::create(folder.path()).unwrap();
    let mut journal = Journal::create(&path).unwrap();
    let (hub, mut inbox) = Hub::new(path.clone(), 0);
    let server = Server::start(hub.clone()).unwrap();
    let (mut client, mut watcher) = (
        attach(folder.path(), false).unwrap(),
        attach(folder.path(), true).unwrap(),
    );
    wait_for(&mut client, &LinkStatus::Live { watch_only: false });
    wait_for(&mut watcher, &LinkStatus::Live { watch_only: true });
    hub.publish(&journal.append(notice(1)).unwrap());
    assert_eq!(
        (next(&mut client).seq, next(&mut watcher).seq),
        (Some(1), Some(1))
    );
    client.commands.send(Command::Pause).unwrap();
    assert_eq!(inbox.wait(), Some(Command::Pause));
    hub.close();
    drop((server, hub, directory));
    wait_for(&mut client, &LinkStatus::Dead { watch_only: false });

    let (hub, mut inbox) = Hub::new(path, 1);
    let _server = Server::start(hub.clone()).unwrap();
    wait_for(&mut client, &LinkStatus::Live { watch_only: false });
    hub.publish(&journal.append(notice(2)).unwrap());
    assert_eq!(next(&mut client).seq, Some(2));
    client.commands.send(Command::Stop).unwrap();
    assert_eq!(inbox.wait(), Some(Command::Stop));
}

#[test]
fn a_damaged_journal_is_reported_and_ends_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("journal.jsonl"),
        "{\"v\":1,\"seq\":5}\n{}\n",
    )
    .unwrap();
    let mut client = attach(folder.path(), false).unwrap();
    assert!(matches!(
        &next(&mut client).event,
        Event::Notice {
            level: Level::Error,
            ..
        }
    ));
    assert!(client.records.blocking_recv().is_none());
    let place = "journal.jsonl, line 1".to_owned();
    assert_eq!(*client.status.borrow(), LinkStatus::Damaged { place });
}
