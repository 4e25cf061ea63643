//! What ends an evaluator, and children that fail.

use super::*;

#[test]
fn unusable_data_end_everything_before_any_training() {
    let mut unusable = settings(2, 1);
    unusable.data.source = DataSource::Cifar10;
    unusable.data.dir = Some(PathBuf::from("/nonexistent/cifar"));
    let mut watched = Watched::start(unusable);
    watched.workers.submit(job(1));
    let first = watched.reports.recv_timeout(PATIENCE).unwrap();
    assert!(
        matches!(&first, Report::Fatal { message } if message.contains("/nonexistent/cifar")),
        "{first:?}"
    );
    assert_eq!(
        watched.reports.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn workers_that_always_die_at_start_end_everything() {
    let mut watched = Watched::start_program(settings(1, 1), PathBuf::from("/bin/false"));
    let fatal = watched.wait(|report| matches!(report, Report::Fatal { .. }));
    assert!(
        matches!(&fatal, Report::Fatal { message } if message.contains("exit status 1")),
        "{fatal:?}"
    );
}

#[test]
fn a_missing_program_ends_everything() {
    let mut watched = Watched::start_program(settings(1, 1), PathBuf::from("/nonexistent/nas-tui"));
    let fatal = watched.wait(|report| matches!(report, Report::Fatal { .. }));
    assert!(
        matches!(&fatal, Report::Fatal { message } if message.contains("/nonexistent/nas-tui")),
        "{fatal:?}"
    );
}

#[test]
fn a_child_that_cannot_fit_in_memory_is_refused_with_both_figures() {
    let wide = Layer {
        kind: Default::default(),
        kernel: [1, 1],
        filters: 4096,
        stride: [1, 1],
        padding: [0, 0],
        inputs: vec![0],
    };
    let layers = (0..1000)
        .map(|index| Layer {
            inputs: vec![index],
            ..wide.clone()
        })
        .collect();
    let giant = Architecture {
        layers,
        output: vec![1000],
        ..architecture(1)
    };
    let mut watched = Watched::start(settings(1, 1));
    watched.workers.submit(ChildJob {
        child: 1,
        seed: 1,
        architecture: giant,
        stop: None,
    });
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert_eq!(reason.matches(" GiB").count(), 2, "{reason}");
    assert!(reason.contains("nothing was allocated"), "{reason}");
}

#[test]
fn a_child_that_diverges_fails_with_epoch_and_batch() {
    let mut wild = settings(1, 2);
    wild.child.learning_rate = 1e30;
    let mut watched = Watched::start(wild);
    watched.workers.submit(job(1));
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert!(
        reason.starts_with("diverged: the loss is ") && reason.contains("epoch 1, batch "),
        "{reason}"
    );
}

#[test]
fn a_child_for_other_images_fails_with_both_shapes() {
    let mut watched = Watched::start(settings(1, 1));
    watched.workers.submit(ChildJob {
        architecture: Architecture {
            input: [3, 32, 32],
            ..architecture(8)
        },
        ..job(1)
    });
    let Outcome::Failed { reason } = watched.outcome_of(1) else {
        panic!("it cannot have been trained")
    };
    assert!(
        reason.contains("[3, 32, 32]") && reason.contains("[1, 28, 28]"),
        "{reason}"
    );
}
