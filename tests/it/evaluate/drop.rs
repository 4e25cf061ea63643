//! Both versions of CIFAR-10.1 compared with CIFAR-10.

use super::*;

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
fn both_versions_of_cifar10_1_are_evaluated_with_the_drop_from_cifar10() {
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
fn without_cifar10_there_is_no_drop_and_the_reason_is_given() {
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
fn cifar10_can_be_anywhere_but_must_exist_and_be_cifar10_if_it_is_named() {
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
        ("fashion-mnist-mini", "only be compared with cifar10[:DIR]"),
    ] {
        let output = on_cifar10_1(folder.path(), &["--against", spec]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}
