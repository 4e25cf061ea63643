//! Runs that do not go on: what is said of a damaged one, a stopped one, a completed one.

use super::*;
use nas_tui::event::{FinishReason, Level};

/// The recorded run after this record, without the records that `keeps` refuses; then `end`.
fn after(count: usize, keeps: impl Fn(&Event) -> bool, end: Event) -> App {
    let records = journal().into_iter().take(count);
    let mut records: Vec<Record> = records.filter(|record| keeps(&record.event)).collect();
    let last = records.last().unwrap();
    let end = Record {
        v: 1,
        seq: last.seq.map(|seq| seq + 1),
        time: last.time,
        event: end,
    };
    records.push(end);
    app_with(&records, Size::new(80, 24), plain())
}

fn ended(reason: FinishReason) -> Event {
    Event::RunFinished {
        reason,
        children: 0,
        epochs: None,
        wall_seconds: 1.0,
    }
}

fn told(app: &App) -> String {
    let message = app.view.message.as_ref();
    message.map_or_else(String::new, |message| message.text.clone())
}

/// Hours after the last record, someone looks at the run, and its journal proves to be damaged.
fn find_damage(app: &mut App, place: &str) {
    let event = Event::Notice {
        level: Level::Error,
        message: format!("runs/ap/{place}, column 7: the journal is damaged"),
    };
    app.take(&Record {
        v: 1,
        seq: None,
        time: "2026-11-30T00:00:00Z".parse().unwrap(),
        event,
    });
    let place = place.to_owned();
    app.take_link(LinkStatus::Damaged { place });
    app.refresh();
}

#[test]
fn a_run_with_a_damaged_journal_is_unreadable_and_has_worked_up_to_the_damage() {
    let mut app = running(120, 40);
    let worked = |app: &App| {
        let time = app.live.clock.seconds();
        format!("elapsed ≥ {}:{:02}", time as u64 / 60, time as u64 % 60)
    };
    let before = worked(&app);
    find_damage(&mut app, "journal.jsonl, line 414");
    let shown = text(&app);
    let first = shown.lines().next().unwrap();
    assert!(
        first.starts_with(" demo6  UNREADABLE journal.jsonl, line 414 ")
            && first.ends_with(&before),
        "{first}"
    );
    assert!(shown.contains("ERROR runs/ap/journal.jsonl"), "{shown}");
    assert!(
        shown.contains("become of them cannot be read") && !shown.contains("img/s"),
        "{shown}"
    );
    for key in ["e", "x", " "] {
        press(&mut app, key);
        assert_eq!(
            told(&app),
            "the journal is damaged (journal.jsonl, line 414): see the log"
        );
    }
    assert_eq!(press(&mut app, "q"), Effect::Leave(Leave::Finished));
}

#[test]
fn a_run_whose_folder_was_renamed_has_its_new_name() {
    let mut app = app_with(&journal(), Size::new(80, 24), plain());
    app.folder_name = Some("best-of-november".to_owned());
    let shown = text(&app);
    assert!(shown.starts_with(" best-of-november  "), "{shown}");
}

#[test]
fn a_run_of_which_nothing_can_be_read_has_the_name_of_its_folder() {
    let now = journal()[0].time;
    let mut app = App::new(&settings(plain()), TimeZone::UTC, Size::new(80, 24), now);
    app.folder_name = Some("ov".to_owned());
    find_damage(&mut app, "journal.jsonl, line 1");
    let shown = text(&app);
    let mut rows = shown.lines();
    let first = rows.next().unwrap();
    assert!(
        first.starts_with(" ov  UNREADABLE journal.jsonl, line 1 ")
            && first.ends_with("elapsed ≥ 0:00"),
        "{first}"
    );
    assert_eq!(
        rows.next(),
        Some(" nothing of the journal can be read: the log says why")
    );
}

#[test]
fn a_stopped_run_says_how_it_goes_on_and_a_completed_one_that_it_is_over() {
    let mut stopped = after(400, |_| true, ended(FinishReason::Stopped));
    stopped.resume_command = format!("nas-tui search --resume runs/{}", "night".repeat(9));
    stopped.take_link(LinkStatus::Ended);
    let mut completed = after(usize::MAX, |_| true, ended(FinishReason::Completed));
    completed.take_link(LinkStatus::Ended);
    for key in [" ", "e", "x"] {
        assert_eq!(press(&mut stopped, key), Effect::Draw);
        let all = format!(
            "the run is stopped; continue it with: {}",
            stopped.resume_command
        );
        assert_eq!(told(&stopped), all);
        let shown = text(&stopped);
        let rows: Vec<&str> = shown.lines().map(str::trim).collect();
        assert_eq!(rows[22..].join(" "), all, "{shown}");
        assert_eq!(press(&mut completed, key), Effect::Draw);
        assert_eq!(told(&completed), "the run is over");
    }
}

#[test]
fn a_stopped_run_has_one_count_of_children_in_its_header_and_in_its_panels() {
    // A child that was in training when a later one had ended.
    let others = |event: &Event| !matches!(event, Event::ChildFinished(child) if child.child == 5);
    let mut app = after(400, others, ended(FinishReason::Stopped));
    app.take_link(LinkStatus::Ended);
    let count = app.live.search().outcomes.counts.sampled;
    press(&mut app, "4");
    app.view.size = Size::new(120, 40);
    let shown = text(&app);
    for part in [
        format!("child {count}/96"),
        format!("run stopped  children {count} "),
    ] {
        assert!(shown.contains(&part), "{part}:\n{shown}");
    }
}
