//! The screen of a training with smoothed labels and averaged weights: which figures are of what.

use nas_tui::classification::MirroredAccuracy;
use nas_tui::config::WeightAverage;

use super::*;

/// The finished training, as if its recipe smoothed labels and averaged weights.
fn modern() -> Vec<Event> {
    let mut events = example::finished();
    for event in &mut events {
        match event {
            Event::TrainingStarted(started) => {
                started.settings.label_smoothing = 0.1;
                started.settings.weight_average = WeightAverage::LastHalfEpoch;
                started.settings.mirrored_test = true;
            }
            Event::TrainingEpoch(epoch) => {
                epoch.label_smoothing = 0.1;
                epoch.averaged = true;
            }
            Event::TestFinished(test) => {
                test.averaged = true;
                test.mirrored = Some(MirroredAccuracy {
                    images: test.report.images,
                    correct: test.report.correct + 7,
                    accuracy: test.report.accuracy + 0.007,
                    accuracy_ci95: test.report.accuracy_ci95,
                    loss: test.report.loss,
                });
            }
            _ => {}
        }
    }
    events
}

#[test]
fn smoothed_loss_averaged_weights_and_mirrored_test_are_named_on_the_screen() {
    let mut wide = app(&modern(), 160, 50);
    let header = text(&wide);
    assert!(
        header.contains(", averaged weights)") && header.contains("mirrored 91.10 %"),
        "{header}"
    );
    maximise(&mut wide, PanelId("curves"));
    let curves = text(&wide);
    assert!(
        curves.contains("training (smoothed loss)")
            && curves.contains("validation (averaged weights)"),
        "{curves}"
    );
    let narrow = text(&app(&modern(), 80, 24));
    assert!(narrow.contains("(epoch 22, avg.)"), "{narrow}");
    assert!(
        !narrow.contains("⠂ smoothed"),
        "only the loss is smoothed\n{narrow}"
    );
    let mut app = app(&modern(), 80, 24);
    maximise(&mut app, PanelId("progress"));
    let progress = text(&app);
    assert!(
        progress.contains("smoothed")
            && progress.contains("loss in training: labels smoothed by 0.1")
            && progress.contains("val: of averaged weights"),
        "{progress}"
    );
    maximise(&mut app, PanelId("test"));
    let test = text(&app);
    assert!(
        test.contains("averaged weights of epoch 22") && test.contains("with mirror images"),
        "{test}"
    );
}

#[test]
fn without_them_the_screen_does_not_mention_them() {
    let plain = text(&app(&example::finished(), 160, 50));
    assert!(
        !plain.contains("smoothed") && !plain.contains("averaged"),
        "{plain}"
    );
}
