//! The screen of a training in stages: which one it is in, where the sizes change, what is comparable.

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
fn stages_on_an_ascii_terminal_are_drawn_in_ascii() {
    let records = example::records(&example::in_stages(25));
    let app = app_with(&records, Size::new(80, 24), theme(ColourDepth::None, true));
    assert!(text(&app).is_ascii(), "{}", text(&app));
    assert_snapshot!("training_stages_ascii_80x24", text(&app));
}
