//! `nas-tui evaluate`: accuracy and predictions on test images, and inputs that do not match.

mod compared;
mod drop;
mod image_folders;

use std::path::Path;
use std::process::{Command, Output};

use nas_tui::classification::ClassificationReport;
use nas_tui::classification::proportion::{difference, wilson};

use nas_tui::child::{Plan, weights};
use nas_tui::config::Decode;
use nas_tui::data::Layout;
use nas_tui::space::{Architecture, Layer, resolve_architecture};

use crate::reference::{cifar_images, nascnn15, write_weights};
use crate::{cifar10_1, seeded_network};

fn architecture(input: [usize; 3]) -> Architecture {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 6,
        stride: [2, 2],
        padding: [1, 1],
        inputs: vec![0],
    };
    Architecture {
        name: "evaluated".to_owned(),
        input,
        classes: 10,
        layers: vec![layer],
        output: vec![1],
    }
}

/// Write `a.json` and `w.safetensors` for a network with random weights.
fn write_network(folder: &Path, input: [usize; 3]) {
    let architecture = architecture(input);
    let network = seeded_network(
        &architecture,
        Plan::plain(&architecture, Layout::Contiguous),
        4,
    );
    weights::save(&network, &folder.join("w.safetensors")).unwrap();
    std::fs::write(
        folder.join("a.json"),
        serde_json::to_string(&architecture).unwrap(),
    )
    .unwrap();
}

fn evaluate(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .current_dir(folder)
        .args(["evaluate", "a.json", "--weights", "w.safetensors"])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn a_file_of_predictions_that_cannot_be_written_loses_no_results() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let missing = evaluate(folder.path(), &["--predictions", "nowhere/p.csv"]);
    let error = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(2), "{error}");
    assert!(error.contains("nowhere/p.csv: it must be a file in a folder that exists"));
    assert!(
        missing.stdout.is_empty(),
        "found out before anything was computed"
    );
    // What only the system refuses is found out at the end.
    let long = "p".repeat(300);
    let refused = evaluate(folder.path(), &["--limit", "130", "--predictions", &long]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stdout)
            .unwrap()
            .contains("of 130")
    );
}

#[test]
fn predictions_have_a_row_per_image_in_order_and_predict_the_largest_logit() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let output = evaluate(
        folder.path(),
        &["--limit", "130", "--predictions", "p.csv", "--json"],
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
    let mut lines = text.lines();
    let logits: String = (0..10).map(|class| format!(",logit_{class}")).collect();
    assert_eq!(
        lines.next(),
        Some(format!("index,label,prediction{logits}").as_str())
    );
    let rows: Vec<Vec<f64>> = lines
        .map(|line| {
            line.split(',')
                .map(|value| value.parse().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(rows.len(), 130);
    for (index, row) in rows.iter().enumerate() {
        let best = row[3..].iter().copied().fold(f64::MIN, f64::max);
        assert_eq!((row[0], row[3 + row[2] as usize]), (index as f64, best));
    }
    let correct = rows.iter().filter(|row| row[1] == row[2]).count();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&result["images"], &result["correct"]),
        (&130.into(), &correct.into())
    );
    assert_eq!(result["accuracy"].as_f64(), Some(correct as f64 / 130.0));
}

#[test]
fn a_network_for_other_images_than_the_datas_is_bad_input_and_both_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [3, 32, 32]);
    let output = evaluate(folder.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("[3, 32, 32]") && error.contains("[1, 28, 28]"),
        "{error}"
    );
}

#[test]
fn missing_weights_are_bad_input_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    std::fs::remove_file(folder.path().join("w.safetensors")).unwrap();
    let output = evaluate(folder.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("w.safetensors"), "{error}");
}

fn json(output: &Output) -> serde_json::Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// CIFAR-10's test file with `images`, whose labels count up.
fn write_cifar(folder: &Path, images: &[u8]) {
    let record = |(index, pixels): (usize, &[u8])| [&[(index % 10) as u8], pixels].concat();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(
        folder.join("test_batch.bin"),
        images
            .chunks(3_072)
            .enumerate()
            .flat_map(record)
            .collect::<Vec<u8>>(),
    )
    .unwrap();
}

#[test]
fn nascnn15_and_the_monographs_variant_give_pytorchs_logits_for_the_same_weights_and_images() {
    let folder = tempfile::tempdir().unwrap();
    write_cifar(&folder.path().join("cifar"), &cifar_images());
    for name in ["nascnn15", "nascnn15-monograph"] {
        let architecture = resolve_architecture(name, Decode::Literal, [3, 32, 32], 10).unwrap();
        write_weights(&architecture, &folder.path().join("w.safetensors"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
        command.current_dir(folder.path()).args([
            "evaluate",
            name,
            "--weights",
            "w.safetensors",
            "--data",
            "cifar10:cifar",
        ]);
        let output = command.args(["--predictions", "p.csv"]).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
        let ours = text.lines().skip(1).map(|line| {
            line.split(',')
                .skip(3)
                .map(|value| value.parse::<f64>().unwrap())
                .collect()
        });
        let (ours, theirs) = (ours.collect::<Vec<Vec<f64>>>(), nascnn15(name).logits);
        assert_eq!((ours.len(), ours[0].len()), (theirs.len(), theirs[0].len()));
        let differences = ours
            .iter()
            .flatten()
            .zip(theirs.iter().flatten())
            .map(|(one, other)| (one - other).abs());
        let largest = differences.fold(0.0, f64::max);
        assert!(largest < 1e-4, "{name}: {largest}");
    }
}

#[test]
fn the_two_networks_logits_differ_so_that_one_cannot_pass_for_the_other() {
    let [one, other] = ["nascnn15", "nascnn15-monograph"].map(|name| nascnn15(name).logits);
    assert!(
        one.iter()
            .flatten()
            .zip(other.iter().flatten())
            .any(|(one, other)| (one - other).abs() > 0.1)
    );
}

#[test]
fn json_is_the_whole_report_and_agrees_with_the_predictions() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let result = json(&evaluate(
        folder.path(),
        &["--limit", "200", "--predictions", "p.csv", "--json"],
    ));
    let report: ClassificationReport = serde_json::from_value(result.clone()).unwrap();
    let text = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| {
            line.split(',')
                .map(|value| value.parse().unwrap())
                .collect()
        })
        .collect();
    let classes: Vec<String> = report
        .per_class
        .iter()
        .map(|class| class.class.clone())
        .collect();
    let labels: Vec<usize> = rows.iter().map(|row| row[1] as usize).collect();
    // The CSV has float32 in as few digits as distinguish them.
    let logits: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            row[3..]
                .iter()
                .map(|&logit| f64::from(logit as f32))
                .collect()
        })
        .collect();
    assert_eq!(
        report,
        ClassificationReport::new(&classes, &labels, &logits).unwrap()
    );
    assert_eq!(
        (&result["architecture"], &result["data"]),
        (&"evaluated".into(), &"fashion-mnist-mini".into())
    );
    assert!(
        result.get("drop").is_none() && result.get("version").is_none(),
        "{result}"
    );
}

#[test]
fn text_begins_with_a_line_of_figures_followed_by_classes_matrix_and_pairs() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let output = evaluate(folder.path(), &["--limit", "200"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("evaluated on fashion-mnist-mini: accuracy ") && text.contains(" % ("),
        "{text}"
    );
    for part in [
        "top-5 accuracy",
        "calibration error",
        "class        images  correct",
        "confusion matrix",
        "most confused",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
