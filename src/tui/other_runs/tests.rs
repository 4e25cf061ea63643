//! Runs that are followed beside the one shown: from their journals as they grow, however damaged.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::analysis::series::Quantity;
use crate::state::RunStatus;
use crate::tui::sample;

/// The lines of the recorded journal.
fn lines() -> Vec<String> {
    let text = fs::read_to_string(sample::journal()).unwrap();
    text.lines().map(|line| format!("{line}\n")).collect()
}

/// A run in this folder whose journal has this text.
fn run(folder: &Path, name: &str, journal: &str) -> PathBuf {
    let run = folder.join(name);
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("journal.jsonl"), journal).unwrap();
    run.canonicalize().unwrap()
}

fn neighbours(run: &Path) -> Neighbours {
    let mut neighbours = Neighbours::new(Switching::Free { watch: false });
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(neighbours.others.add(run.to_owned(), name));
    neighbours
}

/// Listen until the first of the other runs is like this.
fn listen(company: &mut Company, neighbours: &mut Neighbours, is: impl Fn(&OtherRun) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let listening = async {
        loop {
            company.keep_up_with(neighbours);
            company.look(&mut neighbours.others);
            if is(&neighbours.others.runs()[0]) {
                return;
            }
            let heard = tokio::time::timeout(Duration::from_millis(50), company.hear()).await;
            match heard {
                Ok(Heard::Record(place, record)) => {
                    company.take(place, record, &mut neighbours.others);
                }
                Ok(Heard::News(News::Attached { attached, .. })) => {
                    company.follow(*attached, &mut neighbours.others);
                }
                Ok(Heard::News(News::Failed { run, problem, .. })) => {
                    neighbours.others.lose(&run, problem);
                }
                Ok(Heard::News(News::Listed(_))) | Err(_) => {}
            }
        }
    };
    let patience = Duration::from_secs(60);
    let in_time = runtime.block_on(async { tokio::time::timeout(patience, listening).await });
    assert!(in_time.is_ok(), "{:?}", neighbours.others);
}

#[test]
fn a_run_is_followed_while_its_journal_grows_and_a_torn_line_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let lines = lines();
    let (half, rest) = lines.split_at(lines.len() / 2);
    let (torn, end) = rest[0].split_at(20);
    let path = run(folder.path(), "other", &(half.concat() + torn));
    let mut neighbours = neighbours(&path);
    let mut company = Company::start().unwrap();
    listen(&mut company, &mut neighbours, |run| {
        run.standing == Standing::Known && run.last_episode() > 0
    });
    let begun = neighbours.others.runs()[0].last_episode();
    assert!(begun < 6);
    let mut journal = fs::OpenOptions::new()
        .append(true)
        .open(path.join("journal.jsonl"))
        .unwrap();
    write!(journal, "{end}{}", rest[1..].concat()).unwrap();
    listen(&mut company, &mut neighbours, |run| {
        run.status() == RunStatus::Completed
    });
    let other = &neighbours.others.runs()[0];
    let state = sample::state_of(&sample::records());
    let expected: Vec<f64> = state
        .search()
        .episodes
        .iter()
        .map(|episode| episode.mean_reward)
        .collect();
    let means: Vec<f64> = other
        .means(Quantity::Reward)
        .filter_map(|(_, mean)| mean)
        .collect();
    assert_eq!(means, expected);
}

#[test]
fn a_run_that_cannot_be_attached_to_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut neighbours = neighbours(&folder.path().join("nothing"));
    let mut company = Company::start().unwrap();
    listen(
        &mut company,
        &mut neighbours,
        |run| matches!(&run.standing, Standing::Lost(problem) if problem.contains("no run")),
    );
}

#[test]
fn of_a_damaged_run_the_episodes_before_the_damage_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = lines();
    let place = lines.len() * 9 / 10;
    lines[place] = "{\"v\":1,\"seq\":\n".to_owned();
    let path = run(folder.path(), "other", &lines.concat());
    let mut neighbours = neighbours(&path);
    let mut company = Company::start().unwrap();
    listen(&mut company, &mut neighbours, |run| {
        matches!(&run.standing, Standing::Damaged(problem)
            if problem.contains(&format!("line {}", place + 1)))
    });
    let known = neighbours.others.runs()[0].last_episode();
    assert!((1..6).contains(&known), "{known}");
}

#[test]
fn a_run_that_is_no_longer_compared_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = run(folder.path(), "other", &lines().concat());
    let mut neighbours = neighbours(&path);
    let mut company = Company::start().unwrap();
    listen(&mut company, &mut neighbours, |run| {
        run.standing == Standing::Known
    });
    neighbours.others.remove(&path);
    company.keep_up_with(&mut neighbours);
    assert!(!company.follows_any());
}

#[test]
fn a_run_that_has_been_read_before_it_is_followed_is_known_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = run(folder.path(), "other", &lines().concat());
    let mut neighbours = neighbours(&path);
    let mut company = Company::start().unwrap();
    company.follow(sample::attached(&path), &mut neighbours.others);
    let other = &neighbours.others.runs()[0];
    assert_eq!(other.status(), RunStatus::Completed);
    assert_eq!(other.last_episode(), 6);
}

#[test]
fn runs_are_looked_for_once_however_often_that_is_asked_for() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut neighbours = Neighbours::new(Switching::Free { watch: false });
    let mut company = Company::start().unwrap();
    let mut ask = |company: &mut Company| {
        neighbours.is_list_wanted = true;
        company.keep_up_with(&mut neighbours);
    };
    let listed = |company: &mut Company, seconds| {
        let time = Duration::from_secs(seconds);
        let heard = runtime.block_on(async { tokio::time::timeout(time, company.hear()).await });
        matches!(heard, Ok(Heard::News(News::Listed(_))))
    };
    ask(&mut company);
    ask(&mut company);
    assert!(listed(&mut company, 60));
    assert!(!listed(&mut company, 2), "one list answers both");
    ask(&mut company);
    assert!(listed(&mut company, 60));
}

#[test]
fn a_change_of_status_is_one_that_is_drawn() {
    let records = sample::records();
    let is_end = |record: &crate::event::Record| {
        matches!(record.event, crate::event::Event::RunFinished { .. })
    };
    let end = records.iter().position(is_end).unwrap();
    let mut run = OtherRun::new(0, PathBuf::from("a"), "a".to_owned());
    let state = sample::state_of(&records[..end]);
    run.begin(Some(&state), RunSettings::default());
    run.take_link(crate::link::LinkStatus::Ended);
    assert!(run.take(&records[end]));
    assert_eq!(run.status(), RunStatus::Completed);
}

fn other(folder: &str) -> (PathBuf, String) {
    (PathBuf::from(folder), folder.to_owned())
}

#[test]
fn a_fifth_run_has_no_place_and_a_place_that_was_left_is_taken_again() {
    let mut others = Others::default();
    let add = |others: &mut Others, name: &str| {
        let (folder, name) = other(name);
        others.add(folder, name)
    };
    for name in ["a", "b", "c", "d"] {
        assert!(add(&mut others, name), "{name}");
    }
    assert!(!add(&mut others, "e"));
    assert!(others.remove(Path::new("b")) && !others.remove(Path::new("b")));
    assert!(!add(&mut others, "a"), "it is there already");
    assert!(add(&mut others, "e"));
    let places: Vec<(u8, &str)> = others
        .runs()
        .iter()
        .map(|run| (run.place, run.name.as_str()))
        .collect();
    assert_eq!(places, [(0, "a"), (1, "e"), (2, "c"), (3, "d")]);
}

#[test]
fn a_run_that_takes_the_place_of_one_it_was_compared_with_is_compared_with_that_one() {
    let mut others = Others::default();
    for name in ["a", "b"] {
        let (folder, name) = other(name);
        others.add(folder, name);
    }
    let names = |others: &Others| -> Vec<String> {
        let runs = others.runs().iter();
        runs.map(|run| run.name.clone()).collect()
    };
    let swapped = others.beside(Path::new("b"), other("shown"));
    assert_eq!(names(&swapped), ["a", "shown"]);
    let beside = others.beside(Path::new("c"), other("shown"));
    assert_eq!(names(&beside), ["a", "b"]);
    let all_again = beside.runs().iter();
    assert!(
        all_again
            .map(|run| &run.standing)
            .all(|standing| *standing == Standing::Wanted)
    );
}

#[test]
fn rewards_that_are_made_differently_are_kept_off_the_axis() {
    let state = sample::state_of(&sample::records());
    let mut run = OtherRun::new(0, PathBuf::from("a"), "a".to_owned());
    run.begin(Some(&state), RunSettings::default());
    let same = state.search().started.clone().unwrap();
    let other_power = crate::event::RunStarted {
        reward_power: 1.0,
        ..same.clone()
    };
    let mut alike = run.clone();
    alike.compare((&same, None));
    assert!(alike.shares(Quantity::Reward) && alike.shares(Quantity::Accuracy));
    run.compare((&other_power, None));
    assert!(!run.shares(Quantity::Reward) && run.shares(Quantity::Accuracy));
}
