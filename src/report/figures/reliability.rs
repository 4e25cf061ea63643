//! Reliability: is a network right as often as it is confident? (Guo et al. 2017)

use maud::{Markup, html};

use super::ink::Ink;
use super::plot::{DASH, LegendKey, Mark, Plot, TitledAxis};
use super::svg::{self, Form, Pen};
use crate::classification::proportion::wilson;
use crate::classification::{Bin, Calibration};
use crate::foundation::axis::percent;

/// The figure: accuracy against confidence in bins, with intervals, beside the line of perfect
/// calibration; the images of each bin as bars at the bottom.
pub fn draw(calibration: &Calibration, form: Form, title: &str) -> String {
    let x = TitledAxis::values("confidence", (0.0, 1.0), 6, percent);
    let y = TitledAxis::values("accuracy", (0.0, 1.0), 6, percent);
    let keys = vec![
        LegendKey::new(Mark::Dashes, Ink::Muted, "as sure as right"),
        LegendKey::new(Mark::Dot, Ink::Blue, "a bin, with 95 % interval"),
        LegendKey::new(Mark::Band, Ink::Orange, "its images"),
    ];
    let plot = Plot::new(form, x, y, keys);
    let bins = || calibration.bins.iter().filter(|bin| bin.images > 0);
    plot.document(
        title,
        &html! {
            (svg::all(bins().map(|bin| share(bin, calibration, &plot))))
            (plot.line(&[(0.0, 0.0), (1.0, 1.0)], Pen::dashed(Ink::Muted, 1.6, DASH)))
            (svg::all(bins().map(|bin| point(bin, &plot))))
        },
    )
}

/// The bin's share of the images, as a bar of at most a third of the height.
fn share(bin: &Bin, calibration: &Calibration, plot: &Plot) -> Markup {
    let most = calibration
        .bins
        .iter()
        .map(|bin| bin.images)
        .max()
        .unwrap_or(0)
        .max(1);
    let height = bin.images as f64 / most as f64 / 3.0;
    let (left, top) = plot.at((bin.from, height));
    svg::area(
        (left + 1.0, top),
        (plot.x(bin.to) - left - 2.0, plot.floor() - top),
        Ink::Orange,
        0.3,
    )
}

fn point(bin: &Bin, plot: &Plot) -> Markup {
    let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) else {
        return html! {};
    };
    let [low, high] = wilson((accuracy * bin.images as f64).round() as usize, bin.images);
    html! {
        (plot.line(&[(confidence, low), (confidence, high)], Pen::solid(Ink::Blue, 1.8)))
        (svg::disc(plot.at((confidence, accuracy)), 4.6, Ink::Blue))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_sound;
    use super::*;

    #[test]
    fn one_answer_and_many_are_drawn() {
        for answers in [
            vec![(1.0, true)],
            (0..100)
                .map(|n| (f64::from(n) / 100.0, n % 3 == 0))
                .collect(),
        ] {
            for form in [Form::Wide, Form::Narrow] {
                assert_sound(&draw(&Calibration::of(&answers), form, "t"));
            }
        }
    }
}
