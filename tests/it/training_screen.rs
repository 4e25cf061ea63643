//! The screen of a run that trains one network: all of it, each panel, any keys at any size.

mod averaged;
mod begun;
mod keys;
mod room;
mod stages;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use nas_tui::event::{Event, Record};
use nas_tui::link::{Command, LinkStatus};
use nas_tui::state::RunState;
use nas_tui::tui::PanelId;
use nas_tui::tui::app::{App, Effect, Past, Wanted};
use nas_tui::tui::theme::ColourDepth;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use crate::example_training as example;
use crate::screen::{SIZES, Step, app_with, draw, live_through, plain, press, step, text, theme};

fn app(events: &[Event], width: u16, height: u16) -> App {
    app_with(&example::records(events), Size::new(width, height), plain())
}

/// In the 19th epoch, after one reduction of the learning rate.
fn running(width: u16, height: u16) -> App {
    let events = [example::running(18), vec![example::progress(18)]];
    app(&events.concat(), width, height)
}

fn finished(width: u16, height: u16) -> App {
    app(&example::finished(), width, height)
}

/// Focus a panel and maximise it.
fn maximise(app: &mut App, panel: PanelId) {
    app.view.focus = panel;
    app.view.maximised = true;
}

#[test]
fn the_screen_of_a_training() {
    for (width, height) in SIZES.into_iter().chain([(60, 15), (60, 40), (100, 30)]) {
        assert_snapshot!(
            format!("training_running_{width}x{height}"),
            text(&running(width, height))
        );
        assert_snapshot!(
            format!("training_finished_{width}x{height}"),
            text(&finished(width, height))
        );
    }
}

#[test]
fn each_panel_of_a_training_alone() {
    for (width, height) in SIZES {
        for panel in [
            PanelId("curves"),
            PanelId("progress"),
            PanelId("network"),
            PanelId("layers"),
            PanelId("test"),
        ] {
            let name = panel.0;
            let mut app = running(width, height);
            maximise(&mut app, panel);
            assert_snapshot!(format!("training_{name}_{width}x{height}"), text(&app));
        }
        let mut app = finished(width, height);
        maximise(&mut app, PanelId("test"));
        assert_snapshot!(format!("training_tested_{width}x{height}"), text(&app));
    }
}

#[test]
fn a_training_before_its_first_epoch() {
    assert_snapshot!(
        "training_started_80x24",
        text(&app(&example::running(0), 80, 24))
    );
}

#[test]
fn a_training_without_a_test_says_that_the_test_images_are_not_used() {
    let mut events = example::running(18);
    for event in &mut events {
        if let Event::TrainingStarted(started) = event {
            started.without_test = true;
        }
    }
    let mut app = app(&events, 120, 40);
    let header = text(&app);
    assert!(header.contains("test images not used"), "{header}");
    maximise(&mut app, PanelId("test"));
    let panel = text(&app);
    assert!(panel.contains("Test images not used: "), "{panel}");
}

#[test]
fn a_training_whose_process_is_gone_shows_how_to_continue_it() {
    let mut app = running(80, 24);
    app.resume_command = "nas-tui train --resume RUN".to_owned();
    app.take_link(LinkStatus::Dead { watch_only: false });
    assert_snapshot!("training_dead_80x24", text(&app));
    press(&mut app, " ");
    assert!(
        text(&app).contains("nas-tui train --resume"),
        "{}",
        text(&app)
    );
}

#[test]
fn a_training_on_an_ascii_terminal_without_colour_is_drawn_in_ascii() {
    let ascii = theme(ColourDepth::None, true);
    for (name, events) in [
        ("running", example::running(18)),
        ("finished", example::finished()),
    ] {
        let mut app = app_with(&example::records(&events), Size::new(80, 24), ascii);
        for panel in PanelId::of(app.kind()) {
            maximise(&mut app, panel);
            assert!(text(&app).is_ascii(), "{}", text(&app));
        }
        app.view.maximised = false;
        app.view.focus = PanelId("curves");
        let frame = draw(&app);
        assert!(
            frame
                .content
                .iter()
                .all(|cell| cell.fg == ratatui::style::Color::Reset
                    && cell.bg == ratatui::style::Color::Reset)
        );
        assert_snapshot!(format!("training_ascii_{name}_80x24"), text(&app));
    }
}

#[test]
fn the_matrix_can_be_shown_in_percent() {
    let mut app = finished(80, 40);
    maximise(&mut app, PanelId("test"));
    press(&mut app, "v");
    assert_snapshot!("training_percent_80x40", text(&app));
}

#[test]
fn the_crosshair_of_the_curves_has_the_exact_values_of_an_epoch() {
    let mut app = finished(120, 40);
    press(&mut app, "fl");
    let last = example::epoch(example::EPOCHS);
    let text = text(&app);
    let exact = format!(
        "epoch {}  loss {:.4} valid.  {:.4} train",
        example::EPOCHS,
        last.valid_loss,
        last.train_loss
    );
    assert!(text.contains(&exact), "{text}");
    assert_snapshot!("training_crosshair_120x40", text);
    press(&mut app, "\x1b");
    assert!(
        app.view.maximised && !text_of_title(&app).contains("valid."),
        "Esc takes the crosshair away first"
    );
}

#[test]
fn the_crosshair_has_values_where_the_title_has_no_room_for_them() {
    let mut app = finished(80, 24);
    press(&mut app, "l");
    let last = example::epoch(example::EPOCHS);
    let text = text(&app);
    let exact = format!(
        "{:.2} % valid.  {:.2} % train",
        last.valid_accuracy * 100.0,
        last.train_accuracy * 100.0
    );
    assert!(text.contains(&exact), "{text}");
    assert_snapshot!("training_crosshair_80x24", text);
}

fn text_of_title(app: &App) -> String {
    text(app).lines().nth(3).unwrap_or_default().to_owned()
}

#[test]
fn accuracy_and_loss_alternate_if_only_one_fits_and_the_loss_has_a_logarithmic_scale() {
    let mut app = running(80, 24);
    assert!(text(&app).contains("Curves: accuracy"));
    press(&mut app, "a");
    assert!(text(&app).contains("Curves: loss "));
    press(&mut app, "o");
    assert!(text(&app).contains("Curves: loss (log)"));
}

#[test]
fn tab_goes_through_the_panels_of_a_training_and_no_others() {
    let mut app = running(80, 24);
    let mut seen = vec![app.view.focus];
    for _ in 1..PanelId::of(app.kind()).len() {
        press(&mut app, "\t");
        seen.push(app.view.focus);
    }
    assert_eq!(seen, PanelId::of(app.kind()));
    press(&mut app, "\t");
    assert_eq!(app.view.focus, PanelId("curves"));
}

#[test]
fn keys_of_a_search_say_that_they_are_not_for_a_training() {
    for key in ["x", "e", "b", "\n", "y"] {
        let mut app = running(80, 24);
        press(&mut app, key);
        assert!(
            text(&app).contains("this is no search, where"),
            "{key:?}: {}",
            text(&app)
        );
        assert!(app.view.inspector.is_none() && app.view.question.is_none());
    }
}

#[test]
fn a_click_on_the_curves_reads_the_values_of_an_epoch_and_one_on_the_network_selects_a_layer() {
    let mut app = running(120, 40);
    let press = |app: &mut App, column, row| {
        let targets = app.draw(&mut Buffer::empty(Rect::from(app.view.size)));
        let kind = MouseEventKind::Down(MouseButton::Left);
        let modifiers = KeyModifiers::NONE;
        let event = MouseEvent {
            kind,
            column,
            row,
            modifiers,
        };
        app.mouse(&event, &targets);
    };
    maximise(&mut app, PanelId("curves"));
    press(&mut app, 10, 12);
    assert!(
        text(&app).contains("Curves ") && text(&app).contains("epoch 2  "),
        "{}",
        text(&app)
    );
    maximise(&mut app, PanelId("network"));
    let before = text(&app);
    press(&mut app, 40, 12);
    assert_ne!(text(&app), before);
}

#[test]
fn the_help_of_a_training_has_no_key_of_a_search() {
    let mut app = running(120, 100);
    press(&mut app, "?");
    let text = text(&app);
    assert!(
        text.contains("curves: zoom in") && text.contains("one epoch later"),
        "{text}"
    );
    assert!(
        !text.contains("child") && !text.contains("episode") && !text.contains("inspector"),
        "{text}"
    );
}

#[test]
fn nothing_on_the_screen_of_a_training_mentions_a_search() {
    let keys = [
        "", "?", "?\x06", "q", " ", "/", "6/", "1", "2", "3", "4", "5", "6",
    ];
    for (width, height) in SIZES {
        for keys in keys {
            let mut apps = [
                running(width, height),
                finished(width, height),
                app(&example::running(0), width, height),
            ];
            apps.iter_mut().for_each(|app| drop(press(app, keys)));
            for app in &apps {
                assert!(
                    !text(app).to_lowercase().contains("search"),
                    "{keys:?}: {}",
                    text(app)
                );
            }
        }
        let mut app = running(width, height);
        app.resume_command = "nas-tui train --resume RUN".to_owned();
        let dead = LinkStatus::Dead { watch_only: false };
        for link in [
            LinkStatus::Live { watch_only: false },
            LinkStatus::Journal {
                holder: "host".to_owned(),
            },
            dead,
        ] {
            let words = app.words_of(&link).unwrap();
            assert!(
                words.contains("train") && !words.contains("search"),
                "{words}"
            );
            app.take_link(link);
            assert!(!text(&app).contains("search"), "{}", text(&app));
        }
    }
}

#[test]
fn space_pauses_a_training_and_leaving_says_that_it_continues() {
    let mut app = running(80, 24);
    assert_eq!(press(&mut app, " "), Effect::Send(Command::Pause));
    press(&mut app, "q");
    assert_snapshot!("training_leave_80x24", text(&app));
    assert_eq!(press(&mut app, "s"), Effect::Send(Command::Stop));
}

#[test]
fn one_can_step_through_a_training_by_epochs() {
    let records = example::records(&example::running(18));
    let mut app = app_with(&records, Size::new(80, 24), plain());
    press(&mut app, "[[");
    assert!(text(&app).contains("AFTER EPOCH 17"), "{}", text(&app));
    let seq = records
        .iter()
        .filter(|record| matches!(record.event, Event::TrainingEpoch(_)))
        .nth(16)
        .and_then(|record| record.seq);
    assert_eq!(app.wanted(), seq.map(|seq| Wanted::State { seq }));
    let mut state = Box::new(RunState::default());
    let seq = seq.unwrap();
    records[..seq as usize]
        .iter()
        .for_each(|record| state.apply(record));
    app.take_past(Past { seq, state });
    let shown = text(&app);
    assert!(
        shown.lines().nth(1).unwrap().contains("epoch 17/"),
        "{shown}"
    );
}

#[test]
fn a_new_best_epoch_and_the_end_alert_the_user() {
    let mut app = app(&example::running(1), 80, 24);
    let mut records = example::records(&example::finished());
    let opened = app.view.now;
    records
        .iter_mut()
        .for_each(|record| record.time = opened + jiff::SignedDuration::from_secs(1));
    records
        .iter()
        .filter(|record| !is_known(record))
        .for_each(|record| app.take(record));
    let alerts: Vec<String> = std::iter::from_fn(|| app.next_alert())
        .map(|alert| alert.0)
        .collect();
    assert!(
        alerts
            .iter()
            .any(|alert| alert.starts_with("new best epoch 22: validation accuracy")),
        "{alerts:?}"
    );
    assert!(
        !alerts.iter().any(|alert| alert.contains("best epoch 24")),
        "{alerts:?}"
    );
    assert_eq!(
        alerts.last().map(String::as_str),
        Some("the run is over: COMPLETED")
    );
}

/// Whether `running(1)` already contains it.
fn is_known(record: &Record) -> bool {
    matches!(&record.event, Event::TrainingStarted(_))
        || matches!(&record.event, Event::TrainingEpoch(epoch) if epoch.epoch == 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_at_any_size_ever_panic_in_a_training(
        steps in proptest::collection::vec(step(), 0..40), ascii: bool, depth in 0usize..4, cut in 0usize..70,
    ) {
        let depth = [ColourDepth::None, ColourDepth::Sixteen, ColourDepth::Indexed, ColourDepth::True][depth];
        let mut events = example::finished();
        // A tick anywhere, and epochs that a resumed session voids.
        events.insert(cut.min(events.len()), example::progress(5));
        let resumed = Event::RunResumed { host: "h".into(), pid: 1, version: "0".into(), next_child: None, epoch: Some(cut / 2), micro_batch: None };
        events.insert(cut.min(events.len()), resumed);
        let first: Vec<Step> = vec![Step::Resize(80, 24), Step::Records(cut)];
        live_through(&example::records(&events), [first, steps].concat(), theme(depth, ascii));
    }
}
