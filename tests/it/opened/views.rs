//! Views written to files: tables and pictures.

use super::*;

#[test]
fn views_are_written_into_the_run_directory_and_nothing_is_overwritten() {
    let place = Place::new();
    let mut terminal = place.replay("less");
    terminal.keys("3");
    for _ in 0..2 {
        terminal.keys("W");
        // A second file of the same second is called -children-2.
        terminal.wait_for(".csv in runs/recorded/exports");
        terminal.keys("I");
        terminal.wait_for(".svg in runs/recorded/exports");
    }
    leave(&mut terminal);
    let exports = place.path().join("runs/recorded/exports");
    let mut files: Vec<PathBuf> = fs::read_dir(&exports)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if file.extension().is_some_and(|extension| extension == "csv") {
            let head = "child,episode,validation_accuracy,reward,parameters,macs,";
            assert!(text.starts_with(head), "{text}");
            assert!(text.lines().count() > 90);
        } else {
            let picture = roxmltree::Document::parse(&text).unwrap();
            let mut texts = picture.descendants().filter_map(|node| node.text());
            assert!(texts.any(|text| text.contains("accuracy")));
            assert!(
                !text.contains("saved"),
                "the message before is not in the picture"
            );
        }
    }
}

#[test]
fn views_of_the_recorded_search_are_written_where_the_program_was_started() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["replay", "--sample", "--speed", "100000"];
    let mut terminal = Terminal::start(&arguments, folder.path(), 120, 40);
    terminal.wait_for("REPLAY ENDED");
    terminal.keys("O");
    terminal.wait_for("this run has no config.toml here");
    terminal.keys("I");
    terminal.wait_for("saved here: 20");
    leave(&mut terminal);
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
}
