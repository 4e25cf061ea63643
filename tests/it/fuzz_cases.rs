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
