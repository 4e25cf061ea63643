//! The keys that the last row of a training offers.

use super::*;

fn footer(app: &App) -> String {
    text(app).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_scale_that_is_logarithmic_is_offered_to_be_linear() {
    let mut app = finished(120, 40);
    assert!(footer(&app).contains("o log scale"), "{}", footer(&app));
    press(&mut app, "o");
    assert!(footer(&app).contains("o linear"), "{}", footer(&app));
}

#[test]
fn the_matrix_is_offered_in_percent_only_once_there_is_one() {
    for (mut app, is_tested) in [(running(80, 24), false), (finished(80, 24), true)] {
        maximise(&mut app, PanelId("test"));
        assert_eq!(
            footer(&app).contains("v percent"),
            is_tested,
            "{}",
            footer(&app)
        );
    }
}
