//! Pausing, stopping, skipping and leaving: the commands sent, and what the screen shows.

use super::*;

#[test]
fn space_requests_a_pause_which_is_shown_only_once_the_search_confirms_it() {
    let mut app = running(80, 24);
    assert_eq!(press(&mut app, " "), Effect::Send(Command::Pause));
    assert!(text(&app).contains("RUNNING"));
    let say = |app: &mut App, event| {
        app.take(&Record {
            v: 1,
            seq: None,
            time: app.view.now,
            event,
        })
    };
    say(&mut app, Event::PauseRequested);
    assert!(text(&app).contains("PAUSING"));
    say(&mut app, Event::Paused);
    assert!(text(&app).contains("PAUSED"));
    assert_eq!(press(&mut app, " "), Effect::Send(Command::Resume));
}

#[test]
fn a_run_that_cannot_save_is_blocked_with_its_reason_at_every_size_until_it_can() {
    for (width, height) in [(40, 10), (60, 15), (80, 24), (200, 50)] {
        let mut app = running(width, height);
        let mut say = |seq, event| {
            app.take(&Record {
                v: 1,
                seq,
                time: app.view.now,
                event,
            });
            app.refresh();
            text(&app)
        };
        let tick = Event::StorageBlocked {
            after: 1_000_000,
            reason: "the disk is full".into(),
        };
        let shown = say(None, tick);
        assert!(
            shown.contains("BLOCKED") && shown.contains("cannot save: the disk is full"),
            "{shown}"
        );
        let shown = say(Some(1_000_001), Event::Resumed);
        assert!(
            shown.contains("RUNNING") && !shown.contains("cannot save"),
            "{shown}"
        );
        assert!(app.next_alert().is_some());
    }
}

#[test]
fn leaving_a_blocked_run_says_what_a_stop_would_lose() {
    let mut app = running(80, 24);
    press(&mut app, "q");
    assert!(text(&app).contains("stop after a checkpoint"));
    let time = app.view.now;
    app.take(&Record {
        v: 1,
        seq: None,
        time,
        event: Event::StorageBlocked {
            after: 1_000_000,
            reason: "the disk is full".into(),
        },
    });
    app.refresh();
    let shown = text(&app);
    assert!(
        shown.contains("stop now: what cannot be saved is lost"),
        "{shown}"
    );
}

#[test]
fn quitting_a_running_search_asks_first_and_cancel_returns() {
    let mut app = running(80, 24);
    for keys in ["qc", "q\x1b", "qq", "q\n"] {
        assert_eq!(press(&mut app, keys), Effect::Draw, "{keys:?}");
        assert!(!text(&app).contains("Leave the screen?"), "{keys:?}");
    }
}

#[test]
fn the_screen_closes_once_the_requested_stop_has_happened() {
    let mut app = running(80, 24);
    assert_eq!(press(&mut app, "qs"), Effect::Send(Command::Stop));
    assert_eq!(app.done(), None);
    let time = app.view.now;
    app.take(&Record {
        v: 1,
        seq: None,
        time,
        event: Event::StopRequested,
    });
    assert!(text(&app).contains("STOPPING"));
    let event = Event::RunFinished {
        reason: nas_tui::event::FinishReason::Stopped,
        children: 1,
        epochs: None,
        wall_seconds: 1.0,
    };
    app.take(&Record {
        v: 1,
        seq: None,
        time,
        event,
    });
    assert_eq!(app.done(), Some(Leave::Stopped));
}

#[test]
fn the_screen_can_be_left_while_the_search_continues_or_stops() {
    for before in ["", "qs"] {
        let mut app = running(80, 24);
        press(&mut app, before);
        assert_eq!(press(&mut app, "qd"), Effect::Leave(Leave::Detached));
    }
}

#[test]
fn a_screen_that_only_watches_cannot_steer_and_says_so() {
    let far = LinkStatus::Journal {
        holder: "pid 1 on far".to_owned(),
    };
    for link in [
        LinkStatus::Live { watch_only: true },
        far,
        LinkStatus::Dead { watch_only: true },
    ] {
        let mut app = running(80, 24);
        app.take_link(link);
        assert_eq!(press(&mut app, " "), Effect::Draw);
        assert!(app.view.message.is_some());
        assert!(
            matches!(press(&mut app, "q"), Effect::Leave(_)),
            "there is nothing to ask"
        );
    }
}

#[test]
fn a_child_is_skipped_only_after_a_yes() {
    let mut app = running(80, 24);
    let child = app.shown_child().expect("a child is in training");
    assert_eq!(press(&mut app, "x\n"), Effect::Draw);
    assert_eq!(press(&mut app, "xy"), Effect::Send(Command::Skip { child }));
    assert_eq!(
        press(&mut app, "hhhhhhhhx"),
        Effect::Draw,
        "a child that has ended cannot be skipped"
    );
    assert!(app.view.message.is_some());
}

#[test]
fn the_question_about_a_skip_says_what_happens_to_a_child_without_an_epoch() {
    let asked = |records: &[Record]| {
        let mut app = app_with(records, Size::new(80, 24), plain());
        press(&mut app, "x");
        text(&app)
    };
    let records = journal();
    assert!(
        asked(half(&records)).contains("yes: its epochs so far count"),
        "{}",
        asked(half(&records))
    );
    let started = records
        .iter()
        .position(|record| matches!(record.event, Event::ChildStarted { .. }))
        .unwrap();
    let early = asked(&records[..=started]);
    assert!(
        early.contains("yes: no epoch has ended; it is excluded, nothing is learned from it"),
        "{early}"
    );
}

#[test]
fn the_stop_after_the_episode_is_requested_shown_and_withdrawn() {
    let mut app = running(80, 24);
    assert_eq!(press(&mut app, "e"), Effect::Draw);
    let asked = text(&app);
    assert!(asked.contains("Stop after episode 4?"), "{asked}");
    assert_eq!(
        press(&mut app, "y"),
        Effect::Send(Command::StopAfterEpisode)
    );
    let time = app.view.now;
    app.take(&Record {
        v: 1,
        seq: None,
        time,
        event: Event::EpisodeStopRequested,
    });
    assert!(
        text(&app).contains("stops after episode 4"),
        "{}",
        text(&app)
    );
    press(&mut app, "[");
    let earlier = text(&app);
    assert!(
        earlier.contains("AFTER EPISODE 3") && earlier.contains("stops after episode 4"),
        "{earlier}"
    );
    press(&mut app, "]");
    press(&mut app, "e");
    assert!(text(&app).contains("Go on after episode 4?"));
    assert_eq!(
        press(&mut app, "y"),
        Effect::Send(Command::GoOnAfterEpisode)
    );
}

#[test]
fn typing_on_after_a_line_has_closed_sends_no_command_that_cannot_be_taken_back() {
    let typed = "acc>0.8 & episode<3 & child>17 & entropy<20 & energy>1 | best & marked & excluded";
    let mut app = running(80, 24);
    press(&mut app, "/depth>2\n");
    for letter in typed.chars() {
        match press(&mut app, &letter.to_string()) {
            // The space bar pauses, and the footer says that it resumes.
            Effect::Send(command) => assert_eq!(command, Command::Pause),
            Effect::Leave(leave) => panic!("{letter:?} left the screen: {leave:?}"),
            _ => {}
        }
    }
}

#[test]
fn the_dna_says_how_to_leave_a_chosen_child() {
    let mut app = running(80, 24);
    assert!(text(&app).contains("DNA child 58 ←→"), "{}", text(&app));
    press(&mut app, "3j1");
    let chosen = text(&app);
    assert!(chosen.contains("DNA child 11 · Esc: live "), "{chosen}");
    app.view.size = Size::new(200, 50);
    app.view.maximised = true;
    app.view.focus = nas_tui::tui::PanelId("dna");
    let wide = text(&app);
    assert!(wide.contains("has ended · Esc: the live one "), "{wide}");
    (app.view.size, app.view.maximised) = (Size::new(80, 24), false);
    press(&mut app, "\x1b");
    assert!(text(&app).contains("DNA child 58 ←→"), "{}", text(&app));
}

#[test]
fn a_queued_child_stands_in_the_header_until_a_worker_has_it() {
    let records = journal();
    let mut app = running(80, 24);
    let sampled = records.iter().find_map(|record| match &record.event {
        Event::ChildSampled(sampled) => Some(sampled.clone()),
        _ => None,
    });
    let sampled = sampled.expect("a child");
    let queued = nas_tui::event::ChildQueued {
        child: 97,
        parent: sampled.child,
        episode: 4,
        dna: sampled.dna.clone(),
        design: sampled.design.clone(),
        params: sampled.params,
        macs: sampled.macs,
    };
    let mut say = |event| {
        app.take(&Record {
            v: 1,
            seq: Some(1_000_000),
            time: app.view.now,
            event,
        });
        text(&app).lines().nth(1).unwrap_or_default().to_owned()
    };
    let second = say(Event::ChildQueued(queued));
    assert!(
        second.contains("child 97 queued") && second.contains("best"),
        "{second}"
    );
}

#[test]
fn the_remedy_for_a_full_disk_can_be_read_at_80_columns() {
    let shown = |reason: &str| {
        let mut app = running(80, 24);
        let event = Event::StorageBlocked {
            after: 1_000_000,
            reason: reason.into(),
        };
        app.take(&Record {
            v: 1,
            seq: None,
            time: app.view.now,
            event,
        });
        app.refresh();
        text(&app)
    };
    let full = shown(
        "cannot write journal.jsonl: No space left on device (os error 28); free some disk space",
    );
    let second = full.lines().nth(1).unwrap_or_default().trim();
    assert_eq!(
        second,
        "cannot write journal.jsonl: No space left on device; free some disk space"
    );
    let limit = shown(
        "cannot write checkpoint/checkpoint.json: File too large (os error 27); raise the file size limit of 1000000 bytes \
         (ulimit -f; prlimit --fsize=unlimited --pid 4242)",
    );
    let rows: Vec<&str> = limit.lines().skip(1).take(3).map(str::trim).collect();
    assert!(
        rows.join(" ")
            .contains("prlimit --fsize=unlimited --pid 4242)"),
        "{limit}"
    );
}

#[test]
fn the_screen_alerts_the_user_to_what_happens_while_it_is_open() {
    let records = journal();
    let mut app = app_with(half(&records), Size::new(80, 24), plain());
    assert_eq!(app.next_alert(), None, "what happened before is old news");
    records[half(&records).len()..]
        .iter()
        .for_each(|record| app.take(record));
    let alerts: Vec<String> = std::iter::from_fn(|| app.next_alert())
        .map(|alert| alert.0)
        .collect();
    assert!(
        alerts
            .last()
            .is_some_and(|alert| alert == "the run is over: COMPLETED"),
        "{alerts:?}"
    );
}

#[test]
fn a_finished_run_is_left_at_once() {
    let mut app = app_with(&journal(), Size::new(80, 24), plain());
    assert!(app.live.status.is_over());
    assert_eq!(app.done(), None);
    assert_eq!(press(&mut app, "q"), Effect::Leave(Leave::Finished));
}

#[test]
fn an_open_question_follows_the_run_to_its_end() {
    let ask = |keys: &str| {
        let mut app = running(80, 24);
        press(&mut app, keys);
        app
    };
    let mut app = ask("q\t");
    app.take_link(LinkStatus::Dead { watch_only: false });
    let shown = text(&app);
    assert!(
        shown.contains("The process of this search is gone") && !shown.contains("goes on"),
        "{shown}"
    );
    assert_eq!(press(&mut app, "s"), Effect::Nothing, "nobody could stop");
    assert_eq!(press(&mut app, "y"), Effect::Leave(Leave::Resume));
    let mut app = ask("q");
    app.take_link(LinkStatus::Dead { watch_only: true });
    assert_eq!(press(&mut app, "y"), Effect::Nothing, "it only watches");
    assert_eq!(press(&mut app, "d"), Effect::Leave(Leave::Closed));
    let mut app = ask("x");
    app.take_link(LinkStatus::Dead { watch_only: false });
    assert!(
        text(&app).contains("is no longer in training"),
        "{}",
        text(&app)
    );
    assert_eq!(press(&mut app, "y"), Effect::Nothing);
}
