//! Inputs that fuzzing found to be handled badly (tests/fixtures/fuzz/TARGET), and what each target
//! begins with, through the functions that are fuzzed (fuzz/src/targets.rs).

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Every file in a folder of the fixtures to the target.
fn try_all(target: &str, folder: &str) -> usize {
    let (_, run) = targets::ALL
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap_or_else(|| panic!("{folder}: there is no target {target}"));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = files_in(&fixtures.join(folder));
    for file in &files {
        eprintln!("{}", file.display());
        run(&fs::read(file).unwrap());
    }
    files.len()
}

#[test]
fn what_fuzzing_found_stays_mended() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz");
    for folder in files_in(&found) {
        let target = folder.file_name().unwrap().to_str().unwrap().to_owned();
        try_all(&target, &format!("fuzz/{target}"));
    }
}

#[test]
fn the_targets_take_good_and_bad_files_of_their_formats() {
    for (target, folder) in [
        ("config", "configs"),
        ("architecture", "architectures"),
        ("table", "tables"),
    ] {
        for kind in ["good", "bad"] {
            assert!(try_all(target, &format!("{folder}/{kind}")) > 0);
        }
    }
    let (_, journal) = targets::ALL[2];
    journal(include_bytes!("../fixtures/journal-demo.jsonl"));
    // Unchanged, and with another byte in each part.
    let (_, snapshot) = targets::ALL[3];
    snapshot(&[]);
    (0..5).for_each(|part| snapshot(&[part, 0, 40, 1, 1, b'9']));
}

#[test]
fn the_script_that_fuzzes_knows_every_target() {
    let script = include_str!("../../fuzz/run.sh");
    let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert!(script.contains(&format!("targets=({})", names.join(" "))));
}

/// Names of the dependencies of `nas-tui` in a lock file.
fn locked(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let lock: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let own = packages
        .iter()
        .find(|package| package["name"].as_str() == Some("nas-tui"));
    let dependencies = own.unwrap()["dependencies"].as_array().unwrap();
    dependencies
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_lock_file_of_the_fuzz_targets_knows_every_dependency_that_they_are_built_with() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let is_optional =
        |value: &toml::Value| value.get("optional").and_then(toml::Value::as_bool) == Some(true);
    let (own, fuzz) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
    let always = dependencies
        .iter()
        .filter(|(_, value)| !is_optional(value))
        .map(|(name, _)| name);
    for name in always {
        // With its version, if there are several.
        let is_this = |locked: &&String| locked.split(' ').next() == Some(name);
        assert!(own.iter().any(|locked| is_this(&locked)), "{name}");
        assert!(
            fuzz.iter().any(|locked| is_this(&locked)),
            "fuzz/Cargo.lock lacks {name}: run cargo metadata in fuzz"
        );
    }
}
