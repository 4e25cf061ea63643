//! The learning rate below a chart: each value at the epoch where it starts or, if it changes all
//! the time, a height for each epoch.

use crate::event::TrainingEpoch;
use crate::foundation::numbers::learning_rate;
use crate::tui::paint::Painter;
use crate::tui::plot::{Frame, Span};
use crate::tui::theme::Role;

/// Maximum number of values written out.
const MOST: usize = 8;

/// Draw the rates of the epochs in view into `row`, under the plot.
pub fn draw(
    painter: &mut Painter<'_>,
    row: usize,
    frame: &Frame,
    span: Span,
    epochs: &[TrainingEpoch],
) {
    let in_view: Vec<&TrainingEpoch> = epochs
        .iter()
        .filter(|epoch| span.contains(epoch.epoch as u64))
        .collect();
    if in_view.is_empty() {
        return;
    }
    painter.text(0, row, Role::Dim, "rate");
    let steps = steps(&in_view);
    if steps.len() <= MOST {
        draw_steps(painter, row, frame, span, &steps);
    } else {
        draw_heights(painter, row, frame, span, &in_view);
    }
}

/// The epochs whose rate differs from the previous one, with that rate.
fn steps(epochs: &[&TrainingEpoch]) -> Vec<(usize, f64)> {
    let mut steps: Vec<(usize, f64)> = Vec::new();
    for epoch in epochs {
        let same = steps
            .last()
            .is_some_and(|(_, rate)| (rate - epoch.learning_rate).abs() <= rate.abs() * 1e-9);
        if !same {
            steps.push((epoch.epoch, epoch.learning_rate));
        }
    }
    steps
}

fn draw_steps(
    painter: &mut Painter<'_>,
    row: usize,
    frame: &Frame,
    span: Span,
    steps: &[(usize, f64)],
) {
    let mut free = frame.left();
    for (index, (epoch, value)) in steps.iter().enumerate() {
        let Some(column) = span
            .column(*epoch as u64, frame.columns)
            .map(|column| frame.left() + column)
        else {
            continue;
        };
        let text = learning_rate(*value);
        // The rate of the first epoch in view applies from the edge on.
        let start = if index == 0 {
            frame.left()
        } else {
            column.min(frame.left() + frame.columns.saturating_sub(text.len()))
        };
        if index > 0 {
            painter.text(column, frame.floor(), Role::Baseline, painter.glyphs().down);
        }
        if start >= free {
            free = painter.text(start, row, Role::Text, &text) + 1;
        }
    }
}

/// Columns as high as the rate, relative to the highest in view.
fn draw_heights(
    painter: &mut Painter<'_>,
    row: usize,
    frame: &Frame,
    span: Span,
    epochs: &[&TrainingEpoch],
) {
    let levels = painter.glyphs().levels;
    let highest = epochs
        .iter()
        .map(|epoch| epoch.learning_rate)
        .fold(f64::MIN_POSITIVE, f64::max);
    let mut next = 0;
    for epoch in epochs {
        let Some(column) = span.column(epoch.epoch as u64, frame.columns) else {
            continue;
        };
        let level = (epoch.learning_rate / highest * 8.0).ceil().clamp(0.0, 8.0) as usize;
        // An epoch fills the columns up to those of the previous one.
        for column in next..=column {
            painter.text(frame.left() + column, row, Role::Baseline, levels[level]);
        }
        next = column + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_an_epoch_with_another_rate_than_the_previous_one() {
        let epoch = |(number, learning_rate): (usize, f64)| TrainingEpoch {
            epoch: number,
            train_loss: 1.0,
            train_accuracy: 0.5,
            valid_loss: 1.0,
            valid_accuracy: 0.5,
            learning_rate,
            images_per_second: 1.0,
            seconds: 1.0,
            ..TrainingEpoch::default()
        };
        let epochs = [
            (1, 0.1),
            (2, 0.1),
            (3, 0.1 * 0.1),
            (4, 0.010_000_000_000_000_002),
            (5, 0.1),
        ]
        .map(epoch);
        let steps: Vec<usize> = steps(&epochs.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|(epoch, _)| epoch)
            .collect();
        assert_eq!(steps, [1, 3, 5]);
    }
}
