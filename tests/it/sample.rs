//! `replay --sample`: the whole screen from the program alone.

use std::path::Path;

use clap::Parser;
use nas_tui::cli::Cli;

use super::terminal::Terminal;

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn the_recorded_search_plays_to_its_end_in_an_empty_folder_and_leaves_it_empty() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["replay", "--sample", "--speed", "100000"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("REPLAY ENDED");
    terminal.wait_for("run completed");

    // An earlier moment, and the epochs of the best child: both are read from the journal again.
    terminal.keys("[");
    terminal.wait_for("AFTER EPISODE 9");
    terminal.keys("b\t\t");
    terminal.wait_for("[Curves]");
    terminal.wait_for("train loss");

    terminal.keys("\x1b");
    terminal.wait_until("closed inspector", |contents| {
        !contents.contains("[Curves]")
    });
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
    assert_eq!(files_in(folder.path()), 0);
}

#[test]
fn its_first_frame_has_something_in_every_panel() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(&["replay", "--sample"], folder.path(), 200, 50);
    terminal.wait_for("REPLAY ×4");
    let first = terminal.contents();
    for text in [
        " 66 %",
        "episode 7/10",
        "━ Reward ",
        "band",
        "controls",
        "so far",
    ] {
        assert!(first.contains(text), "no {text:?} in:\n{first}");
    }
    terminal.wait_for("child 114/160");
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn it_can_begin_at_the_beginning_at_a_speed_that_shows_children_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["replay", "--sample", "--from", "0"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 80, 24);
    terminal.wait_for("REPLAY ×4");
    terminal.wait_for("DNA child 2");
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn either_a_run_or_the_recorded_search_is_replayed() {
    let parse = |arguments: &[&str]| {
        let program = ["nas-tui", "replay"];
        Cli::try_parse_from(program.iter().chain(arguments)).map(drop)
    };
    assert!(parse(&["--sample"]).is_ok() && parse(&["RUN"]).is_ok());
    let neither = parse(&[]).unwrap_err().to_string();
    assert!(neither.contains("<RUN|--sample>"), "{neither}");
    assert!(parse(&["RUN", "--sample"]).is_err());
    assert!(parse(&["RUN", "--from", "50"]).is_ok());
    assert!(parse(&["RUN", "--from", "101"]).is_err());
}

#[test]
fn text_pasted_into_the_terminal_presses_no_keys_and_can_be_pasted_into_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["replay", "--sample", "--speed", "100000"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("REPLAY ENDED");
    assert!(terminal.pastes_between_marks());
    terminal.keys("\x1b[200~3q\rq\x1b[201~");
    terminal.wait_for("pasted text is not taken for keys");
    terminal.keys("3/\x1b[200~acc>74%\rq\x1b[201~");
    terminal.wait_for("acc>74% q");
    terminal.keys("\x1b");
    terminal.wait_until("closed line", |shown| !shown.contains("acc>74% q"));
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
}
