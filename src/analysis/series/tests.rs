//! The series of small runs.

use proptest::prelude::*;

use super::*;

#[test]
fn the_first_smoothed_value_is_the_first_value_and_equal_values_stay() {
    let mut smoothed = Smoothed::over(16);
    assert!(
        [0.25; 40]
            .iter()
            .all(|value| (smoothed.take(*value) - 0.25).abs() < 1e-15)
    );
}

#[test]
fn smoothing_weights_values_by_their_age() {
    let mut smoothed = Smoothed::over(2);
    let rate: f64 = 2.0 / 5.0;
    let expected = (0.9 * rate + 0.5 * rate * (1.0 - rate)) / (1.0 - (1.0 - rate).powi(2));
    smoothed.take(0.5);
    assert!((smoothed.take(0.9) - expected).abs() < 1e-15);
}

#[test]
fn stairs_are_level_until_the_next_point() {
    let corners = stairs([(1, 0.2), (3, 0.4)]);
    assert_eq!(corners, [(1, 0.2), (3, 0.2), (3, 0.4)]);
}

proptest! {
    #[test]
    fn a_smoothed_value_lies_within_the_range_of_its_values(values in prop::collection::vec(0.0..1.0f64, 1..60), per_episode in 1u64..20) {
        let mut smoothed = Smoothed::over(per_episode);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            (low, high) = (low.min(value), high.max(value));
            let average = smoothed.take(value);
            prop_assert!(low - 1e-12 <= average && average <= high + 1e-12);
        }
    }
}
