//! `nas-tui export`: its files, and that other programs compute the same with them.

use std::path::Path;
use std::process::{Command, Output};

use nas_tui::config::Decode;
use nas_tui::space::{Architecture, resolve_architecture};

use crate::python::python;
use crate::reference::{self, Case, fixture, write_weights};

fn export(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .current_dir(folder)
        .arg("export")
        .args(arguments)
        .args(["--out", "out"])
        .output()
        .unwrap()
}

/// The output of the command, which must succeed.
fn exported(folder: &Path, arguments: &[&str]) -> String {
    let output = export(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that must exit with status 2 and write nothing.
fn bad_input(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&nascnn15("nascnn15"), &folder.path().join("w.safetensors"));
    // The classifier reads a layer that another layer reads too: no space has that.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/architectures/good");
    std::fs::copy(
        fixtures.join("strided_skips.json"),
        folder.path().join("skips.json"),
    )
    .unwrap();
    let output = export(folder.path(), arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(
        output.stdout.is_empty() && !folder.path().join("out").exists(),
        "{arguments:?}"
    );
    String::from_utf8(output.stderr).unwrap()
}

fn nascnn15(name: &str) -> Architecture {
    resolve_architecture(name, Decode::Literal, [3, 32, 32], 10).unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

// --- files

#[test]
fn pytorch_code_comes_with_unchanged_weights_and_both_paths_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    write_weights(&nascnn15("nascnn15"), &folder.path().join("w.safetensors"));
    let printed = exported(
        folder.path(),
        &[
            "nascnn15",
            "--format",
            "pytorch",
            "--weights",
            "w.safetensors",
        ],
    );
    assert_eq!(printed, "out/model.py\nout/weights.safetensors\n");
    assert!(read(folder.path().join("out/model.py")).contains("4201630 parameters"));
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(bytes("out/weights.safetensors") == bytes("w.safetensors"));
}

#[test]
fn pytorch_code_without_weights_is_written_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let output = export(folder.path(), &["nascnn15", "--format", "pytorch"]);
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(0), &b"out/model.py\n"[..])
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("no weights.safetensors was written"));
    assert!(!folder.path().join("out/weights.safetensors").exists());
}

#[test]
fn an_exported_architecture_and_dna_are_read_back_as_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let network = resolve_architecture("monograph-demo", Decode::Clipped, [3, 32, 32], 10).unwrap();
    for (format, file) in [("json", "model.json"), ("dna", "model.dna.json")] {
        let printed = exported(
            folder.path(),
            &["monograph-demo", "--decode", "clipped", "--format", format],
        );
        assert_eq!(printed, format!("out/{file}\n"));
        let path = folder.path().join("out").join(file);
        let again =
            resolve_architecture(path.to_str().unwrap(), Decode::Literal, [3, 32, 32], 10).unwrap();
        assert!(again.same_network(&network), "{format}");
    }
}

#[test]
fn a_graph_has_an_edge_for_every_input() {
    let folder = tempfile::tempdir().unwrap();
    exported(folder.path(), &["nascnn15", "--format", "dot"]);
    let graph = read(folder.path().join("out/model.dot"));
    let edges = nascnn15("nascnn15")
        .layers
        .iter()
        .map(|layer| layer.inputs.len())
        .sum::<usize>()
        + 1;
    assert_eq!(graph.matches(" -> ").count(), edges);
    assert!(graph.contains("n2 -> n15;"), "{graph}");
}

#[test]
fn an_older_export_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    exported(folder.path(), &["nascnn15", "--format", "json"]);
    exported(folder.path(), &["nascnn15-monograph", "--format", "json"]);
    assert!(read(folder.path().join("out/model.json")).contains("nascnn15-monograph"));
    assert_eq!(
        std::fs::read_dir(folder.path().join("out"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn options_that_do_not_match_are_bad_input_with_a_remedy() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["nascnn15", "--format", "onnx"],
            "needs weights, which are part of an ONNX file; specify them with --weights",
        ),
        (
            &["nascnn15", "--format", "dot", "--weights", "w.safetensors"],
            "--format dot cannot contain weights",
        ),
        (
            &["nascnn15", "--format", "json", "--opset", "17"],
            "--opset can only be used with --format onnx, not json",
        ),
        (&["skips.json", "--format", "dna"], "has no DNA"),
        (
            &[
                "nascnn15",
                "--format",
                "onnx",
                "--weights",
                "none.safetensors",
            ],
            "none.safetensors",
        ),
        (
            &["nascnn15", "--format", "tflite"],
            "pytorch, onnx, dot, json, dna",
        ),
        (
            &["nowhere:best", "--format", "dot"],
            "there is no run nowhere",
        ),
    ];
    for (arguments, expected) in cases {
        let error = bad_input(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn weights_of_another_network_are_refused_with_the_name_of_a_tensor() {
    // The two have the same shape in every layer but a different number of classes.
    let error = bad_input(&[
        "nascnn15",
        "--format",
        "pytorch",
        "--classes",
        "12",
        "--weights",
        "w.safetensors",
    ]);
    assert!(
        error.contains("`classifier.bias` has shape [10], but the architecture needs [12]"),
        "{error}"
    );
}

// --- in Python

/// The output of scripts/check_logits.py for an exported file.
fn check(python: &str, model: &Path, case: &Case) -> serde_json::Value {
    let file = model.with_file_name("case.json");
    case.write(&file);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check_logits.py");
    let output = Command::new(python)
        .arg(script)
        .args([model, &file])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        model.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The networks whose logits are known from PyTorch: ARCH, weights, and the logits.
fn known_networks(folder: &Path) -> Vec<(String, String, Case)> {
    let (numerics, case) = reference::numerics();
    std::fs::write(folder.join("numerics.json"), numerics.to_json()).unwrap();
    let weights = fixture("numerics_weights.safetensors")
        .display()
        .to_string();
    let mut known = vec![("numerics.json".to_owned(), weights, case)];
    for name in ["nascnn15", "nascnn15-monograph"] {
        write_weights(&nascnn15(name), &folder.join(format!("{name}.safetensors")));
        known.push((
            name.to_owned(),
            format!("{name}.safetensors"),
            reference::nascnn15(name),
        ));
    }
    known
}

#[test]
fn in_python_an_onnx_file_is_valid_and_onnxruntime_computes_pytorchs_logits_for_any_batch() {
    let Some(python) = python("numpy, onnx, onnxruntime") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (arch, weights, case) in known_networks(folder.path()) {
        exported(
            folder.path(),
            &[&arch, "--format", "onnx", "--weights", &weights],
        );
        let found = check(&python, &folder.path().join("out/model.onnx"), &case);
        assert!(
            found["difference"].as_f64().unwrap() < 1e-4,
            "{arch}: {found}"
        );
        assert_eq!(found["opset"], 17);
    }
}

#[test]
fn in_python_every_operator_set_gives_the_same_logits() {
    let Some(python) = python("numpy, onnx, onnxruntime") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (arch, weights, case) = known_networks(folder.path()).swap_remove(0);
    for opset in 13..=21 {
        exported(
            folder.path(),
            &[
                &arch,
                "--format",
                "onnx",
                "--weights",
                &weights,
                "--opset",
                &opset.to_string(),
            ],
        );
        let found = check(&python, &folder.path().join("out/model.onnx"), &case);
        assert!(found["difference"].as_f64().unwrap() < 1e-4, "{found}");
        assert_eq!(found["opset"], opset);
        let operators = [
            "BatchNormalization",
            "Concat",
            "Conv",
            "Flatten",
            "Gemm",
            "GlobalAveragePool",
            "Pad",
            "Relu",
        ];
        assert_eq!(found["operators"], serde_json::json!(operators));
    }
}

#[test]
fn in_python_pytorch_computes_its_logits_with_the_exported_code_and_weights_also_as_torchscript() {
    let Some(python) = python("numpy, torch, safetensors") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (arch, weights, case) in known_networks(folder.path()) {
        exported(
            folder.path(),
            &[&arch, "--format", "pytorch", "--weights", &weights],
        );
        let found = check(&python, &folder.path().join("out/model.py"), &case);
        assert!(
            found["difference"].as_f64().unwrap() < 1e-4,
            "{arch}: {found}"
        );
        assert_eq!(found["scripted"], true, "{arch}");
    }
}

#[test]
fn nothing_is_exported_into_a_run_directory_whose_weights_it_would_replace() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("out");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("journal.jsonl"), "").unwrap();
    std::fs::write(run.join("weights.safetensors"), "trained").unwrap();
    write_weights(&nascnn15("nascnn15"), &folder.path().join("w.safetensors"));
    let arguments = [
        "nascnn15",
        "--format",
        "pytorch",
        "--weights",
        "w.safetensors",
    ];
    let output = export(folder.path(), &arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("out is a run directory, which only its run may write to"));
    assert_eq!(read(run.join("weights.safetensors")), "trained");
    assert!(!run.join("model.py").exists());
}
