//! Default keys, and keys changed by settings.

use super::*;

fn changed(name: &str, keys: &[&str]) -> Result<Keymap, KeymapError> {
    Keymap::new(&BTreeMap::from([(
        name.to_owned(),
        keys.iter().map(|key| (*key).to_owned()).collect(),
    )]))
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

#[test]
fn every_default_key_can_be_parsed_and_has_only_one_meaning_in_each_place() {
    for binding in bindings() {
        assert!(
            binding.keys.iter().all(|key| Key::parse(key).is_some()),
            "{binding:?}"
        );
    }
    assert_eq!(Keymap::default().double_keys(), []);
}

#[test]
fn the_keys_of_an_action_can_be_changed_and_removed() {
    let chart = Context::Panel(PanelId("chart"));
    let keymap = changed("toggle_pause", &["ctrl-p", "F2"]).unwrap();
    assert_eq!(
        keymap.action(chart, key("ctrl-p")),
        Some(Action::TogglePause)
    );
    assert_eq!(keymap.action(chart, key("f2")), Some(Action::TogglePause));
    assert_eq!(keymap.action(chart, key("space")), None);
    assert_eq!(
        changed("suspend", &[])
            .unwrap()
            .action(chart, key("ctrl-z")),
        None
    );
}

#[test]
fn unknown_actions_unknown_keys_and_double_keys_are_refused() {
    assert!(
        changed("teleport", &["t"])
            .unwrap_err()
            .to_string()
            .contains("no such action")
    );
    assert!(
        changed("quit", &["hyper-q"])
            .unwrap_err()
            .to_string()
            .contains("\"hyper-q\" is no key")
    );
    assert_eq!(changed("quit", &[]).unwrap_err(), KeymapError::NoWayOut);
    let twice = changed("quit", &["f"]).unwrap_err().to_string();
    assert!(
        twice.contains("quit") && twice.contains("maximise"),
        "{twice}"
    );
}

#[test]
fn a_key_may_mean_different_things_in_different_panels() {
    let keymap = Keymap::default();
    assert_eq!(
        keymap.action(Context::Panel(PanelId("children")), key("s")),
        Some(Action::SortNext)
    );
    assert_eq!(
        keymap.action(Context::Question, key("s")),
        Some(Action::AnswerStop)
    );
}

#[test]
fn every_mistake_in_the_keys_is_found_and_names_what_may_have_been_meant() {
    let changes: BTreeMap<String, Vec<String>> = [
        ("toggle_pause", &["ctrl-ctrl-x", "spce"][..]),
        ("foo", &["a"]),
        ("layout_lgo", &["b"]),
        ("quit", &["z"]),
        ("help", &["z"]),
    ]
    .map(|(name, keys)| {
        let keys = keys.iter().map(|key| (*key).to_owned());
        (name.to_owned(), keys.collect())
    })
    .into();
    let mistakes = Keymap::mistakes(&changes).into_iter();
    let mistakes: Vec<String> = mistakes.map(|mistake| mistake.to_string()).collect();
    for (mistake, (start, end)) in mistakes.iter().zip([
        ("screen.keys.foo: no such action; `:`", "each space)"),
        (
            "screen.keys.layout_lgo: no such action",
            "; did you mean layout_log?",
        ),
        (
            "screen.keys.toggle_pause: \"ctrl-ctrl-x\" is no key: write a character",
            "before it",
        ),
        (
            "screen.keys.toggle_pause: \"spce\" is no key",
            "; did you mean space?",
        ),
        (
            "screen.keys: z would mean both quit and help",
            "another key",
        ),
    ]) {
        assert!(
            mistake.starts_with(start) && mistake.ends_with(end),
            "{mistakes:#?}"
        );
    }
    assert_eq!(mistakes.len(), 5, "{mistakes:#?}");
}

#[test]
fn a_way_out_that_is_written_wrongly_is_one_mistake() {
    let quit = BTreeMap::from([("quit".to_owned(), vec!["hyper-q".to_owned()])]);
    assert_eq!(Keymap::mistakes(&quit).len(), 1);
}
