//! The screen of a training that began with given weights: its panel says with which.

use nas_tui::event::{EarlierTraining, InitialWeights};

use super::*;

fn panel(initial: InitialWeights, width: u16, height: u16) -> String {
    let mut events = example::running(18);
    for event in &mut events {
        if let Event::TrainingStarted(started) = event {
            started.initial = Some(initial.clone());
        }
    }
    let mut app = app(&events, width, height);
    maximise(&mut app, PanelId("progress"));
    text(&app)
}

fn earlier(before: Option<InitialWeights>) -> InitialWeights {
    InitialWeights {
        file: "runs/night".into(),
        training: Some(EarlierTraining {
            run: "night".into(),
            epochs: 34,
            valid_accuracy: 0.8972,
            test_accuracy: Some(0.8959),
            data: "cifar10:images".into(),
            fingerprint: "57ffd63b".into(),
            before: before.map(Box::new),
        }),
        mean_with: Vec::new(),
    }
}

fn unknown() -> InitialWeights {
    InitialWeights {
        file: "weights.safetensors".into(),
        training: None,
        mean_with: Vec::new(),
    }
}

#[test]
fn the_run_its_epochs_and_its_accuracy_are_named() {
    for (width, height) in SIZES {
        let shown = panel(earlier(None), width, height);
        assert!(
            shown.contains("begun with night: 34 epochs, val 89.72 %"),
            "{shown}"
        );
    }
}

#[test]
fn a_mean_is_said_to_be_one_with_the_most_epochs_of_its_weights() {
    let mut initial = earlier(None);
    initial.mean_with.push(earlier(Some(earlier(None))));
    let shown = panel(initial, 80, 24);
    assert!(
        shown.contains("begun with the mean of 2 weight files: up to 68 epochs"),
        "{shown}"
    );
}

#[test]
fn epochs_of_weights_whose_history_is_not_whole_are_at_least_so_many() {
    let shown = panel(earlier(Some(unknown())), 80, 24);
    assert!(
        shown.contains("begun with night: at least 34 epochs, val 89.72 %"),
        "{shown}"
    );
}

#[test]
fn weights_of_unknown_training_are_called_so() {
    let shown = panel(unknown(), 80, 24);
    assert!(
        shown.contains("begun with weights of unknown training"),
        "{shown}"
    );
}

#[test]
fn a_training_that_began_with_random_weights_says_nothing_of_it() {
    let mut app = running(80, 24);
    maximise(&mut app, PanelId("progress"));
    assert!(!text(&app).contains("begun"), "{}", text(&app));
}
