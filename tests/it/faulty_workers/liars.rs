//! Workers that report what cannot be.

use nas_tui::evaluate::Report;
use nas_tui::reward::Outcome;

use super::{Scripted, count};
use crate::workers::PATIENCE;

/// The end of child 1, whose workers say `lie` about it before they report it as trained; and
/// everything reported until the next child has been trained.
fn lying(lie: &str) -> (Outcome, Vec<Report>) {
    let script = r#"
        ready
        while read -r message; do
          if [ "$(child "$message")" = 1 ]; then say 'LIE'; fi
          trained "$message"
        done"#;
    let mut scripted = Scripted::start(1, &script.replace("LIE", lie));
    scripted.submit([1, 2]);
    let mut seen: Vec<Report> = Vec::new();
    while !matches!(seen.last(), Some(Report::Finished { child: 2, .. })) {
        seen.push(scripted.watched.reports.recv_timeout(PATIENCE).unwrap());
    }
    let outcome = seen.iter().find_map(|report| match report {
        Report::Finished {
            child: 1, outcome, ..
        } => Some(outcome.clone()),
        _ => None,
    });
    (outcome.unwrap(), seen)
}

fn finished(child: u64, accuracies: &str) -> String {
    format!(
        r#"{{"type":"finished","child":{child},"seconds":1.0,"outcome":{{"outcome":"trained","valid_accuracies":{accuracies}}}}}"#
    )
}

fn epoch(child: u64, number: usize, accuracy: f64, loss: f64) -> String {
    format!(
        r#"{{"type":"epoch","child":{child},"worker":0,"epoch":{number},"epochs":1,"train_loss":{loss},"train_accuracy":0.5,"valid_loss":1.0,"valid_accuracy":{accuracy},"learning_rate":0.1,"images_per_second":1.0,"seconds":1.0}}"#
    )
}

fn progress(child: u64, batch: usize, loss: &str) -> String {
    format!(
        r#"{{"type":"progress","child":{child},"worker":0,"epoch":1,"epochs":1,"batch":{batch},"batches":5,"loss":{loss},"images_per_second":1.0}}"#
    )
}

#[test]
fn a_lie_never_reaches_the_search_and_its_child_is_excluded_after_one_more_try() {
    let lies = [
        (
            finished(1, "[42.0]"),
            "reported the validation accuracy 42 of child 1, which is not in 0 to 1",
        ),
        (
            finished(1, "[-7.5]"),
            "reported the validation accuracy -7.5 of child 1, which is not in 0 to 1",
        ),
        (
            finished(1, "[]"),
            "reported the number of completed epochs 0 of child 1, which is not 1",
        ),
        (
            finished(5, "[0.5]"),
            "reported on child 5, but was given child 1",
        ),
        (
            epoch(9, 1, 0.5, 1.0),
            "reported on child 9, but was given child 1",
        ),
        (
            epoch(1, 2, 0.5, 1.0),
            "reported epoch 2 of child 1, which is not 1",
        ),
        (
            epoch(1, 1, 1.5, 1.0),
            "reported the validation accuracy 1.5 of child 1, which is not in 0 to 1",
        ),
        (
            epoch(1, 1, 0.5, -1.0),
            "reported the training loss -1 of child 1, which is not a finite number of at least 0",
        ),
        (
            progress(1, 6, "1.0"),
            "reported batch 6 of child 1, which is not in 0 to 5",
        ),
        (
            progress(3, 1, "1.0"),
            "reported on child 3, but was given child 1",
        ),
        (progress(1, 1, "null"), "sent an unreadable message"),
        ("no message at all".to_owned(), "sent an unreadable message"),
    ];
    for (lie, because) in lies {
        let (outcome, seen) = lying(&lie);
        let Outcome::Excluded { reason } = &outcome else {
            panic!("{lie}: {outcome:?}")
        };
        let expected = format!("its worker died 2 times: killed because it {because}");
        assert!(reason.starts_with(&expected), "{reason}");
        let reached = |report: &Report| matches!(report, Report::Progress(_) | Report::Epoch(_));
        assert_eq!(count(&seen, reached), 0, "{seen:?}");
        let retried = |report: &Report| matches!(report, Report::Retried { child: 1, .. });
        assert_eq!(count(&seen, retried), 1, "{seen:?}");
    }
}

#[test]
fn a_result_from_a_worker_that_has_no_child_is_a_lie() {
    let script = r#"
        ready
        if [ "$(nth starts)" = 1 ]; then say 'LIE'; fi
        while read -r message; do trained "$message"; done"#;
    let script = script.replace("LIE", &finished(1, "[0.5]"));
    let mut scripted = Scripted::start(1, &script);
    let died = scripted
        .watched
        .wait(|report| matches!(report, Report::WorkerDied { .. }));
    assert!(
        matches!(&died, Report::WorkerDied { reason, .. }
            if reason == "killed because it reported on child 1, but has none to train"),
        "{died:?}"
    );
    scripted.submit([1]);
    assert!(matches!(
        scripted.watched.outcome_of(1),
        Outcome::Trained { .. }
    ));
}
