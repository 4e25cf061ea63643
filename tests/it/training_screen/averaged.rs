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
        narrow.contains("● val ⠂ train"),
        "both curves are named\n{narrow}"
    );
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
fn the_crosshair_of_the_loss_has_both_losses_before_anything_else() {
    let mut app = app(&modern(), 80, 24);
    press(&mut app, "al");
    let last = example::epoch(example::EPOCHS);
    let (valid, train) = (last.valid_loss, last.train_loss);
    let curves = text(&app);
    let row = curves.lines().find(|row| row.contains("Curves")).unwrap();
    let (title, _) = row.split_once('┬').unwrap();
    let both = format!(" {valid:.4} valid. avg.  {train:.4} smoothed");
    assert!(curves.contains(&both), "{curves}");
    assert!(
        title.contains("epoch 30  rate ") && !title.contains(" % "),
        "{title}"
    );
}

#[test]
fn loss_and_accuracy_of_mixed_images_are_named_on_the_screen() {
    let mut events = modern();
    for event in &mut events {
        match event {
            Event::TrainingStarted(started) => started.settings.cutmix = 0.5,
            Event::TrainingEpoch(epoch) => epoch.cutmix = 0.5,
            _ => {}
        }
    }
    let narrow = text(&app(&events, 80, 24));
    assert!(narrow.contains("● valid. ⠂ mixed "), "{narrow}");
    let mut app = app(&events, 160, 50);
    maximise(&mut app, PanelId("curves"));
    let curves = text(&app);
    assert!(
        curves.contains("training (mixed images, smoothed loss)"),
        "{curves}"
    );
    let mut crosshair = self::app(&events, 80, 24);
    press(&mut crosshair, "l");
    let accuracy = format!(
        "{:.2} % mixed",
        100.0 * example::epoch(example::EPOCHS).train_accuracy
    );
    let curves = text(&crosshair);
    assert!(curves.contains(&accuracy), "{accuracy}: {curves}");
    maximise(&mut app, PanelId("progress"));
    let progress = text(&app);
    assert!(
        progress.contains("mixed acc")
            && progress.contains("training: images mixed in 50 % of the batches"),
        "{progress}"
    );
}

#[test]
fn without_them_the_screen_does_not_mention_them() {
    let plain = text(&app(&example::finished(), 160, 50));
    assert!(
        ["smoothed", "averaged", "mixed"]
            .iter()
            .all(|word| !plain.contains(word)),
        "{plain}"
    );
}
