//! The screen of a training in stages: which one it is in, where the sizes change, what is comparable.

use nas_tui::event::{Measured, Measuring};

use super::*;

fn in_stages(epochs: usize, width: u16, height: u16) -> App {
    let events = [example::in_stages(epochs), vec![example::progress(epochs)]].concat();
    app(&events, width, height)
}

#[test]
fn a_training_in_stages_shows_its_plan_and_where_the_sizes_change() {
    for (width, height) in [(80, 24), (120, 40)] {
        for epochs in [13, 25] {
            let name = format!("training_stages_{epochs}_{width}x{height}");
            assert_snapshot!(name, text(&in_stages(epochs, width, height)));
        }
    }
    let mut app = in_stages(25, 80, 24);
    maximise(&mut app, PanelId("progress"));
    assert_snapshot!("training_stages_progress_80x24", text(&app));
}

#[test]
fn before_the_last_size_there_is_no_best_epoch_and_the_time_left_is_an_extrapolation() {
    let before = text(&in_stages(13, 120, 40));
    assert!(
        before.contains("stage 2/3")
            && before.contains("best validation accuracy from epoch 21 on")
            && before.contains("time left: extrapolated from 24×24 by MACs"),
        "{before}"
    );
    let after = text(&in_stages(25, 120, 40));
    assert!(
        after.contains("stage 3/3")
            && after.contains("(epoch 2")
            && !after.contains("extrapolated"),
        "{after}"
    );
}

#[test]
fn header_and_panel_tell_the_same_share_of_the_time() {
    let screen = text(&in_stages(13, 120, 40));
    let percent = |line: &str| {
        let (before, _) = line.split_once(" %")?;
        before.split_whitespace().last().map(str::to_owned)
    };
    let header = screen.lines().next().and_then(percent);
    let of_time = screen.lines().find(|line| line.contains(" of the time"));
    let of_time = of_time.unwrap_or_else(|| panic!("{screen}"));
    let (_, panel) = of_time.split_once("of 28").unwrap();
    assert_eq!(header, percent(panel), "{screen}");
    assert!(panel.contains("% of the time, ≈ "), "{panel}");
}

#[test]
fn at_an_earlier_epoch_nothing_is_said_of_a_time_left_that_is_not_shown() {
    let records = example::records(&example::in_stages(13));
    let mut app = app_with(&records, Size::new(120, 40), plain());
    press(&mut app, "[");
    let Some(Wanted::State { seq }) = app.wanted() else {
        panic!("no earlier moment is wanted");
    };
    let mut state = Box::new(RunState::default());
    let until = records.iter().take(seq as usize);
    until.for_each(|record| state.apply(record));
    app.take_past(Past { seq, state });
    let shown = text(&app);
    assert!(shown.contains("AFTER EPOCH"), "{shown}");
    assert!(shown.contains("stage 2/3"), "{shown}");
    assert!(
        !shown.contains("time left") && !shown.contains("≈"),
        "{shown}"
    );
}

#[test]
fn stages_on_an_ascii_terminal_are_drawn_in_ascii() {
    let records = example::records(&example::in_stages(25));
    let app = app_with(&records, Size::new(80, 24), theme(ColourDepth::None, true));
    assert!(text(&app).is_ascii(), "{}", text(&app));
    assert_snapshot!("training_stages_ascii_80x24", text(&app));
}

#[test]
fn what_is_measured_between_the_steps_is_shown_with_its_images() {
    let measured = [
        (Measured::Validation, "validating", 24),
        (Measured::Statistics, "batch norm", 24),
        (Measured::Test, "test images", 28),
        (Measured::MirroredTest, "mirrored", 28),
    ];
    for (what, doing, epochs) in measured {
        let (images, of) = (1_280, 5_000);
        let measuring = Event::Measuring(Measuring { what, images, of });
        let events = [example::in_stages(epochs), vec![measuring]].concat();
        for (width, height) in [(80, 24), (120, 40)] {
            let screen = text(&app(&events, width, height));
            let (header, panels) = screen.split_at(screen.match_indices('\n').nth(1).unwrap().0);
            let counted = format!("{doing} 1,280/5,000");
            assert!(header.contains(&counted), "{screen}");
            assert!(panels.contains("1,280/5,000"), "{screen}");
        }
    }
    let (what, images, of) = (Measured::Validation, 1_280, 5_000);
    let measuring = Event::Measuring(Measuring { what, images, of });
    let events = [
        example::in_stages(24),
        vec![example::progress(24), measuring],
    ]
    .concat();
    assert_snapshot!("training_measuring_80x24", text(&app(&events, 80, 24)));
}
