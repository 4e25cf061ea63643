//! Numbers in words.

use super::*;

#[test]
fn accuracy_is_a_percentage_and_reward_is_not() {
    assert_eq!(
        (accuracy(0.8456).as_str(), reward(0.6046).as_str()),
        ("84.56 %", "0.6046")
    );
}

#[test]
fn a_figure_that_has_diverged_has_six_digits_and_a_power_of_ten() {
    let diverged = 1_011_199_999_999_999_962_419_036_160.0;
    assert_eq!(
        [2.345_67, 999_999.5, diverged, -1e99].map(loss),
        ["2.3457", "999999.5000", "1.0112e27", "-1e99"]
    );
    assert_eq!(
        [energy(1e99), coarse_energy(1e99), round(1e99)],
        ["1e96 kWh", "1e96 kWh", "1e99"]
    );
    assert_eq!([0.1, 1.5e9, 1e99].map(exact), ["0.1", "1500000000", "1e99"]);
}

#[test]
fn a_signed_value_that_rounds_to_zero_has_no_sign() {
    let texts = [0.0123, -0.3, -0.0003, 0.0, -0.0].map(|value| signed(value, 3));
    assert_eq!(texts, ["+0.012", "-0.300", "0.000", "0.000", "0.000"]);
}

#[test]
fn a_short_training_takes_tenths_of_a_second() {
    let texts = [0.96, 5.96, 59.96, 75.0, 3_661.4].map(training_time);
    assert_eq!(texts, ["1.0 s", "6.0 s", "1:00", "1:15", "1:01:01"]);
}

#[test]
fn counts_are_grouped_by_thousands() {
    let texts: Vec<String> = [0, 999, 1_000, 275_122, 4_201_630]
        .into_iter()
        .map(count)
        .collect();
    assert_eq!(texts, ["0", "999", "1,000", "275,122", "4,201,630"]);
}

#[test]
fn compact_counts_keep_three_digits() {
    let texts: Vec<String> = [812, 9_990, 14_220, 999_400, 4_201_630, 1_330_000_000]
        .into_iter()
        .map(compact)
        .collect();
    assert_eq!(
        texts,
        ["812", "9.99 k", "14.2 k", "999 k", "4.20 M", "1.33 G"]
    );
}

#[test]
fn memory_is_written_in_a_suitable_unit() {
    assert_eq!(
        [1, 12 << 10, 320 << 20, (3 << 30) / 2].map(bytes),
        ["1 KiB", "12 KiB", "320 MiB", "1.5 GiB"]
    );
}

#[test]
fn round_values_are_as_short_as_possible() {
    assert_eq!(
        [0.5, 20.0, 5e5, 2e6, 1.5e9, 3e13].map(round),
        ["0.5", "20", "500 k", "2 M", "1.5 G", "30 T"]
    );
}

#[test]
fn energies_have_three_digits_and_growing_ones_fewer() {
    let texts: Vec<String> = [0.0823, 0.5, 12.34, 999.4, 1_234.0]
        .into_iter()
        .map(energy)
        .collect();
    assert_eq!(
        texts,
        ["0.0823 Wh", "0.500 Wh", "12.3 Wh", "999 Wh", "1.23 kWh"]
    );
    let texts: Vec<String> = [0.0823, 9.94, 12.34, 1_234.0]
        .into_iter()
        .map(coarse_energy)
        .collect();
    assert_eq!(texts, ["0.1 Wh", "9.9 Wh", "12 Wh", "1.23 kWh"]);
}

#[test]
fn durations_grow_from_minutes_to_days_and_never_fail() {
    let texts: Vec<String> = [7.9, 754.0, 3_723.0, 183_845.0, -3.0, f64::NAN]
        .into_iter()
        .map(duration)
        .collect();
    assert_eq!(
        texts,
        ["0:07", "12:34", "1:02:03", "2 d 03:04", "0:00", "0:00"]
    );
}

#[test]
fn estimates_are_round() {
    let texts: Vec<String> = [
        0.2, 3.0, 41.0, 58.0, 103.0, 140.0, 290.0, 1_000.0, 3_590.0, 5_000.0, 180_000.0,
    ]
    .into_iter()
    .map(estimate)
    .collect();
    let expected = [
        "1 s",
        "3 s",
        "40 s",
        "60 s",
        "100 s",
        "2.5 min",
        "5 min",
        "17 min",
        "1 h 00 min",
        "1 h 20 min",
        "2 d 2 h",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn rounding_changes_an_estimate_of_two_seconds_or_more_by_no_more_than_a_fifth() {
    for tenths in 20..2_000_000 {
        let seconds = f64::from(tenths) / 10.0;
        let ratio = estimated(seconds) as f64 / seconds;
        assert!((0.8..=1.2).contains(&ratio), "{seconds}: {ratio}");
    }
}

#[test]
fn the_ends_of_a_range_share_their_unit() {
    let texts = [
        [240.0, 2_700.0],
        [3_000.0, 7_800.0],
        [7_200.0, 7_800.0],
        [100.0, 101.0],
        [110.0, 130.0],
        [120.0, 120.0],
    ]
    .map(estimate_between);
    let expected = [
        "4 to 45 min",
        "50 min to 2 h 10 min",
        "2 h 00 min to 2 h 10 min",
        "100 to 110 s",
        "110 s to 2.5 min",
        "2 min",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn what_is_between_the_ends_of_a_range_is_between_those_shown() {
    for tenths in 10..2_000_000 {
        let seconds = f64::from(tenths) / 10.0;
        let [low, high] = estimated_between([seconds, seconds]).map(|end| end as f64);
        assert!(low <= seconds && seconds <= high, "{low} to {high}");
    }
}

#[test]
fn consecutive_layer_numbers_become_a_range() {
    assert_eq!(layers(&[12, 1, 3, 6, 7, 8]), "1, 3, 6-8, 12");
    assert_eq!(layers(&[0, 1, 2]), "image, 1, 2");
    assert_eq!(layers(&[4, 5]), "4, 5");
}

#[test]
fn rates_are_written_in_as_few_digits_as_possible() {
    let texts: Vec<String> = [
        0.1, 0.01, 0.001, 0.0001, 0.000_01, 0.000_025, 0.076_125, 100.0, 0.0,
    ]
    .map(learning_rate)
    .to_vec();
    assert_eq!(
        texts,
        [
            "0.1", "0.01", "0.001", "0.0001", "1e-5", "2.5e-5", "0.0761", "100", "0"
        ]
    );
}

#[test]
fn small_rates_are_written_with_a_power_of_ten() {
    assert_eq!([0.05, 0.000_012].map(learning_rate), ["0.05", "1.2e-5"]);
}

#[test]
fn consecutive_numbers_are_shown_as_ranges() {
    assert_eq!(ranges(&[1, 2, 5, 6, 7, 8, 10], ","), "1,2,5-8,10");
    assert_eq!(ranges(&[3, 2, 1], ", "), "3, 2, 1");
    assert_eq!(ranges(&[0], ","), "0");
    assert_eq!(ranges(&[u64::MAX], ","), u64::MAX.to_string());
}
