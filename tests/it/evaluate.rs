//! `nas-tui evaluate`: accuracy and predictions on test images, and input that does not belong together.

use std::path::Path;
use std::process::{Command, Output};

use nas_tui::child::{Plan, weights};
use nas_tui::data::Layout;
use nas_tui::space::{Architecture, Layer};

use crate::seeded_network;

fn architecture(input: [usize; 3]) -> Architecture {
    let layer = Layer { kernel: [3, 3], filters: 6, stride: [2, 2], padding: [1, 1], inputs: vec![0] };
    Architecture { name: "evaluated".to_owned(), input, classes: 10, layers: vec![layer], output: vec![1] }
}

/// Write `a.json` and `w.safetensors` for a network with random weights.
fn write_network(folder: &Path, input: [usize; 3]) {
    let architecture = architecture(input);
    let network = seeded_network(&architecture, Plan::plain(&architecture, Layout::Contiguous), 4);
    weights::save(&network, &folder.join("w.safetensors")).unwrap();
    std::fs::write(folder.join("a.json"), serde_json::to_string(&architecture).unwrap()).unwrap();
}

fn evaluate(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command.current_dir(folder).args(["evaluate", "a.json", "--weights", "w.safetensors"]).args(more).output().unwrap()
}

#[test]
fn predictions_have_a_row_per_image_in_order_whose_largest_logit_is_the_prediction() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let output = evaluate(folder.path(), &["--limit", "130", "--predictions", "p.csv", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
    let mut lines = text.lines();
    let logits: String = (0..10).map(|class| format!(",logit_{class}")).collect();
    assert_eq!(lines.next(), Some(format!("index,label,prediction{logits}").as_str()));
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|value| value.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), 130);
    for (index, row) in rows.iter().enumerate() {
        let best = row[3..].iter().copied().fold(f64::MIN, f64::max);
        assert_eq!((row[0], row[3 + row[2] as usize]), (index as f64, best));
    }
    let correct = rows.iter().filter(|row| row[1] == row[2]).count();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&result["images"], &result["correct"]), (&130.into(), &correct.into()));
    assert_eq!(result["accuracy"].as_f64(), Some(correct as f64 / 130.0));
}

#[test]
fn a_network_for_other_images_than_the_datas_is_bad_input_and_both_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [3, 32, 32]);
    let output = evaluate(folder.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("[3, 32, 32]") && error.contains("[1, 28, 28]"), "{error}");
}

#[test]
fn weights_that_are_not_there_are_bad_input_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    std::fs::remove_file(folder.path().join("w.safetensors")).unwrap();
    let output = evaluate(folder.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("w.safetensors"), "{error}");
}
