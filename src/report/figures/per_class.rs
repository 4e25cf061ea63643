//! Accuracy on the images of each class, with its interval.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{DASH, Plot, TitledAxis, empty};
use super::svg::{self, Form, Pen, Text, TextAnchor};
use crate::classification::{ClassAccuracy, ClassificationReport};
use crate::foundation::axis::{extremes, percent};

/// With more classes than this, the report has only a table.
const MOST: usize = 120;
/// Space for the accuracy at the end of a row.
const BESIDE: f64 = 62.0;

/// The figure: the classes in order, and the accuracy on all images as a dashed line.
pub fn draw(report: &ClassificationReport, form: Form, title: &str) -> String {
    let classes = report.per_class.len();
    if classes == 0 || classes > MOST {
        return empty(
            form,
            &format!("{classes} classes are too many to draw; the table has them all."),
        );
    }
    let intervals = report.per_class.iter().filter_map(|class| class.ci95);
    let ends = extremes(intervals.flatten().chain([report.accuracy]));
    let names = report.per_class.iter().map(|class| class.class.as_str());
    let plot = Plot::of_rows(
        form,
        TitledAxis::values("", ends, 6, percent),
        names,
        BESIDE,
    );
    let all = plot.x(report.accuracy);
    let content = html! {
        (Pen::dashed(Ink::Orange, 1.8, DASH).line((all, plot.top() - 4.0), (all, plot.floor())))
        @for (number, class) in report.per_class.iter().enumerate() { (row(class, number as f64, &plot)) }
        (overall(report, all, &plot))
    };
    plot.document(title, &content)
}

/// A class's accuracy with its interval, in row `number`.
fn row(class: &ClassAccuracy, number: f64, plot: &Plot) -> Markup {
    let value = class.accuracy.map_or("no images".to_owned(), |accuracy| {
        format!("{:.1} %", accuracy * 100.0)
    });
    let size = plot.text_size();
    let at = (plot.right() + 56.0, plot.y(number) + size * 0.35);
    html! {
        @if let (Some(accuracy), Some([low, high])) = (class.accuracy, class.ci95) {
            (plot.line(&[(low, number), (high, number)], Pen::solid(Ink::Blue, 2.0)))
            (svg::disc(plot.at((accuracy, number)), 5.0, Ink::Blue))
        }
        (Text::new(at, size, TextAnchor::End, Ink::Text, &value).draw())
    }
}

fn overall(report: &ClassificationReport, x: f64, plot: &Plot) -> Markup {
    let text = format!("all images {:.2} %", report.accuracy * 100.0);
    let anchor = if x > (plot.left() + plot.right()) / 2.0 {
        TextAnchor::End
    } else {
        TextAnchor::Start
    };
    let at = (x, plot.top() - 12.0);
    Text::new(at, plot.text_size(), anchor, Ink::Text, &text).draw()
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    #[test]
    fn a_class_without_images_says_so() {
        let classes = ["a", "b", "c"].map(str::to_owned);
        let report = ClassificationReport::new(
            &classes,
            &[0, 1, 1],
            &[
                vec![1.0, 0.0, 0.0],
                vec![0.0, 1.0, 0.0],
                vec![1.0, 0.0, 0.0],
            ],
        )
        .unwrap();
        for form in [Form::Wide, Form::Narrow] {
            let svg = draw(&report, form, "t");
            assert_sound(&svg);
            assert!(svg.contains("no images") && svg.contains("50.0 %"), "{svg}");
        }
    }
}
