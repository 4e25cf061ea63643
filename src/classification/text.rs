//! A classification report as plain text.

use std::fmt::Write;

use super::{BINS, ClassificationReport};
use crate::foundation::numbers;

/// Maximum width of a confusion matrix; a wider one is left out.
const WIDEST: usize = 120;
/// Maximum length of a class name; longer ones are cut.
const LONGEST_NAME: usize = 20;

/// The report as text: figures, classes, confusion matrix, confused pairs.
pub fn text(report: &ClassificationReport) -> String {
    [
        figures(report),
        classes(report),
        matrix(report),
        pairs(report),
    ]
    .join("\n")
}

fn interval(ci95: [f64; 2]) -> String {
    format!("95 % interval {}", numbers::accuracies(ci95))
}

fn figures(report: &ClassificationReport) -> String {
    let ClassificationReport {
        images,
        correct,
        accuracy,
        accuracy_ci95,
        loss,
        top5,
        calibration,
        ..
    } = report;
    let mut text = format!(
        "accuracy           {:<8}  {correct} of {images}, {}\n",
        numbers::accuracy(*accuracy),
        interval(*accuracy_ci95)
    );
    if let Some(top) = top5 {
        text += &format!(
            "top-5 accuracy     {:<8}  {} of {images}, {}\n",
            numbers::accuracy(top.accuracy),
            top.correct,
            interval(top.ci95)
        );
    }
    let [low, high] = calibration.ci95;
    text += &format!(
        "calibration error  {:<8.4}  {BINS} bins, 95 % interval {low:.4} to {high:.4}\n",
        calibration.error
    );
    text + &format!("loss               {}\n", numbers::loss(*loss))
}

fn classes(report: &ClassificationReport) -> String {
    let width = name_width(report);
    let mut text = format!(
        "{:<width$}  images  correct  accuracy  95 % interval\n",
        "class"
    );
    for class in &report.per_class {
        let _ = write!(
            text,
            "{:<width$}  {:>6}  {:>7}",
            name(&class.class),
            class.images,
            class.correct
        );
        let _ = match (class.accuracy, class.ci95) {
            (Some(accuracy), Some(ci95)) => {
                let accuracy = numbers::accuracy(accuracy);
                writeln!(text, "  {accuracy:>8}  {}", numbers::accuracies(ci95))
            }
            _ => writeln!(text, "  {:>8}", "-"),
        };
    }
    text
}

fn matrix(report: &ClassificationReport) -> String {
    let classes = report.per_class.len();
    let widest = report
        .confusion
        .iter()
        .flatten()
        .copied()
        .chain([classes.saturating_sub(1)])
        .max()
        .unwrap_or(0);
    let (cell, number) = (
        widest.to_string().len() + 1,
        classes.saturating_sub(1).to_string().len(),
    );
    let label = number + 1 + name_width(report);
    if label + classes * cell > WIDEST {
        return format!(
            "the confusion matrix of {classes} classes is too wide for text: --json has it\n"
        );
    }
    let mut text = "confusion matrix: classes down, predictions across\n".to_owned();
    let heads: String = (0..classes)
        .map(|class| format!("{class:>cell$}"))
        .collect();
    let _ = writeln!(text, "{:label$}{heads}", "");
    for (index, (row, class)) in report.confusion.iter().zip(&report.per_class).enumerate() {
        let cells: String = row
            .iter()
            .map(|images| format!("{images:>cell$}"))
            .collect();
        let label = label - number - 1;
        let _ = writeln!(
            text,
            "{index:>number$} {:<label$}{cells}",
            name(&class.class)
        );
    }
    text
}

fn pairs(report: &ClassificationReport) -> String {
    if report.most_confused.is_empty() {
        return "no image was misclassified\n".to_owned();
    }
    let mut text = "most confused\n".to_owned();
    for pair in &report.most_confused {
        let percent = 100.0 * report.share_of_class(pair);
        let (class, other) = (name(&pair.class), name(&pair.taken_for));
        let _ = writeln!(
            text,
            "{:>6}  {class} taken for {other} ({percent:.1} % of {class})",
            pair.images
        );
    }
    text
}

/// The name, cut if it is too long.
fn name(class: &str) -> String {
    match class.chars().count() > LONGEST_NAME {
        true => class
            .chars()
            .take(LONGEST_NAME - 2)
            .chain("..".chars())
            .collect(),
        false => class.to_owned(),
    }
}

fn name_width(report: &ClassificationReport) -> usize {
    report
        .per_class
        .iter()
        .map(|class| name(&class.class).chars().count())
        .max()
        .unwrap_or(0)
        .max("class".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIFAR: [&str; 10] = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ];

    /// 20 images per class; each class is mistaken for the next one as often as its number says.
    fn report(classes: &[String]) -> ClassificationReport {
        let count = classes.len();
        let answers = (0..count).flat_map(|label| {
            (0..20).map(move |image| (label, (label + usize::from(image < label)) % count))
        });
        let (labels, predictions): (Vec<usize>, Vec<usize>) = answers.unzip();
        let row = |&prediction: &usize| {
            (0..count)
                .map(|class| if class == prediction { 3.0 } else { 0.0 })
                .collect()
        };
        ClassificationReport::new(
            classes,
            &labels,
            &predictions.iter().map(row).collect::<Vec<_>>(),
        )
        .unwrap()
    }

    #[test]
    fn ten_classes_fit_80_columns() {
        let text = text(&report(&CIFAR.map(str::to_owned)));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_matrix_that_is_too_wide_is_replaced_by_a_note() {
        let classes: Vec<String> = (0..100).map(|class| format!("class {class}")).collect();
        assert!(
            text(&report(&classes)).contains(
                "the confusion matrix of 100 classes is too wide for text: --json has it"
            )
        );
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(name("a very long name of a class"), "a very long name o..");
    }
}
