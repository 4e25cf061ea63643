//! The keys that the last row of a training offers, and those that mean nothing there.

use super::*;

fn footer(app: &App) -> String {
    text(app).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_scale_that_is_logarithmic_is_offered_to_be_linear() {
    let mut app = finished(120, 40);
    assert!(footer(&app).contains("o log scale"), "{}", footer(&app));
    press(&mut app, "o");
    assert!(footer(&app).contains("o linear"), "{}", footer(&app));
}

#[test]
fn the_matrix_is_offered_in_percent_only_once_there_is_one() {
    for (mut app, is_tested) in [(running(80, 24), false), (finished(80, 24), true)] {
        maximise(&mut app, PanelId("test"));
        assert_eq!(
            footer(&app).contains("v percent"),
            is_tested,
            "{}",
            footer(&app)
        );
    }
}

fn told(app: &mut App, key: &str) -> String {
    assert_eq!(press(app, key), Effect::Draw, "{key}");
    let message = app.view.message.as_ref();
    message.expect("an answer").text.clone()
}

#[test]
fn keys_that_apply_only_to_a_search_say_so_in_80_columns() {
    let mut app = running(80, 24);
    for key in ["s", "m", "c", "p", "S", "r", "M", "x", "b", "e", "\n"] {
        let told = told(&mut app, key);
        assert!(told.starts_with("this is no search, where "), "{told}");
        assert!(told.chars().count() <= 78, "{told}");
    }
    assert_eq!(
        told(&mut app, "s"),
        "this is no search, where s means: sort by the next column"
    );
    assert_eq!(
        told(&mut app, "x"),
        "this is no search, where x means: end the training of the child shown"
    );
}

#[test]
fn a_key_of_another_panel_says_of_which() {
    let mut app = running(80, 24);
    app.view.focus = PanelId("progress");
    assert_eq!(told(&mut app, "n"), "n is a key of the panel Log");
    assert_eq!(press(&mut app, "z"), Effect::Draw, "the message goes");
    assert_eq!(press(&mut app, "z"), Effect::Nothing, "no panel has it");
}

#[test]
fn the_other_quantity_is_offered_where_one_chart_is_shown() {
    let told = |width, height, keys| {
        let mut app = finished(width, height);
        press(&mut app, keys);
        text(&app)
    };
    assert!(told(200, 50, "2a").contains("loss and accuracy are both shown"));
    assert!(told(120, 40, "6a").contains("no chart is shown here: 1 shows one"));
    assert!(told(80, 24, "1").contains("Curves: accuracy"));
    assert!(told(80, 24, "1a").contains("Curves: loss"));
}
