//! The confusion matrix: how many images of each class (rows) were classified as each class
//! (columns).

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::empty;
use super::svg::{self, Form, Text, TextAnchor, shortened, text_width};
use crate::classification::ClassificationReport;
use crate::foundation::numbers::count;

/// Narrower cells have no number, and lower rows no name.
const ROOM_FOR_NUMBER: f64 = 17.0;
const ROOM_FOR_NAME: f64 = 9.5;
/// Share of a row from which on its cell is so dark that its number is drawn in the colour of
/// paper.
const DARK: f64 = 0.55;

struct Matrix<'a> {
    report: &'a ClassificationReport,
    classes: usize,
    left: f64,
    top: f64,
    cell: f64,
    size: f64,
}

/// The figure.
pub fn draw(report: &ClassificationReport, form: Form, title: &str) -> String {
    let classes = report.per_class.len();
    if classes == 0 {
        return empty(form, "There are no classes.");
    }
    let (widest, square) = match form {
        Form::Wide => (150.0, 520.0),
        Form::Narrow => (70.0, 340.0),
    };
    let size = form.text_size();
    let names = report.per_class.iter().map(|class| class.class.as_str());
    let names = svg::widest(names, size).min(widest);
    let left = if form == Form::Wide {
        names + 40.0
    } else {
        names + 24.0
    };
    // The last slanted name extends beyond its column.
    let beyond = report
        .per_class
        .last()
        .map_or(0.0, |class| {
            text_width(&class.class, size).min(widest) * 0.72 - 8.0
        })
        .max(0.0);
    let room = if form == Form::Wide {
        square
    } else {
        form.width() - left - 4.0 - beyond
    };
    let cell = (room / classes as f64).min(52.0);
    let matrix = Matrix {
        report,
        classes,
        left,
        top: names * 0.72 + 34.0,
        cell,
        size,
    };
    let height = matrix.top + cell * classes as f64 + 10.0;
    let titles = matrix.titles();
    svg::document(
        (form.width(), height),
        title,
        &html! { (matrix.cells()) @if cell >= ROOM_FOR_NAME { (matrix.names(names)) } (titles) },
    )
}

impl Matrix<'_> {
    fn cells(&self) -> Markup {
        let rows = self.report.confusion.iter().enumerate();
        svg::all(rows.flat_map(|(row, counts)| {
            let images: usize = counts.iter().sum();
            counts
                .iter()
                .enumerate()
                .map(move |(column, count)| self.cell(row, column, *count, images))
        }))
    }

    fn cell(&self, row: usize, column: usize, images: usize, of: usize) -> Markup {
        let (x, y) = (
            self.left + column as f64 * self.cell,
            self.top + row as f64 * self.cell,
        );
        let share = images as f64 / of.max(1) as f64;
        // Right answers are blue, wrong ones orange; even a rare mistake is visible, because
        // readers look for mistakes.
        let (ink, opacity) = if row == column {
            (Ink::Blue, share)
        } else {
            (Ink::Vermilion, (share * 2.5).min(1.0))
        };
        let ground = svg::area((x, y), (self.cell - 1.0, self.cell - 1.0), Ink::Grid, 0.35);
        let size = (self.cell * 0.36).min(self.size);
        let dark = opacity > DARK;
        let text = count(images as u64);
        let half = (self.cell - 1.0) / 2.0;
        let at = (x + half, y + half + size * 0.35);
        let number = if dark { Ink::Paper } else { Ink::Text };
        let label = Text::new(at, size, TextAnchor::Middle, number, &text).bold(row == column);
        html! {
            (ground)
            @if images > 0 {
                (svg::area((x, y), (self.cell - 1.0, self.cell - 1.0), ink, opacity.max(0.04)))
                @if self.cell >= ROOM_FOR_NUMBER { (label.draw()) }
            }
        }
    }

    /// Names of the classes, at the rows and slanted at the columns.
    fn names(&self, widest: f64) -> Markup {
        let size = self.size.min(self.cell * 0.9);
        let classes = self.report.per_class.iter().enumerate();
        let names: Vec<(f64, String)> = classes
            .map(|(number, class)| (number as f64, shortened(&class.class, widest, size)))
            .collect();
        let row = |(number, name): &(f64, String)| {
            let y = self.top + (number + 0.5) * self.cell + size * 0.35;
            Text::new((self.left - 8.0, y), size, TextAnchor::End, Ink::Text, name).draw()
        };
        let column = |(number, name): &(f64, String)| {
            let at = (self.left + (number + 0.45) * self.cell, self.top - 7.0);
            Text::new(at, size, TextAnchor::Start, Ink::Text, name).draw_turned(-45.0)
        };
        html! { (svg::all(names.iter().map(row))) (svg::all(names.iter().map(column))) }
    }

    fn titles(&self) -> Markup {
        let title = |at, anchor, text| Text::new(at, self.size, anchor, Ink::Muted, text);
        let middle = self.top + self.cell * self.classes as f64 / 2.0;
        html! {
            (title((self.left, self.size + 2.0), TextAnchor::Start, "taken for").draw())
            (title((12.0, middle), TextAnchor::Middle, "class").draw_turned(-90.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    fn report(classes: usize) -> ClassificationReport {
        let names: Vec<String> = (0..classes)
            .map(|class| format!("class <{class}>"))
            .collect();
        let labels: Vec<usize> = (0..classes * 7).map(|image| image % classes).collect();
        let logits: Vec<Vec<f64>> = labels
            .iter()
            .enumerate()
            .map(|(image, label)| {
                (0..classes)
                    .map(|class| {
                        if class == (label + image % 3) % classes {
                            2.0
                        } else {
                            0.0
                        }
                    })
                    .collect()
            })
            .collect();
        ClassificationReport::new(&names, &labels, &logits).unwrap()
    }

    #[test]
    fn one_class_and_a_hundred_are_drawn() {
        for classes in [1, 10, 100] {
            for form in [Form::Wide, Form::Narrow] {
                assert_sound(&draw(&report(classes), form, "t"));
            }
        }
    }

    #[test]
    fn the_numbers_of_images_are_in_their_cells() {
        let report = report(10);
        let svg = draw(&report, Form::Wide, "t");
        let numbers = roxmltree::Document::parse(&svg)
            .unwrap()
            .descendants()
            .filter(|node| node.has_tag_name("text"))
            .filter(|node| {
                node.text()
                    .is_some_and(|text| text.chars().all(|c| c.is_ascii_digit()))
            })
            .count();
        assert_eq!(
            numbers,
            report
                .confusion
                .iter()
                .flatten()
                .filter(|images| **images > 0)
                .count()
        );
    }

    #[test]
    fn a_cell_that_is_too_small_has_no_number() {
        assert_eq!(
            draw(&report(100), Form::Narrow, "t")
                .matches("<text")
                .count(),
            2,
            "the two titles"
        );
    }
}
