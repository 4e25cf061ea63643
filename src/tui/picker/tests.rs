//! The list of runs: its columns, and how a run is chosen.

use super::*;
use crate::analysis::lift::PolicyLift;
use crate::config::ThemeName;
use crate::runs::WorkInfo;
use crate::state::RunStatus;
use crate::tui::theme::ColourDepth;

fn run(name: &str) -> RunInfo {
    RunInfo {
        name: name.to_owned(),
        path: PathBuf::from(name),
        status: RunStatus::Completed,
        work: WorkInfo::Search {
            preset: "monograph".to_owned(),
            strategy: "reinforce".to_owned(),
            episode: 10,
            episodes: 10,
            children: 1_280,
            planned_children: 1_280,
            policy_lift: None,
        },
        best_accuracy: Some(0.8456),
        started: None,
        changed: Some(Timestamp::UNIX_EPOCH),
        holder: None,
        blocked: None,
        unreadable: None,
    }
}

fn picker(runs: Vec<RunInfo>) -> Picker {
    Picker {
        runs,
        selected: 0,
        theme: Theme::new(ThemeName::default(), ColourDepth::None, false),
        extras: Extras::default(),
    }
}

#[test]
fn all_that_is_said_of_an_unreadable_run_stands_below_the_list() {
    let mut bad = run("a");
    let path = "runs/2026-11-29T07-00-00Z-monograph/journal.jsonl";
    let remedy = format!("mv {path}.rescued {path}");
    bad.unreadable = Some(format!(
        "the journal of this run is {path}.rescued: {remedy}"
    ));
    let picker = picker(vec![bad, run("b")]);
    let mut frame = display::blank((60, 24).into());
    picker.draw(&mut frame, Timestamp::UNIX_EPOCH);
    let cells: Vec<&str> = frame.content.iter().map(|cell| cell.symbol()).collect();
    let rows: Vec<String> = cells.chunks(60).map(|row| row.concat()).collect();
    let words = rows.join(" ");
    let words: Vec<&str> = words.split_whitespace().collect();
    assert!(words.join(" ").ends_with(&remedy), "{rows:#?}");
    assert!(rows[2].starts_with(">a") && rows[3].starts_with(" b"));
}

#[test]
fn a_click_selects_a_run_and_one_on_the_selected_run_opens_it() {
    let mut picker = picker(["a", "b", "c"].map(run).to_vec());
    let mut click = |kind, row| {
        let targets = picker.draw(&mut display::blank((80, 24).into()), Timestamp::UNIX_EPOCH);
        let event = MouseEvent {
            kind,
            column: 5,
            row,
            modifiers: KeyModifiers::NONE,
        };
        (picker.mouse(&event, &targets), picker.selected)
    };
    let press = MouseEventKind::Down(MouseButton::Left);
    // Title and heading are above the runs.
    assert_eq!(click(press, 3), (KeyEffect::Stay, 1));
    assert_eq!(click(press, 10), (KeyEffect::Stay, 1));
    assert_eq!(click(MouseEventKind::ScrollDown, 10), (KeyEffect::Stay, 2));
    assert_eq!(click(press, 4), (KeyEffect::Open, 2));
}

fn shown(name: &str, width: usize) -> Vec<String> {
    lines(
        &[run(name)],
        Timestamp::from_second(3_540).unwrap(),
        width,
        "...",
    )
}

#[test]
fn best_accuracies_are_called_optimistic_where_they_stand() {
    let drawn = |best_accuracy, width| {
        let picker = picker(vec![RunInfo {
            best_accuracy,
            ..run("a")
        }]);
        let mut frame = display::blank((width, 24).into());
        picker.draw(&mut frame, Timestamp::UNIX_EPOCH);
        (0..width)
            .map(|x| frame[(x, 0)].symbol())
            .collect::<String>()
    };
    assert!(drawn(Some(0.8), 80).ends_with("and so optimistic"));
    assert!(drawn(Some(0.8), 60).starts_with(" Runs Best accuracy: "));
    assert_eq!(drawn(None, 80).trim(), "Runs");
}

#[test]
fn time_and_progress_go_before_a_name_is_cut() {
    for width in [49, 50, 62] {
        let lines = shown("2026-11-24T13-12-59Z-demo", width);
        assert!(
            lines[1].starts_with("2026-11-24T13-12-59Z-demo completed"),
            "{lines:?}"
        );
        assert!(lines[1].ends_with("84.56 %") && lines.iter().all(|line| line.len() <= width));
    }
}

#[test]
fn of_a_name_that_is_cut_anyway_time_and_progress_stay() {
    let lines = shown(&"a-very-long-name-".repeat(5), 62);
    assert!(
        lines[1].starts_with("a-very") && lines[1].ends_with("84.56 % 59 min ago"),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("... completed episode 10/10"),
        "{lines:?}"
    );
}

#[test]
fn at_80_columns_name_accuracy_and_time_are_complete() {
    let lines = shown("2026-11-24T13-12-59Z-monograph", 79);
    assert!(
        lines[0].ends_with("best accuracy changed   ") && lines.iter().all(|line| line.len() <= 79),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("2026-11-24T13-12-59Z-monograph completed")
            && lines[1].ends_with("84.56 % 59 min ago")
    );
}

#[test]
fn a_wide_terminal_shows_every_column() {
    let mut compared = run("run");
    let WorkInfo::Search { policy_lift, .. } = &mut compared.work else {
        panic!("a search")
    };
    *policy_lift = Some(PolicyLift {
        difference: 0.213,
        ci95: [0.15, 0.27],
        p_value: 0.000_1,
        controls: 9,
        episodes: 9,
    });
    let lines = |width| lines(&[compared.clone()], Timestamp::UNIX_EPOCH, width, "...");
    let [heading, row] = &lines(120)[..] else {
        panic!("a heading and a run")
    };
    assert!(
        TITLES.iter().all(|title| heading.contains(title)),
        "{heading}"
    );
    assert!(row.contains(" +0.21 p <0.001 "), "{row}");
    assert!(!lines(55)[0].contains("lift"), "no room");
    assert!(!shown("run", 120)[0].contains("lift"), "no controls");
}

#[test]
fn if_nothing_else_can_be_left_out_the_name_is_cut() {
    assert_eq!(shown(&"n".repeat(60), 60)[1].len(), 60);
}
