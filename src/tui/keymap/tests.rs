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
    assert_eq!(Keymap::default().check(), Ok(()));
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
