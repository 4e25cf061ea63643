//! `nas-tui data`, and what `nas-tui doctor` reports about data.

use super::*;

#[test]
fn data_check_prints_counts_per_class_and_part() {
    let dir = folder();
    let spec = format!("folder:{}", dir.path().display());
    let output = nas_tui(
        &[
            "data",
            "check",
            &spec,
            "--validation",
            "2",
            "--size",
            "8",
            "--json",
        ],
        dir.path(),
    );
    let report = json(&output);
    assert!(output.status.success());
    assert_eq!(report["spec"], spec.as_str());
    assert_eq!(report["input"], serde_json::json!([3, 8, 8]));
    assert_eq!(
        report["parts"],
        serde_json::json!([
            { "name": "train", "images": 4, "per_class": [2, 2] },
            { "name": "validation", "images": 2, "per_class": [1, 1] },
            { "name": "test", "images": 2, "per_class": [1, 1] },
        ])
    );
    let text = nas_tui(&["data", "check", &spec, "--validation", "2"], dir.path());
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains(
            "classes      train validation       test\nant              2          1          1\n"
        ),
        "{text}"
    );
}

#[test]
fn data_check_takes_height_and_width_and_errors_name_its_option() {
    let dir = folder();
    let spec = format!("folder:{}", dir.path().display());
    let report = json(&nas_tui(
        &["data", "check", &spec, "--size", "8x5", "--json"],
        dir.path(),
    ));
    assert_eq!(report["input"], serde_json::json!([3, 8, 5]));
    let output = nas_tui(&["data", "check", &spec, "--validation", "100"], dir.path());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains("100 validation images are too many")
            && error.contains("lower --validation or"),
        "{error}"
    );
}

#[test]
fn data_check_of_bad_data_exits_2_and_says_where() {
    let dir = folder();
    fs::write(dir.path().join("train/cat/1.png"), "rubbish").unwrap();
    let output = nas_tui(
        &[
            "data",
            "check",
            &format!("folder:{}", dir.path().display()),
            "--json",
        ],
        dir.path(),
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        json(&output)["error"]
            .as_str()
            .unwrap()
            .contains("cat/1.png")
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("cat/1.png"));
    assert_eq!(
        nas_tui(&["data", "check", "imagenet"], dir.path())
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn data_list_says_where_each_set_is_or_how_to_get_it() {
    let home = tempfile::tempdir().unwrap();
    let find = |list: &serde_json::Value, name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|set| set["name"] == name)
            .unwrap()
            .clone()
    };
    let list = json(&nas_tui(&["data", "list", "--json"], home.path()));
    assert_eq!(find(&list, "fashion-mnist-mini")["status"], "found");
    assert_eq!(find(&list, "folder")["status"], "needs_folder");
    let missing = find(&list, "cifar10");
    assert_eq!(missing["status"], "missing");
    assert!(
        missing["remedy"]
            .as_str()
            .unwrap()
            .contains("nas-tui data fetch cifar10")
    );
    let place = home.path().join(".local/share/nas-tui");
    fs::create_dir_all(&place).unwrap();
    fs::rename(cifar(10).keep(), place.join("cifar10")).unwrap();
    let found = find(
        &json(&nas_tui(&["data", "list", "--json"], home.path())),
        "cifar10",
    );
    assert_eq!(
        (found["status"].as_str(), found["place"].as_str()),
        (Some("found"), place.join("cifar10").to_str())
    );
}

#[test]
fn doctor_reports_every_topic_and_a_remedy_for_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let output = nas_tui(&["doctor", "--json"], home.path());
    let report = json(&output);
    assert_eq!(output.status.success(), cfg!(feature = "torch"));
    assert_eq!(report["usable"], cfg!(feature = "torch"));
    let findings = report["findings"].as_array().unwrap();
    for topic in [
        "libtorch", "nvml", "data", "terminal", "disk", "cpu", "memory",
    ] {
        assert!(
            findings.iter().any(|finding| finding["topic"] == topic),
            "{topic} is not reported"
        );
    }
    for finding in findings {
        assert!(
            finding["status"] == "ok" || finding["remedy"].is_string(),
            "no remedy: {finding}"
        );
    }
}
