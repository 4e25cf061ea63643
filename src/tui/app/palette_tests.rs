//! The palette, the history and the completion of typed lines, and the live filter, by their keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::{App, Effect};
use crate::config::{LayoutName, ScreenConfig};
use crate::link::{Command, LinkStatus};
use crate::tui::Settings;
use crate::tui::palette::Entry;
use crate::tui::panels::PanelId;
use crate::tui::sample;
use crate::tui::text_line::Purpose;

/// The recorded run while it was at work.
fn app() -> App {
    let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
    let records = sample::records();
    let size = Size::new(80, 24);
    let mut app = App::new(&settings, TimeZone::UTC, size, records[0].time);
    records[..400].iter().for_each(|record| app.take(record));
    app.settings = vec![("search.episodes".to_owned(), "6".to_owned())];
    app.refresh();
    app
}

fn code_of(key: char) -> KeyCode {
    match key {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        '\t' => KeyCode::Tab,
        '↑' => KeyCode::Up,
        '↓' => KeyCode::Down,
        key => KeyCode::Char(key),
    }
}

/// The effect of the last of these keys.
fn press(app: &mut App, keys: &str) -> Effect {
    let effects = keys
        .chars()
        .map(|key| app.key(&KeyEvent::new(code_of(key), KeyModifiers::NONE)));
    effects.last().unwrap_or(Effect::Nothing)
}

fn names(app: &App) -> Vec<String> {
    let entries = app.palette().expect("the palette is open");
    entries.into_iter().map(|entry| entry.name).collect()
}

fn filter(app: &App) -> String {
    let list = app.view.panels.get(PanelId("children"));
    list.text(Purpose::Filter).unwrap_or_default().to_owned()
}

fn frame(app: &App) -> String {
    let mut frame = crate::tui::display::blank(app.view.size);
    app.draw(&mut frame);
    let row = |y| {
        let cells = (0..frame.area.width).map(|x| frame[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..frame.area.height)
        .map(row)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_action_is_found_by_letters_of_its_name_and_performed() {
    let mut app = app();
    press(&mut app, ":tglpau");
    assert_eq!(names(&app)[0], "toggle pause");
    assert_eq!(press(&mut app, "\n"), Effect::Send(Command::Pause));
    assert_eq!(app.palette(), None);
}

#[test]
fn every_action_of_this_kind_of_run_is_in_it_with_its_key() {
    let mut app = app();
    press(&mut app, ":");
    let entries = app.palette().unwrap();
    for (name, key) in [
        ("toggle pause", "Space"),
        ("sort next", "s"),
        ("save", "w"),
        ("help", "?"),
    ] {
        let entry = entries.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!(entry.key, key, "{name}");
    }
    let of_overlays = ["answer yes", "accept", "discard", "palette"];
    let names = names(&app);
    assert!(
        of_overlays
            .iter()
            .all(|name| !names.contains(&(*name).to_owned()))
    );
}

#[test]
fn an_action_with_keys_in_several_general_places_has_one_entry() {
    let mut app = app();
    press(&mut app, ":quit");
    let entries = app.palette().unwrap();
    let mut keys = entries.iter().filter(|entry| entry.name == "quit");
    assert_eq!(
        keys.next().map(|entry| entry.key.as_str()),
        Some("q Ctrl-C")
    );
    assert_eq!(keys.next(), None);
    // In the inspector its page is not left for it.
    press(&mut app, "\x1b\n:quit");
    assert!(app.inspected_child().is_some());
    press(&mut app, "\n");
    assert!(app.view.question.is_some() && app.inspected_child().is_some());
}

#[test]
fn actions_of_particular_places_keep_their_own_entries() {
    let mut app = app();
    press(&mut app, ":more");
    let entries = app.palette().unwrap();
    let more = entries.iter().filter(|entry| entry.name.contains("more"));
    let named = |entry: &Entry| (entry.name.clone(), entry.text.clone());
    let more: Vec<(String, String)> = more.map(named).collect();
    for (name, text) in [
        ("more (Chart)", "chart: zoom in"),
        ("more (Inspector)", "what-if: a larger value"),
    ] {
        assert!(
            more.contains(&(name.to_owned(), text.to_owned())),
            "{more:?}"
        );
    }
}

#[test]
fn no_two_entries_have_one_name() {
    let mut app = app();
    press(&mut app, ":");
    let mut names = names(&app);
    names.sort();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
    press(&mut app, "clear marks");
    assert!(
        frame(&app).contains("clear marks (Runs)"),
        "{}",
        frame(&app)
    );
}

#[test]
fn long_names_have_the_room_that_there_is_and_keep_their_ends() {
    let mut app = app();
    let key = "recipes.cosine_with_a_long_name.augmentation.probability";
    app.settings = ["first", "second"]
        .map(|end| (format!("{key}.{end}"), "0.5".to_owned()))
        .to_vec();
    for (width, shown) in [
        (80, "probability.second"),
        (120, "with_a_long_name.augmentation"),
    ] {
        app.view.size.width = width;
        press(&mut app, "\x1b:probability");
        let frame = frame(&app);
        let rows: Vec<&str> = frame
            .lines()
            .filter(|row| row.contains("| setting"))
            .collect();
        assert_eq!(rows.len(), 2, "{frame}");
        assert!(
            rows[0].contains("first") && rows[1].contains(shown),
            "{frame}"
        );
        assert!(rows.iter().all(|row| row.contains("0.5")), "{frame}");
    }
}

#[test]
fn a_filter_that_is_taken_from_it_shows_the_list_that_it_filters() {
    let mut app = app();
    press(&mut app, "1:filter best\n");
    assert!(app.scene().shows(PanelId("children")));
    assert!(frame(&app).contains("1 of"), "{}", frame(&app));
    assert_eq!(app.view.text.as_ref().unwrap().text(), "best");
}

#[test]
fn a_description_is_found_by_the_beginnings_of_its_words() {
    let mut app = app();
    press(&mut app, ":shell fg");
    assert_eq!(names(&app), ["suspend"]);
    // Letters of descriptions, but in no word together; and pieces from the middle of words.
    for nothing in ["teleport", "suspendshell", "hell", "rings it"] {
        press(&mut app, "\x1b:");
        press(&mut app, nothing);
        assert_eq!(names(&app), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn words_of_a_description_go_before_letters_scattered_over_a_name() {
    let mut app = app();
    app.settings = ["recipes.plateau.momentum", "search.random_seed"]
        .map(|key| (key.to_owned(), "1".to_owned()))
        .to_vec();
    for (typed, first) in [("resume", "toggle pause"), ("editor", "edit code")] {
        press(&mut app, "\x1b:");
        press(&mut app, typed);
        assert_eq!(names(&app)[0], first, "{typed}");
    }
    press(&mut app, "\x1b:plmo");
    assert_eq!(names(&app)[0], "setting recipes.plateau.momentum");
}

#[test]
fn an_action_that_is_not_possible_now_says_why() {
    let mut app = app();
    app.take_link(LinkStatus::Live { watch_only: true });
    press(&mut app, ":toggle pause");
    let entry = app.palette().unwrap().remove(0);
    assert_eq!(entry.obstacle.as_deref(), Some("this screen only watches"));
    assert_eq!(press(&mut app, "\n"), Effect::Draw);
    let told = app.view.message.clone().unwrap();
    assert_eq!(told.text, "this screen only watches");
    press(&mut app, ":inspector next");
    let entry = app.palette().unwrap().remove(0);
    let obstacle = entry.obstacle.unwrap();
    assert_eq!(obstacle, "open a child in the inspector first: Enter");
}

#[test]
fn a_panel_a_child_a_filter_and_a_setting_are_found_by_their_names() {
    let mut app = app();
    press(&mut app, ":panel log\n");
    assert_eq!(app.view.focus, PanelId("log"));
    press(&mut app, ":12\n");
    assert_eq!(app.inspected_child(), Some(12));
    press(&mut app, ":filter failed\n\n");
    assert_eq!(
        (filter(&app), app.inspected_child()),
        ("failed".to_owned(), None)
    );
    press(&mut app, ":setting episodes\n");
    let told = app.view.message.clone().unwrap();
    assert_eq!(told.text, "search.episodes = 6");
}

#[test]
fn an_action_of_a_panel_goes_to_that_panel() {
    let mut app = app();
    press(&mut app, ":toggle pareto\n");
    assert_eq!(app.view.focus, PanelId("children"));
    press(&mut app, ":layout log\n");
    assert_eq!(app.view.layout, LayoutName::Log);
}

#[test]
fn up_and_down_select_an_entry_and_escape_closes_it() {
    let mut app = app();
    press(&mut app, ":");
    let names = names(&app);
    assert_eq!(app.view.entry, 0);
    press(&mut app, "↑");
    assert_eq!(
        app.view.entry,
        names.len() - 1,
        "the last follows on the first"
    );
    press(&mut app, "↓↓");
    assert_eq!(app.view.entry, 1);
    press(&mut app, "x");
    assert_eq!(app.view.entry, 0, "another text, the best entry");
    press(&mut app, "\x1b");
    assert_eq!(app.palette(), None);
}

#[test]
fn the_palette_in_80_columns() {
    let mut app = app();
    press(&mut app, ":pau");
    insta::assert_snapshot!("palette_80x24", frame(&app));
}

#[test]
fn both_keys_of_an_action_stand_in_its_row() {
    let mut app = app();
    press(&mut app, ":quit");
    let frame = frame(&app);
    let row = frame.lines().find(|row| row.contains("| quit "));
    assert!(row.unwrap().contains(" q Ctrl-C "), "{frame}");
}

#[test]
fn a_filter_is_in_force_while_it_is_typed_and_gone_if_it_is_discarded() {
    let mut app = app();
    press(&mut app, "3/acc>0.5\n/");
    assert_eq!(filter(&app), "acc>0.5");
    press(&mut app, " & ");
    assert_eq!(filter(&app), "acc>0.5", "not a whole expression yet");
    press(&mut app, "best");
    assert_eq!(filter(&app), "acc>0.5 & best");
    press(&mut app, "\x1b");
    assert_eq!(filter(&app), "acc>0.5");
}

#[test]
fn up_recalls_what_was_typed_before_and_down_comes_back() {
    let mut app = app();
    press(&mut app, "3/best\n/\x1b/↑");
    let typed = |app: &App| app.view.text.as_ref().unwrap().text();
    assert_eq!(typed(&app), "best");
    press(&mut app, "\x1b/");
    app.view.text = app.view.text.take().map(|line| line.with(""));
    press(&mut app, "failed\n/");
    app.view.text = app.view.text.take().map(|line| line.with("par"));
    press(&mut app, "↑");
    assert_eq!(typed(&app), "failed");
    press(&mut app, "↑");
    assert_eq!(typed(&app), "best");
    press(&mut app, "↑");
    assert_eq!(typed(&app), "best", "there is none before");
    press(&mut app, "↓");
    assert_eq!(typed(&app), "failed");
    press(&mut app, "↓");
    assert_eq!(typed(&app), "par");
}

#[test]
fn tab_completes_a_name_as_far_as_it_is_clear() {
    let mut app = app();
    let line = |app: &App| app.view.text.clone().unwrap();
    press(&mut app, "3/!rep\t");
    assert_eq!(line(&app).text(), "!repeat");
    press(&mut app, " & ac\t");
    assert_eq!(line(&app).text(), "!repeat & acc");
    press(&mut app, "\t");
    assert_eq!(line(&app).problem.as_deref(), Some("acc accuracy"));
    press(&mut app, "x\t");
    let problem = line(&app).problem.unwrap();
    let start = "nothing begins with \"accx\"; there are acc accuracy reward ";
    assert!(problem.starts_with(start), "{problem}");
}

#[test]
fn a_line_that_is_not_valid_yet_says_why_while_it_is_typed() {
    let mut app = app();
    press(&mut app, "3/acc>0.5 & xyz");
    let last = |app: &App| frame(app).lines().last().unwrap().to_owned();
    assert!(
        last(&app).ends_with("at 11: there is no `xyz`; Tab lists the names"),
        "{}",
        last(&app)
    );
    app.view.text = app.view.text.take().map(|line| line.with("acc>0.5 & bes"));
    press(&mut app, "t");
    assert!(last(&app).ends_with("acc>0.5 & best"), "{}", last(&app));
    press(&mut app, "\x1bvacc note");
    assert!(
        last(&app).ends_with("no column is called \"note\"; Tab lists the names"),
        "{}",
        last(&app)
    );
}

#[test]
fn an_expression_is_a_filter_in_the_palette_too() {
    let mut app = app();
    press(&mut app, "1:acc>0.5 & !repeat");
    assert_eq!(names(&app), ["filter acc>0.5 & !repeat"]);
    press(&mut app, "\n");
    assert!(app.scene().shows(PanelId("children")));
    assert_eq!(filter(&app), "acc>0.5 & !repeat");
    press(&mut app, "\x1b:best");
    let of_best = names(&app).into_iter();
    assert_eq!(of_best.filter(|name| name == "filter best").count(), 1);
}
