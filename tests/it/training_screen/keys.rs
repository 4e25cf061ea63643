//! Keys that mean nothing in a training, or not in the panel in focus.

use super::*;

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
