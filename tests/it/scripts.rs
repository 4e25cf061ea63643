//! The Python scripts of the repository that are run by hand.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::python::{plain_python, printed, script, test_data};

const STATISTICS: &str = "scripts/monograph_statistics.py";

fn statistics(python: &str, log: &Path) -> Output {
    script(python, STATISTICS)
        .arg(log)
        .arg("--json")
        .output()
        .unwrap()
}

fn figures(python: &str, log: &Path) -> Value {
    serde_json::from_str(&printed(&statistics(python, log))).unwrap()
}

fn near(figure: &Value, expected: f64, tolerance: f64) {
    let found = figure.as_f64().unwrap();
    assert!(
        (found - expected).abs() < tolerance,
        "{found} is not {expected}"
    );
}

/// Two trainings of each of three networks, with figures that can be checked by hand: means 0.2,
/// 0.3, 0.7, mean squares 0.14 between the episodes and 0.02 within.
const SMALL: &str = "episode,child,layers,params,accuracy,reward\n\
                     1,1,7,100,0.1,0.1\n1,2,7,100,0.3,0.3\n\
                     2,1,8,200,0.2,0.2\n2,2,8,200,0.4,0.4\n\
                     3,1,9,300,0.6,0.6\n3,2,9,300,0.8,0.8\n";

#[test]
fn the_statistics_of_a_small_log_equal_those_computed_by_hand() {
    let Some(python) = plain_python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    std::fs::write(&log, SMALL).unwrap();
    let found = figures(python, &log);
    for parts in [&found["reward"], &found["accuracy"]] {
        assert_eq!(parts["freedom"], json!([2, 3]));
        near(&parts["f"], 7.0, 1e-9);
        // With two degrees of freedom above, the tail of F has a closed form.
        near(
            &parts["p_value"],
            (1.0 + 2.0 * 7.0 / 3.0f64).powf(-1.5),
            1e-9,
        );
        near(&parts["intraclass_correlation"], 0.75, 1e-9);
        near(&parts["deviation_within"], 0.02f64.sqrt(), 1e-9);
    }
    let slope = &found["reward_slope"];
    near(&slope["per_episode"], 0.25, 1e-9);
    // With one degree of freedom Student's distribution is Cauchy's.
    let error = (0.015f64 / 2.0).sqrt();
    near(
        &slope["p_value"],
        1.0 - (0.25 / error).atan() * 2.0 / std::f64::consts::PI,
        1e-9,
    );
    near(
        &slope["ci95"][1],
        0.25 + error * (0.475 * std::f64::consts::PI).tan(),
        1e-6,
    );
    assert_eq!(found["best"]["accuracy"], json!(0.8));
}

#[test]
fn an_unusable_log_is_refused_with_the_place_of_the_error() {
    let Some(python) = plain_python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    let cases = [
        (
            "episode,child\n1,1\n",
            "no column accuracy, layers, params, reward",
        ),
        (
            &SMALL.replace("3,2,9,300,0.8,0.8", "3,2,9,300,high,0.8"),
            "line 7",
        ),
        (
            &SMALL.replace("3,2,9,300,0.8,0.8\n", ""),
            "equally many children",
        ),
    ];
    for (text, expected) in cases {
        std::fs::write(&log, text).unwrap();
        let output = statistics(python, &log);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(expected) && !error.contains("Traceback"),
            "{error}"
        );
    }
}

#[test]
fn in_test_data_the_monographs_log_gives_the_figures_on_the_page_about_the_reproduction() {
    let (Some(python), Some(log)) = (plain_python(), test_data("monograph_log.csv")) else {
        return;
    };
    let found = figures(python, &log);
    let best = json!({ "episode": 7, "child": 9, "layers": 13, "params": 275_122, "accuracy": 0.8456, "reward": 0.604637 });
    assert_eq!((&found["best"], &found["trainings"]), (&best, &json!(160)));
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REPRODUCTION.md"))
            .unwrap();
    for (index, row) in found["episodes"].as_array().unwrap().iter().enumerate() {
        let number = index as u64 + 1;
        assert_eq!(
            (&row["episode"], &row["networks"], &row["layers"]),
            (&json!(number), &json!(1), &json!([number + 6]))
        );
        let digits = |name: &str| format!("{:.4}", row[name].as_f64().unwrap());
        let columns = ["mean_accuracy", "deviation", "best_accuracy", "mean_reward"]
            .map(digits)
            .join(" | ");
        assert!(
            page.contains(&columns),
            "docs/REPRODUCTION.md does not say: {columns}"
        );
    }
    let text = printed(&script(python, STATISTICS).arg(&log).output().unwrap());
    let shown = |figure: String| {
        assert!(
            page.contains(&figure) && text.contains(&figure),
            "{figure} is not in both:\n{text}"
        )
    };
    for parts in [&found["accuracy"], &found["reward"]] {
        shown(format!(
            "F(9, 150) = {:.2}, p = {:.3}",
            parts["f"].as_f64().unwrap(),
            parts["p_value"].as_f64().unwrap()
        ));
        shown(format!(
            "{:.3}",
            parts["intraclass_correlation"].as_f64().unwrap()
        ));
    }
    shown(format!(
        "{:.4}",
        found["accuracy"]["deviation_within"].as_f64().unwrap()
    ));
    let slope = &found["reward_slope"];
    let number = |figure: &Value| format!("{:+.4}", figure.as_f64().unwrap());
    shown(format!(
        "95 % interval {} to {}, p = 0.98",
        number(&slope["ci95"][0]),
        number(&slope["ci95"][1])
    ));
}

// --- the benchmark's comparison

const BASELINE: &str = "benches/pytorch_baseline.py";

#[test]
fn the_python_scripts_of_the_repository_compile() {
    let Some(python) = plain_python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let compile =
        "import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True)";
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = ["benches", "scripts", "tests/fixtures"]
        .map(|folder| std::fs::read_dir(repository.join(folder)).unwrap());
    let files = listed
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    assert!(scripts.contains(&repository.join(BASELINE)));
    for path in scripts {
        let output = Command::new(python)
            .args(["-c", compile])
            .arg(&path)
            .arg(folder.path().join("compiled"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// CIFAR-10's binary batches, of 1,000 grey images each.
#[cfg(feature = "torch")]
pub fn write_batches(folder: &Path) {
    for number in 1..=5 {
        let record =
            |label: usize| [vec![label as u8], vec![(label * 20) as u8; 3 * 32 * 32]].concat();
        let records: Vec<u8> = (0..1_000).flat_map(|image| record(image % 10)).collect();
        std::fs::write(folder.join(format!("data_batch_{number}.bin")), records).unwrap();
    }
}

/// The JSON lines of a benchmark: one per child, then the summary.
#[cfg(feature = "torch")]
fn lines(output: &Output) -> Vec<Value> {
    printed(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[cfg(feature = "torch")]
fn fields(line: &Value) -> Vec<&String> {
    line.as_object().unwrap().keys().collect()
}

#[cfg(feature = "torch")]
#[test]
fn in_python_the_comparison_script_does_the_work_of_bench_and_prints_its_fields() {
    use crate::python::python;

    let Some(python) = python("numpy, torch, torchvision") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    write_batches(folder.path());
    let children = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/children_small.json");
    let children: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(children).unwrap()).unwrap();
    std::fs::write(folder.path().join("one.json"), children[0].to_string()).unwrap();
    let common = [
        "--children",
        "one.json",
        "--images",
        "64",
        "--batch-size",
        "32",
    ];
    let theirs = script(&python, BASELINE)
        .current_dir(&folder)
        .args(common)
        .args(["--data", "."])
        .output()
        .unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    let bench = bench
        .current_dir(&folder)
        .arg("bench")
        .args(common)
        .arg("--json")
        .env("XDG_DATA_HOME", folder.path());
    let (theirs, ours) = (lines(&theirs), lines(&bench.output().unwrap()));
    assert_eq!((theirs.len(), ours.len()), (2, 2));
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(fields(theirs), fields(ours));
    }
    for field in ["child", "name", "parameters"] {
        assert_eq!(theirs[0][field], ours[0][field]);
    }
}
