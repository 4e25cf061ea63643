//! Scales, legends and positions.

use proptest::prelude::*;

use super::*;
use crate::foundation::axis::{percent, plain};

fn labels(scale: &TitledAxis) -> Vec<&str> {
    scale
        .ticks
        .iter()
        .map(|(_, label)| label.as_str())
        .collect()
}

#[test]
fn ticks_are_round_and_distinguish_values() {
    assert_eq!(
        labels(&TitledAxis::values("", (0.04, 0.37), 5, plain)),
        ["0.0", "0.1", "0.2", "0.3", "0.4"]
    );
    assert_eq!(
        labels(&TitledAxis::values("", (0.42, 0.71), 5, percent)),
        ["40 %", "50 %", "60 %", "70 %", "80 %"]
    );
    assert_eq!(
        labels(&TitledAxis::values("", (0.9112, 0.9128), 5, percent))[..2],
        ["91.10 %", "91.15 %"]
    );
    assert_eq!(
        labels(&TitledAxis::counts("", 1, 96, 6)),
        ["1", "20", "40", "60", "80"]
    );
    assert_eq!(
        labels(&TitledAxis::counts("", 1, 6, 8)),
        ["1", "2", "3", "4", "5", "6"]
    );
    assert_eq!(labels(&TitledAxis::counts("", 1, 1, 8)), ["1"]);
    assert_eq!(
        labels(&TitledAxis::counts("", 99_999_999_981, 100_000_000_000, 2)),
        ["99,999,999,981", "99,999,999,990", "100,000,000,000"]
    );
}

#[test]
fn a_legend_continues_in_the_next_row() {
    let keys: Vec<LegendKey> = ["children", "mean of the episode", "best so far"]
        .map(|text| LegendKey::new(Mark::Line, Ink::Blue, text))
        .into();
    let (placed, rows) = place(keys.clone(), 760.0, 12.0);
    assert_eq!((placed.len(), rows), (3, 1));
    assert_eq!(place(keys, 200.0, 12.0).1, 3);
}

proptest! {
    #[test]
    fn every_value_is_drawn_inside_the_plot(low in -1e3..1e3f64, span in 0.0..1e3f64, values in prop::collection::vec(any::<f64>(), 1..20)) {
        let scale = || TitledAxis::values("", (low, low + span), 5, plain);
        let plot = Plot::new(Form::Narrow, scale(), scale(), Vec::new());
        for value in values {
            let (x, y) = plot.at((value, value));
            prop_assert!((0.0..=plot.size.0).contains(&x) && (0.0..=plot.size.1).contains(&y), "{value}: {x} {y}");
        }
    }

    #[test]
    fn counts_have_few_and_whole_ticks(first in prop_oneof![0u64..1_000, 0u64..1 << 50], count in 0u64..100_000, most in 2usize..12) {
        let scale = TitledAxis::counts("", first, first + count, most);
        prop_assert!(!scale.ticks.is_empty() && scale.ticks.len() <= most + 2, "{:?}", scale.ticks);
        prop_assert!(scale.ticks.iter().all(|(value, _)| value.fract() == 0.0 && *value >= first as f64 && *value <= (first + count) as f64));
    }
}
