//! Accuracy on the images of each class, with its interval.

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{DASH, empty};
use super::svg::{self, Anchor, Form, Pen, Text, shortened, text_width};
use crate::classification::ClassAccuracy;
use crate::classification::ClassificationReport;
use crate::foundation::axis::Axis;
use crate::foundation::axis::percent;

/// Height of a class's row.
const ROW: f64 = 24.0;
const TOP: f64 = 30.0;
/// With more classes than this, the report has only a table.
const MOST: usize = 120;

/// The figure: the classes in order, and the accuracy on all images as a dashed line.
pub fn draw(report: &ClassificationReport, form: Form, title: &str) -> String {
    let classes = report.per_class.len();
    if classes == 0 || classes > MOST {
        return empty(
            form,
            &format!("{classes} classes are too many to draw; the table has them all."),
        );
    }
    let size = form.text_size();
    let widest = if form == Form::Wide { 190.0 } else { 92.0 };
    let names = report
        .per_class
        .iter()
        .map(|class| text_width(&class.class, size))
        .fold(0.0, f64::max)
        .min(widest);
    let lowest = report
        .per_class
        .iter()
        .filter_map(|class| class.ci95)
        .map(|[low, _]| low)
        .fold(report.accuracy, f64::min);
    let highest = report
        .per_class
        .iter()
        .filter_map(|class| class.ci95)
        .map(|[_, high]| high)
        .fold(report.accuracy, f64::max);
    let field = Field {
        left: names + 18.0,
        right: form.width() - 62.0,
        axis: Axis::covering(lowest, highest, 6),
        size,
    };
    let bottom = TOP + ROW * classes as f64;
    let content = html! {
        (field.grid(bottom))
        (Pen::dashed(Ink::Orange, 1.8, DASH).line((field.x(report.accuracy), TOP - 4.0), (field.x(report.accuracy), bottom)))
        @for (number, class) in report.per_class.iter().enumerate() { (field.class(class, TOP + (number as f64 + 0.5) * ROW, names)) }
        (field.overall(report))
    };
    svg::document((form.width(), bottom + 28.0), title, &content)
}

struct Field {
    left: f64,
    right: f64,
    axis: Axis,
    size: f64,
}

impl Field {
    fn x(&self, share: f64) -> f64 {
        self.left + self.axis.fraction(share) * (self.right - self.left)
    }

    fn text<'a>(&self, at: (f64, f64), anchor: Anchor, ink: Ink, text: &'a str) -> Text<'a> {
        Text {
            at,
            size: self.size,
            anchor,
            ink,
            bold: false,
            text,
        }
    }

    fn grid(&self, bottom: f64) -> Markup {
        let tick = |value: f64| {
            let x = self.x(value);
            let label = percent(value, self.axis.decimals());
            html! {
                (Pen::solid(Ink::Grid, 1.0).line((x, TOP - 4.0), (x, bottom)))
                (self.text((x, bottom + 18.0), Anchor::Middle, Ink::Muted, &label).draw())
            }
        };
        svg::all(self.axis.ticks().map(tick))
    }

    fn class(&self, class: &ClassAccuracy, y: f64, room: f64) -> Markup {
        let name = shortened(&class.class, room, self.size);
        let baseline = y + self.size * 0.35;
        let value = class.accuracy.map_or("no images".to_owned(), |accuracy| {
            format!("{:.1} %", accuracy * 100.0)
        });
        html! {
            (self.text((self.left - 10.0, baseline), Anchor::End, Ink::Text, &name).draw())
            @if let (Some(accuracy), Some([low, high])) = (class.accuracy, class.ci95) {
                (Pen::solid(Ink::Blue, 2.0).line((self.x(low), y), (self.x(high), y)))
                (svg::disc((self.x(accuracy), y), 5.0, Ink::Blue))
            }
            (self.text((self.right + 56.0, baseline), Anchor::End, Ink::Text, &value).draw())
        }
    }

    fn overall(&self, report: &ClassificationReport) -> Markup {
        let text = format!("all images {:.2} %", report.accuracy * 100.0);
        let x = self.x(report.accuracy);
        let anchor = if x > (self.left + self.right) / 2.0 {
            Anchor::End
        } else {
            Anchor::Start
        };
        self.text((x, TOP - 12.0), anchor, Ink::Text, &text).draw()
    }
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
