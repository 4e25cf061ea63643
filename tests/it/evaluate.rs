//! `nas-tui evaluate`: accuracy and predictions on test images, and input that does not belong
//! together.

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
fn predictions_have_a_row_per_image_in_order_whose_largest_logit_is_the_prediction() {
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
fn weights_that_are_not_there_are_bad_input_and_named() {
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

// --- folders
// --------------------------------------------------------------------------------------------------------

/// Ten classes with two images each for training and one for testing, and a network for images of
/// `input` beside them.
fn write_folder(folder: &Path, input: [usize; 3]) {
    write_network(folder, input);
    for (part, images) in [("train", 2), ("test", 1)] {
        for class in 0..10 {
            let path = folder.join("images").join(part).join(class.to_string());
            std::fs::create_dir_all(&path).unwrap();
            for index in 0..images {
                let image =
                    image::RgbImage::from_pixel(20, 30, image::Rgb([class * 20, 100, index]));
                image.save(path.join(format!("{index}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn a_small_folder_is_evaluated_at_the_size_that_the_network_takes() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 17, 12]);
    let result = json(&evaluate(
        folder.path(),
        &["--data", "folder:images", "--json"],
    ));
    assert_eq!(result["images"], 10);
    let same = json(&evaluate(
        folder.path(),
        &["--data", "folder:images", "--size", "17x12", "--json"],
    ));
    assert_eq!(same, result);
    let other = evaluate(folder.path(), &["--data", "folder:images", "--size", "17"]);
    let error = String::from_utf8_lossy(&other.stderr);
    assert!(
        other.status.code() == Some(2)
            && error.contains("[3, 17, 12]")
            && error.contains("[3, 17, 17]"),
        "{error}"
    );
}

#[test]
fn more_validation_images_than_a_folder_has_are_refused_by_the_name_of_the_option() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    let output = evaluate(
        folder.path(),
        &["--data", "folder:images", "--validation", "11"],
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains("of 20 training images at most 10")
            && error.contains("lower --validation or add images"),
        "{error}"
    );
}

#[test]
fn test_images_of_unknown_kinds_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    std::fs::write(folder.path().join("images/test/3/0.tiff"), "II*").unwrap();
    let output = evaluate(folder.path(), &["--data", "folder:images"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success()
            && error.contains("warning: 1 file is not read, the first images/test/3/0.tiff"),
        "{error}"
    );
}

#[test]
fn training_images_that_are_not_read_are_told_of_and_a_folder_is_called_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    std::fs::create_dir(folder.path().join("images/train/2/more")).unwrap();
    let output = evaluate(folder.path(), &["--data", "folder:images"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "warning: 1 folder in a class folder is not read, the first images/train/2/more";
    assert!(
        output.status.success() && error.contains(expected) && !error.contains("convert"),
        "{error}"
    );
}

#[test]
fn the_enlargement_of_a_run_holds_for_other_data_too() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::copy(folder.path().join("a.json"), run.join("architecture.json")).unwrap();
    std::fs::copy(
        folder.path().join("w.safetensors"),
        run.join("weights.safetensors"),
    )
    .unwrap();
    let network = std::fs::read_to_string(folder.path().join("a.json")).unwrap();
    std::fs::write(
        run.join("best.json"),
        format!(r#"{{"epoch": 1, "valid_accuracy": 0.5, "architecture": {network}}}"#),
    )
    .unwrap();
    std::fs::write(
        run.join("config.toml"),
        "[data]\ncrop = \"upsample\"\ncrop_pixels = 42\n",
    )
    .unwrap();
    // Pictures whose middle is not like their rim.
    for class in 0..10 {
        let picture = image::RgbImage::from_fn(8, 8, |x, y| {
            image::Rgb([(x * y * 4) as u8, class * 20, (x * 30) as u8])
        });
        picture
            .save(folder.path().join(format!("images/test/{class}/0.png")))
            .unwrap();
    }
    let with = |more: &[&str]| {
        json(&evaluate(
            folder.path(),
            &[&["--data", "folder:images", "--json"], more].concat(),
        ))
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    let of_run = command.current_dir(folder.path()).args([
        "evaluate",
        "run:best",
        "--data",
        "folder:images",
        "--json",
    ]);
    let of_run = json(&of_run.output().unwrap());
    assert_eq!(of_run["loss"], with(&["--upsample", "42"])["loss"]);
    assert_ne!(of_run["loss"], with(&[])["loss"]);
}

// --- PyTorch's logits
// -----------------------------------------------------------------------------------------------

/// CIFAR-10's test file with `images`; their labels count up.
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

// --- figures
// --------------------------------------------------------------------------------------------------------

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
    // The CSV has float32 in as few digits as tell them apart.
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
fn text_begins_with_a_line_of_figures_and_has_classes_matrix_and_pairs() {
    let folder = tempfile::tempdir().unwrap();
    write_network(folder.path(), [1, 28, 28]);
    let output = evaluate(folder.path(), &["--limit", "200"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("evaluated on fashion-mnist-mini: accuracy 0."),
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

// --- CIFAR-10.1
// -----------------------------------------------------------------------------------------------------

fn on_cifar10_1(folder: &Path, more: &[&str]) -> Output {
    let spec = format!("cifar10.1:{}", folder.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .current_dir(folder)
        .args([
            "evaluate",
            "a.json",
            "--weights",
            "w.safetensors",
            "--data",
            &spec,
        ])
        .args(more);
    command
        .env("HOME", folder)
        .env_remove("XDG_DATA_HOME")
        .output()
        .unwrap()
}

#[test]
fn on_cifar10_1_both_versions_are_evaluated_with_the_drop_against_cifar10() {
    let folder = cifar10_1::folder();
    write_network(folder.path(), [3, 32, 32]);
    write_cifar(
        &folder.path().join(".local/share/nas-tui/cifar10"),
        &cifar_images(),
    );
    let result = json(&on_cifar10_1(
        folder.path(),
        &["--json", "--predictions", "p.csv"],
    ));
    let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let other = &result["other_versions"][0];
    assert_eq!(
        (&result["version"], number(&result["images"])),
        (&"v6".into(), 3)
    );
    assert_eq!(
        (&other["version"], number(&other["images"])),
        (&"v4".into(), 2)
    );
    for version in [&result, other] {
        let (drop, here) = (
            &version["drop"],
            (number(&version["correct"]), number(&version["images"])),
        );
        assert_eq!(number(&drop["images"]), 6);
        let there = (number(&drop["correct"]), 6);
        let (expected, ci95) = difference(there, here).unwrap();
        assert_eq!(
            (drop["drop"].as_f64(), &drop["ci95"]),
            (Some(expected), &serde_json::json!(ci95))
        );
        assert_eq!(
            drop["accuracy_ci95"],
            serde_json::json!(wilson(there.0, there.1))
        );
    }
    let rows = std::fs::read_to_string(folder.path().join("p.csv"))
        .unwrap()
        .lines()
        .count();
    assert_eq!(rows, 1 + 3, "the predictions are those of v6");
    let text = String::from_utf8(on_cifar10_1(folder.path(), &[]).stdout).unwrap();
    assert!(
        text.contains("(v6): accuracy") && text.contains("(v4): accuracy"),
        "{text}"
    );
    assert_eq!(text.matches("drop of ").count(), 2, "{text}");
}

#[test]
fn without_cifar10_there_is_no_drop_and_the_reason_is_said() {
    let folder = cifar10_1::folder();
    write_network(folder.path(), [3, 32, 32]);
    let output = on_cifar10_1(folder.path(), &["--json"]);
    assert_eq!(json(&output)["drop"], serde_json::Value::Null);
    assert!(json(&output).as_object().unwrap().contains_key("drop"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("no drop against CIFAR-10") && message.contains("--against cifar10:DIR"),
        "{message}"
    );
}

#[test]
fn cifar10_may_lie_anywhere_but_must_be_there_and_cifar10_when_it_is_named() {
    let folder = cifar10_1::folder();
    write_network(folder.path(), [3, 32, 32]);
    write_cifar(&folder.path().join("elsewhere"), &cifar_images());
    let result = json(&on_cifar10_1(
        folder.path(),
        &["--json", "--against", "cifar10:elsewhere"],
    ));
    assert_eq!(result["drop"]["data"], "cifar10:elsewhere");
    for (spec, expected) in [
        ("cifar10:nowhere", "nowhere"),
        ("fashion-mnist-mini", "held against cifar10[:DIR] only"),
    ] {
        let output = on_cifar10_1(folder.path(), &["--against", spec]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
