//! Runs that have ended or are replayed, and earlier moments of a run.

use super::*;

#[test]
fn a_run_whose_process_died_is_shown_as_dead_in_every_panel_with_the_command_to_continue_it() {
    let mut app = running(120, 40);
    app.take_link(LinkStatus::Dead { watch_only: false });
    let text = text(&app);
    assert!(
        text.contains("DEAD resume it") && text.contains("not in training:"),
        "{text}"
    );
    assert!(
        !text.contains(" left 10 s") && !text.contains("img/s"),
        "it looks as if it were trained:\n{text}"
    );
    assert!(
        text.contains("elapsed ≥ "),
        "nobody knows how long:\n{text}"
    );
    app.view.size = Size::new(30, 8);
    assert!(self::text(&app).starts_with("DEAD"), "{}", self::text(&app));
    app.view.size = Size::new(120, 40);
    press(&mut app, "e");
    assert!(
        app.view
            .message
            .as_ref()
            .is_some_and(|message| message.text.contains("search --resume RUN"))
    );
    press(&mut app, "\n");
    let inspected = self::text(&app);
    assert!(
        inspected.contains("no longer in training") && !inspected.contains("in training on"),
        "{inspected}"
    );
    press(&mut app, "\x1b");
    press(&mut app, "q");
    let offered = self::text(&app);
    assert!(
        offered.contains("The process of this search is gone")
            && offered.contains("yes: resume it here"),
        "{offered}"
    );
    assert_eq!(press(&mut app, "d"), Effect::Leave(Leave::Closed));
    press(&mut app, "q");
    assert_eq!(press(&mut app, "y"), Effect::Leave(Leave::Resume));
}

#[test]
fn a_dead_run_whose_files_are_gone_offers_no_way_to_continue_it() {
    let mut app = running(120, 40);
    let what = "its directory is no longer there".to_owned();
    app.take_link(LinkStatus::Lost { what });
    let shown = text(&app);
    assert!(
        shown.contains("DEAD files lost") && !shown.contains("resume"),
        "{shown}"
    );
    press(&mut app, "e");
    let refusal = app.view.message.as_ref().unwrap().text.clone();
    assert!(
        refusal.contains("no longer there: it cannot be continued"),
        "{refusal}"
    );
    assert_eq!(press(&mut app, "q"), Effect::Leave(Leave::Closed));
}

#[test]
fn a_replay_at_its_end_says_so_and_how_to_continue() {
    let mut app = running(80, 24);
    app.take_link(LinkStatus::Replay {
        speed: 8.0,
        paused: false,
        ended: true,
    });
    let shown = text(&app);
    assert!(
        shown.contains("REPLAY ENDED")
            && !shown.contains("Space pause")
            && !shown.contains("left 10 s"),
        "{shown}"
    );
    assert_eq!(
        press(&mut app, " "),
        Effect::Draw,
        "there is nothing to pause"
    );
    assert!(
        text(&app).contains(
            "the replay has ended: [ and ] step through it, nas-tui replay plays it again"
        ),
        "{}",
        text(&app)
    );
    assert!(app.stands_still());
}

#[test]
fn earlier_moments_are_stepped_through_and_end_returns_to_the_present() {
    let records = journal();
    let mut app = app_with(half(&records), Size::new(80, 24), plain());
    press(&mut app, "[");
    let Some(Wanted::State { seq }) = app.wanted() else {
        panic!("the journal is asked for the moment")
    };
    let mut state = RunState::default();
    records
        .iter()
        .take_while(|record| record.seq <= Some(seq))
        .for_each(|record| state.apply(record));
    app.take_past(Past {
        seq,
        state: Box::new(state),
    });
    let past = text(&app);
    assert!(
        past.contains("AFTER EPISODE 3") && past.contains("ep. 3/6"),
        "{past}"
    );
    app.key(&key(KeyCode::End));
    assert!(text(&app).contains("ep. 4/6"));
}

#[test]
fn the_screen_says_why_there_is_no_earlier_or_later_moment() {
    let records = journal();
    let is_start = |record: &Record| matches!(record.event, Event::ChildStarted { .. });
    let first = records
        .iter()
        .position(is_start)
        .expect("a child is trained");
    let mut app = app_with(&records[..=first], Size::new(80, 24), plain());
    press(&mut app, "[");
    assert!(
        text(&app).contains("no episode has finished yet"),
        "{}",
        text(&app)
    );
    press(&mut app, "]");
    assert!(text(&app).contains("this is the present"), "{}", text(&app));
    let mut app = running(80, 24);
    press(&mut app, "[[[[[");
    assert!(
        text(&app).contains("this is the end of the first episode"),
        "{}",
        text(&app)
    );
}

#[test]
fn a_child_of_a_later_moment_is_not_shown_at_an_earlier_one() {
    let records = journal();
    let mut app = app_with(half(&records), Size::new(80, 24), plain());
    let last = app
        .live
        .search()
        .children
        .last()
        .expect("children have ended")
        .child;
    assert!(app.detail(last).is_some());
    press(&mut app, "[[");
    let Some(Wanted::State { seq }) = app.wanted() else {
        panic!("the journal is asked for the moment")
    };
    let mut state = RunState::default();
    records
        .iter()
        .take_while(|record| record.seq <= Some(seq))
        .for_each(|record| state.apply(record));
    app.take_past(Past {
        seq,
        state: Box::new(state),
    });
    app.view.chosen = Some(last);
    assert_eq!(app.detail(last), None);
    assert!(app.shown_child() < Some(last));
    press(&mut app, "b");
    let inspected = app
        .view
        .inspector
        .as_ref()
        .map(|inspector| inspector.child());
    assert!(
        inspected < Some(last)
            && app
                .state()
                .search()
                .children
                .iter()
                .all(|row| row.episode <= 2),
        "{inspected:?}"
    );
}

#[test]
fn notices_of_the_screen_itself_do_not_count_as_working_time() {
    let mut app = running(80, 24);
    let worked = app.live.clock.seconds();
    app.note(
        nas_tui::event::Level::Warning,
        "nobody works on it".to_owned(),
        app.view.now + jiff::SignedDuration::from_secs(600),
    );
    assert_eq!(app.live.clock.seconds(), worked);
}

#[test]
fn stepping_past_the_last_sampled_child_follows_the_training_and_skips_unused_numbers() {
    let mut app = app_with(&journal(), Size::new(80, 24), plain());
    let edited = nas_tui::state::ChildRow {
        child: 97 + 3,
        parent: Some(1),
        ..app.live.search().children[0].clone()
    };
    app.live.search_mut().unwrap().children.push(edited);
    app.view.chosen = Some(96);
    press(&mut app, "4l");
    assert_eq!(app.shown_child(), Some(100));
    press(&mut app, "h");
    assert_eq!(app.shown_child(), Some(96));
}

#[test]
fn a_run_whose_journal_is_still_being_read_is_not_called_running_and_takes_no_command() {
    let mut app = running(80, 24);
    app.take_link(LinkStatus::Reading { percent: 43 });
    let shown = text(&app);
    assert!(
        shown.contains("READING 43 %") && !shown.contains("RUNNING"),
        "{shown}"
    );
    let header = shown.lines().next().unwrap();
    assert_eq!(header.matches('%').count(), 1, "no second share: {header}");
    assert_eq!(press(&mut app, " "), Effect::Draw);
    let message = app.view.message.as_ref().expect("the key is answered");
    assert_eq!(message.text, "the journal is still being read");
    assert_eq!(press(&mut app, "q"), Effect::Leave(Leave::Detached));
    app.take_link(LinkStatus::Live { watch_only: false });
    assert!(text(&app).contains("RUNNING"));
}

#[test]
fn choices_that_were_left_out_of_a_long_journal_are_read_for_the_child_that_is_shown() {
    let mut records = half(&journal()).to_vec();
    for record in &mut records {
        if let Event::ChildSampled(sampled) = &mut record.event {
            sampled.choices.clear();
        }
    }
    let mut app = app_with(&records, Size::new(120, 40), plain());
    let child = app.shown_child().expect("a child is in training");
    let Some(Wanted::Child {
        child: wanted,
        sampled_seq,
        ended_seq: None,
    }) = app.wanted()
    else {
        panic!("{:?}", app.wanted())
    };
    assert!(wanted == child && app.detail(child).is_none());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl");
    let mut archive = nas_tui::journal::Archive::open(&path).unwrap();
    let read = archive.child(child, sampled_seq, None).unwrap().unwrap();
    app.take_detail(read.clone());
    assert_eq!(app.wanted(), None);
    let detail = app.detail(child).unwrap();
    assert_eq!(detail.candidate, read.candidate);
    assert!(
        detail.epochs.len() < read.epochs.len(),
        "only what has happened so far"
    );
}
