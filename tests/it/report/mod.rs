//! `nas-tui report`: its files, for searches and trainings, and its page in a real browser.

mod browser;
mod page;
pub(crate) mod samples;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nas_tui::analysis::{RunSummary, Summary, TrainingSummary};
use nas_tui::report::page::SCALE;

use self::samples::{SEARCH, run_directory, training, with_test};

fn report(run: &Path, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .arg("report")
        .arg(run)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap()
}

/// The folder of the report on a run with this journal; the command must succeed.
fn reported(folder: &Path, journal: &str) -> PathBuf {
    let out = folder.join("out");
    let output = report(&run_directory(folder, journal), &out);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{}\n", out.join("report.html").display())
    );
    out
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Names of the files below `folder`, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names.extend(files(&path).iter().map(|below| format!("{name}/{below}")))
        } else {
            names.push(name)
        }
    }
    names.sort();
    names
}

fn with_figures(figures: &[&str], others: &[&str]) -> Vec<String> {
    let of_figure = |name: &&str| [format!("figures/{name}.png"), format!("figures/{name}.svg")];
    let mut names: Vec<String> = figures
        .iter()
        .flat_map(of_figure)
        .chain(others.iter().map(|name| (*name).to_owned()))
        .collect();
    names.sort();
    names
}

fn rows(table: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(table)
        .unwrap()
        .records()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_report_in_place_of_one_on_another_kind_of_run_leaves_nothing_of_that() {
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for (before, after) in [(SEARCH, &*with_test()), (&*with_test(), SEARCH)] {
        reported(folder.path(), before);
        let out = reported(folder.path(), after);
        let fresh = reported(other.path(), after);
        assert_eq!(files(&out), files(&fresh));
        std::fs::remove_dir_all(fresh).unwrap();
    }
}

#[test]
fn a_searchs_report_has_its_page_figures_tables_and_summary() {
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), SEARCH);
    let figures = [
        "rewards",
        "accuracies",
        "entropy",
        "network",
        "best-child-accuracy",
        "pareto",
    ];
    let tables = [
        "tables/children.csv",
        "tables/effects.csv",
        "tables/episodes.csv",
        "tables/layers.csv",
        "report.html",
        "summary.json",
    ];
    assert_eq!(files(&out), with_figures(&figures, &tables));
    let counts = ["children", "episodes", "layers"]
        .map(|name| rows(&out.join(format!("tables/{name}.csv"))).len());
    assert_eq!(
        counts,
        [96, 6, 7 + 1],
        "96 children, 6 episodes, 7 layers and the classifier"
    );
    let journal = folder.path().join("run/journal.jsonl");
    assert_eq!(
        read(out.join("summary.json")),
        Summary::of_journal(&journal).unwrap().to_json().unwrap()
    );
}

/// `SEARCH` with the failed child excluded instead, and with a reference it cannot be compared
/// with.
fn excluded_and_incomparable() -> String {
    let change = |line: &str| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        match record["event"].as_str() {
            Some("child_failed") => record["event"] = "child_excluded".into(),
            Some("run_started") => {
                record["reference"] = serde_json::json!({"run": "by-chance", "strategy": "random", "episodes": [],
                    "not_comparable": "child.epochs is 1 there and 2 here"});
            }
            _ => {}
        }
        format!("{record}\n")
    };
    SEARCH.lines().map(change).collect()
}

#[test]
fn the_table_of_children_distinguishes_trained_failed_and_excluded_ones() {
    let folder = tempfile::tempdir().unwrap();
    let counts = |journal: &str, name: &str| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let table = reported(&folder, journal).join("tables/children.csv");
        assert!(
            read(&table)
                .lines()
                .next()
                .unwrap()
                .ends_with(",failure,state")
        );
        ["trained", "failed", "excluded"].map(|state| {
            rows(&table)
                .iter()
                .filter(|row| &row[row.len() - 1] == state)
                .count()
        })
    };
    assert_eq!(counts(SEARCH, "one"), [95, 1, 0]);
    assert_eq!(counts(&excluded_and_incomparable(), "two"), [95, 0, 1]);
}

#[test]
fn the_section_on_learning_says_why_the_run_cannot_be_compared_with_its_reference() {
    let folder = tempfile::tempdir().unwrap();
    let page = read(reported(folder.path(), &excluded_and_incomparable()).join("report.html"));
    let section = page
        .split("id=\"learning\"")
        .nth(1)
        .unwrap()
        .split("</section>")
        .next()
        .unwrap();
    let expected = "This run cannot be compared with by-chance (search.reference): child.epochs is 1 there and 2 here.";
    assert!(
        section.contains(expected),
        "{}",
        &section[..section.len().min(600)]
    );
}

#[test]
fn a_trainings_report_has_its_page_figures_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), &with_test());
    let figures = [
        "loss",
        "accuracy",
        "learning-rate",
        "network",
        "confusion",
        "per-class",
        "reliability",
    ];
    let tables = [
        "tables/epochs.csv",
        "tables/layers.csv",
        "tables/per_class.csv",
        "tables/confusion.csv",
        "report.html",
        "summary.json",
    ];
    assert_eq!(files(&out), with_figures(&figures, &tables));
    let counts = ["epochs", "layers", "per_class", "confusion"]
        .map(|name| rows(&out.join(format!("tables/{name}.csv"))).len());
    assert_eq!(counts, [12, 16, 10, 100]);
    let journal = folder.path().join("run/journal.jsonl");
    assert_eq!(
        read(out.join("summary.json")),
        TrainingSummary::of_journal(&journal)
            .unwrap()
            .to_json()
            .unwrap()
    );
}

#[test]
fn figures_are_valid_svg_and_png_of_twice_their_size() {
    let folder = tempfile::tempdir().unwrap();
    for journal in [SEARCH, &with_test()] {
        let figures = reported(folder.path(), journal).join("figures");
        for name in files(&figures)
            .iter()
            .filter_map(|name| name.strip_suffix(".svg"))
        {
            let text = read(figures.join(format!("{name}.svg")));
            let svg =
                roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let length = |side: &str| {
                svg.root_element()
                    .attribute(side)
                    .unwrap()
                    .parse::<f32>()
                    .unwrap()
            };
            let image = image::open(figures.join(format!("{name}.png"))).unwrap();
            let expected = ["width", "height"].map(|side| (length(side) * SCALE).round() as u32);
            assert_eq!([image.width(), image.height()], expected, "{name}");
            let drawn = image
                .to_rgb8()
                .pixels()
                .filter(|pixel| pixel.0 != [255; 3])
                .count();
            assert!(drawn > 1_000, "{name} is empty");
        }
    }
}

#[test]
fn a_run_that_ended_unexpectedly_is_reported_as_dead() {
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), &SEARCH[..SEARCH.len() * 2 / 3]);
    let page = read(out.join("report.html"));
    assert!(page.contains(">dead<") && page.contains("unfinished line"));
    let whole = SEARCH[..SEARCH.len() * 2 / 3].lines().count() - 1;
    assert!(
        page.contains(&format!("up to its record {whole}")),
        "the lines before the torn one"
    );
}

#[test]
fn a_run_in_which_nothing_has_happened_yet_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let first: String = SEARCH
        .lines()
        .take(2)
        .map(|line| line.to_owned() + "\n")
        .collect();
    let page = read(reported(folder.path(), &first).join("report.html"));
    assert!(page.contains("No child has ended yet.") && page.contains("there is no best network"));
    let page = read(reported(folder.path(), "").join("report.html"));
    assert!(page.contains("never got as far as its first episode"));
}

#[test]
fn a_training_without_its_test_says_that_test_accuracy_was_not_measured() {
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), &training(5));
    let page = read(out.join("report.html"));
    assert!(page.contains("Test accuracy: not measured."));
    assert!(!out.join("figures/confusion.svg").exists());
}

#[test]
fn an_older_report_is_replaced_but_another_programs_page_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), SEARCH);
    reported(folder.path(), SEARCH);
    std::fs::write(out.join("report.html"), "my thesis").unwrap();
    let output = report(&folder.path().join("run"), &out);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a report of nas-tui"));
    assert_eq!(read(out.join("report.html")), "my thesis");
}

#[test]
fn a_folder_that_is_not_a_run_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let output = report(&folder.path().join("nowhere"), &folder.path().join("out"));
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("there is no run") && message.contains("nowhere"),
        "{message}"
    );
    assert!(!folder.path().join("out").exists());
}
