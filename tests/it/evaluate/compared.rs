//! `nas-tui compare` on the output of `evaluate --predictions`.

use std::path::Path;
use std::process::{Command, Output};

use super::{evaluate, write_network};

fn compare(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    let command = command.current_dir(folder).arg("compare").args(arguments);
    command.output().unwrap()
}

#[test]
fn comparing_two_networks_gives_the_accuracies_of_evaluate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_network(path, [1, 28, 28]);
    let limit = ["--limit", "130", "--predictions"];
    let evaluated = evaluate(path, &[&limit[..], &["a.csv", "--json"]].concat());
    assert!(evaluated.status.success());
    let report: serde_json::Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    // A second network that always answers 0.
    let predictions = std::fs::read_to_string(path.join("a.csv")).unwrap();
    let zeros = predictions.lines().skip(1).map(|line| {
        let mut fields = line.split(',');
        let (index, label) = (fields.next().unwrap(), fields.next().unwrap());
        format!("{index},{label},0\n")
    });
    let zeros = "index,label,prediction\n".to_owned() + &zeros.collect::<String>();
    std::fs::write(path.join("b.csv"), &zeros).unwrap();
    let label_zero = zeros.lines().filter(|line| line.contains(",0,")).count();

    let compared = compare(path, &["a.csv", "b.csv", "--json"]);
    assert!(compared.status.success());
    let compared: serde_json::Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!(compared["accuracy_a"], report["accuracy"]);
    assert_eq!(compared["accuracy_a_ci95"], report["accuracy_ci95"]);
    assert_eq!(compared["accuracy_b"], label_zero as f64 / 130.0);

    let text = String::from_utf8(compare(path, &["a.csv", "a.csv"]).stdout).unwrap();
    assert!(text.contains("130 images"), "{text}");
    assert!(
        text.contains("A minus B: 0.00 points") && text.contains("p 1.00"),
        "{text}"
    );
}

#[test]
fn predictions_on_other_images_are_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name, text| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.csv", "index,label,prediction\n0,3,3\n1,2,2\n");
    write("b.csv", "index,label,prediction\n0,3,3\n");
    let output = compare(folder.path(), &["a.csv", "b.csv"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("b.csv has no image 1 (a.csv:3)"), "{error}");
    assert!(error.contains("the same --data and --limit"), "{error}");
}
