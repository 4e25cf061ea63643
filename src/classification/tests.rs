use super::*;

#[derive(Deserialize)]
struct Fixture {
    labels: Vec<usize>,
    logits: Vec<Vec<f64>>,
    accuracy: f64,
    top5: f64,
    loss: f64,
    recall: Vec<f64>,
    confusion: Vec<Vec<usize>>,
    ece: f64,
    /// From 20,000 resamples of NumPy's generator.
    ece_ci95: [f64; 2],
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/classification.json")).unwrap()
}

fn classes(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("class {class}")).collect()
}

fn close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() < 1e-12
}

#[test]
fn every_figure_agrees_with_scikit_learn() {
    let fixture = fixture();
    let report = ClassificationReport::new(&classes(7), &fixture.labels, &fixture.logits).unwrap();
    assert!(close(report.accuracy, fixture.accuracy));
    assert!(close(report.top5.unwrap().accuracy, fixture.top5));
    assert!(close(report.loss, fixture.loss));
    assert!(
        report
            .per_class
            .iter()
            .zip(&fixture.recall)
            .all(|(ours, &theirs)| close(ours.accuracy.unwrap(), theirs))
    );
    assert_eq!(report.confusion, fixture.confusion);
}

#[test]
fn the_calibration_error_agrees_with_numpy_and_its_interval_up_to_the_resamples() {
    let fixture = fixture();
    let calibration = ClassificationReport::new(&classes(7), &fixture.labels, &fixture.logits)
        .unwrap()
        .calibration;
    assert!(
        close(calibration.error, fixture.ece),
        "{} {}",
        calibration.error,
        fixture.ece
    );
    let off = calibration
        .ci95
        .iter()
        .zip(fixture.ece_ci95)
        .map(|(ours, theirs)| (ours - theirs).abs());
    assert!(
        off.fold(0.0, f64::max) < 0.005,
        "{:?} {:?}",
        calibration.ci95,
        fixture.ece_ci95
    );
}

#[test]
fn the_first_class_wins_ties_between_logits() {
    let report =
        ClassificationReport::new(&classes(3), &[0, 2], &[vec![1.0; 3], vec![1.0; 3]]).unwrap();
    assert_eq!((report.correct, report.confusion[2][0]), (1, 1));
}

#[test]
fn the_label_is_among_the_top_5_when_at_most_4_classes_come_before_it() {
    let row = vec![6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
    let report = |label| {
        ClassificationReport::new(&classes(6), &[label], std::slice::from_ref(&row)).unwrap()
    };
    assert_eq!(
        (
            report(4).top5.unwrap().correct,
            report(5).top5.unwrap().correct
        ),
        (1, 0)
    );
}

#[test]
fn five_classes_have_no_top_5() {
    assert_eq!(
        ClassificationReport::new(&classes(5), &[0], &[vec![0.0; 5]])
            .unwrap()
            .top5,
        None
    );
}

#[test]
fn confused_pairs_are_those_with_the_most_wrong_answers_first() {
    let logits: Vec<Vec<f64>> = [1, 1, 2, 0, 0]
        .map(|class| (0..3).map(|other| f64::from(other == class)).collect())
        .to_vec();
    let report = ClassificationReport::new(&classes(3), &[0, 0, 0, 0, 2], &logits).unwrap();
    let pairs: Vec<(&str, &str, usize)> = report
        .most_confused
        .iter()
        .map(|pair| (&pair.class[..], &pair.taken_for[..], pair.images))
        .collect();
    assert_eq!(
        pairs,
        [
            ("class 0", "class 1", 2),
            ("class 0", "class 2", 1),
            ("class 2", "class 0", 1)
        ]
    );
}

#[test]
fn a_class_without_images_has_no_accuracy() {
    let report = ClassificationReport::new(&classes(2), &[0], &[vec![1.0, 0.0]]).unwrap();
    assert_eq!(
        (report.per_class[1].accuracy, report.per_class[1].ci95),
        (None, None)
    );
    assert_eq!(report.per_class[0].accuracy, Some(1.0));
}

#[test]
fn huge_logits_give_finite_figures() {
    let report = ClassificationReport::new(
        &classes(2),
        &[0, 1],
        &[vec![3e38, -3e38], vec![-900.0, 900.0]],
    )
    .unwrap();
    assert_eq!((report.loss, report.calibration.error), (0.0, 0.0));
}

#[test]
fn mismatched_labels_logits_and_classes_are_errors() {
    let error = |labels: &[usize], logits: &[Vec<f64>]| {
        ClassificationReport::new(&classes(2), labels, logits).unwrap_err()
    };
    assert_eq!(error(&[], &[]), ReportError::NoImages);
    assert_eq!(error(&[0], &[]), ReportError::Rows { labels: 1, rows: 0 });
    assert_eq!(
        error(&[0], &[vec![1.0]]),
        ReportError::Width {
            image: 0,
            logits: 1,
            classes: 2
        }
    );
    assert_eq!(
        error(&[2], &[vec![1.0, 2.0]]),
        ReportError::Label {
            image: 0,
            label: 2,
            classes: 2
        }
    );
    assert_eq!(
        error(&[0, 1], &[vec![1.0, 2.0], vec![f64::NAN, 0.0]]),
        ReportError::NotFinite { image: 1 }
    );
    assert_eq!(
        error(&[0], &[vec![f64::INFINITY, 0.0]]),
        ReportError::NotFinite { image: 0 }
    );
}
