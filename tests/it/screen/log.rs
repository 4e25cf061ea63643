//! Scrolling, filtering and searching the log.

use ratatui::buffer::Cell;
use ratatui::style::Modifier;

use super::*;

#[test]
fn the_log_stays_where_it_was_scrolled_to_and_follows_again_at_its_end() {
    let mut app = running(80, 24);
    press(&mut app, "6kkk");
    let before = text(&app);
    app.note(
        nas_tui::event::Level::Warning,
        "something new".to_owned(),
        app.view.now,
    );
    assert_eq!(text(&app), before);
    press(&mut app, "G");
    assert!(text(&app).contains("something new"));
}

#[test]
fn a_level_is_found_by_its_word() {
    let mut app = running(80, 24);
    press(&mut app, "6&warning\n");
    assert!(text(&app).contains("WARNING child 20"), "{}", text(&app));
}

#[test]
fn the_log_is_filtered_by_level_and_text_and_searched() {
    let mut app = running(80, 24);
    press(&mut app, "6v");
    let warnings = text(&app);
    assert!(
        warnings.contains("failed, reward 0") && !warnings.contains("epoch 1/3"),
        "{warnings}"
    );
    press(&mut app, "vv&checkpoint\n");
    let checkpoints = text(&app);
    assert!(
        checkpoints.contains("checkpoint after episode 2") && !checkpoints.contains(" train, "),
        "{checkpoints}"
    );
    press(&mut app, "&");
    (0.."checkpoint".len()).for_each(|_| drop(app.key(&key(KeyCode::Backspace))));
    press(&mut app, "\n/episode 2: mean\n");
    let found = text(&app);
    assert!(
        found.contains("episode 2: mean") && found.contains("scrolled back"),
        "{found}"
    );
    press(&mut app, "/no such thing\n");
    assert!(text(&app).contains("the log has no line"));
}

#[test]
fn a_text_that_only_hidden_lines_have_is_said_to_be_in_them() {
    let mut app = running(120, 24);
    press(&mut app, "6v/epoch 1/3\n");
    let told = text(&app);
    assert!(
        told.contains("no line shown has \"epoch 1/3\"; it is in "),
        "{told}"
    );
    assert!(
        told.contains("hidden lines (v or & shows others)"),
        "{told}"
    );
}

#[test]
fn the_only_match_in_the_log_is_found_again() {
    let mut app = running(120, 24);
    press(&mut app, "6n");
    assert!(text(&app).contains("nothing is searched for: /"));
    press(&mut app, "/checkpoint after episode 1\n");
    for keys in ["n", "N", "n"] {
        press(&mut app, keys);
        let found = text(&app);
        assert!(found.contains("checkpoint after episode 1"), "{found}");
        assert!(!found.contains("no line"), "{found}");
    }
}

#[test]
fn on_a_narrow_screen_an_epoch_takes_one_row_of_the_log_but_its_whole_line_is_searched() {
    let mut app = running(80, 24);
    press(&mut app, "6");
    let log = text(&app);
    let of_epochs: Vec<&str> = log.lines().filter(|row| row.contains("loss ")).collect();
    assert!(!of_epochs.is_empty(), "{log}");
    for row in of_epochs {
        assert!(
            row.contains(" train, ") && row.trim_end_matches(['│', ' ']).ends_with(" valid"),
            "{log}"
        );
    }
    press(&mut app, "/images/s\n");
    let found = text(&app);
    assert!(
        found.contains("images/s") && !found.contains(" valid "),
        "{found}"
    );
    let wide = text(&running(200, 50));
    assert!(wide.contains(" validation, "), "{wide}");
}

#[test]
fn no_row_is_left_empty_when_lines_become_fewer_or_shorter_than_those_before_the_one_scrolled_to() {
    let mut app = running(80, 24);
    // The search shows whole lines; without it they are shorter.
    press(&mut app, "6/child 2: epoch 3/3\n");
    press(&mut app, "\u{1b}");
    let screen = text(&app);
    let last = screen.lines().rev().nth(1).unwrap();
    assert!(last.contains("child "), "{screen}");
}

#[test]
fn a_level_or_a_filter_that_leaves_no_line_says_so() {
    let mut app = app_with(&journal(), Size::new(120, 40), plain());
    press(&mut app, "6&no such words\n");
    let shown = text(&app);
    assert!(shown.contains("no such line among "), "{shown}");
    press(&mut app, "\x1b");
    assert!(!text(&app).contains("no such line"));
}

/// The times that are highlighted, each with the rest of its row.
fn highlighted_times(app: &App) -> Vec<String> {
    let frame = draw(app);
    let of_row = |y: u16| {
        let cells: Vec<_> = (0..frame.area.width).map(|x| &frame[(x, y)]).collect();
        let is_time = |cell: &&&Cell| {
            cell.modifier.contains(Modifier::REVERSED) && "0123456789:".contains(cell.symbol())
        };
        let start = cells.iter().position(|cell| is_time(&cell))?;
        let time = cells[start..].iter().take_while(is_time).count();
        let row = cells[start..].iter().map(|cell| cell.symbol());
        (time == "12:34:56".len()).then(|| row.collect::<String>())
    };
    (0..frame.area.height).filter_map(of_row).collect()
}

#[test]
fn of_the_lines_that_have_what_is_searched_for_the_one_found_is_told_by_its_time() {
    let mut app = running(120, 24);
    press(&mut app, "6");
    assert!(highlighted_times(&app).is_empty());
    let mut found = Vec::new();
    press(&mut app, "/epoch 2/3\n");
    for keys in ["", "N", "N"] {
        press(&mut app, keys);
        let [line] = &highlighted_times(&app)[..] else {
            panic!("one line: {}", text(&app));
        };
        assert!(line.contains("epoch 2/3"), "{line}");
        found.push(line.clone());
    }
    found.dedup();
    assert_eq!(found.len(), 3, "{found:?}");
    press(&mut app, "\x1b");
    assert!(highlighted_times(&app).is_empty());
}

#[test]
fn at_an_earlier_moment_whose_log_ends_before_the_line_found_no_other_line_is_taken_for_it() {
    let mut app = running(120, 24);
    press(&mut app, "6/epoch 2/3\n");
    assert_eq!(highlighted_times(&app).len(), 1);
    press(&mut app, "[");
    let Some(Wanted::State { seq }) = app.wanted() else {
        panic!("the journal is asked for the moment")
    };
    let mut state = RunState::default();
    let until = |record: &&Record| record.seq <= Some(seq);
    let records = journal();
    let earlier = records.iter().take_while(until);
    earlier.for_each(|record| state.apply(record));
    app.take_past(Past {
        seq,
        state: Box::new(state),
    });
    assert!(text(&app).contains("AFTER EPISODE"), "{}", text(&app));
    assert!(highlighted_times(&app).is_empty(), "{}", text(&app));
}
