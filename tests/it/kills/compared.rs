//! What two run directories of the same run hold, without what may differ: times, processes and sessions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Fields that say when, how fast, by whom or in which record.
const VARYING: [&str; 11] = [
    "time",
    "seq",
    "pid",
    "worker",
    "seconds",
    "wall_seconds",
    "images_per_second",
    "median_images_per_second",
    "children_per_hour",
    "journal_seq",
    "resumptions",
];

/// Records about sessions and about the moments at which a training was saved.
const OF_SESSIONS: [&str; 7] = [
    "run_resumed",
    "notice",
    "heartbeat",
    "worker_started",
    "worker_died",
    "child_started",
    "training_saved",
];

/// Each difference between the two run directories, in words.
pub fn differences(expected: &Path, found: &Path) -> Vec<String> {
    let [names, others] = [expected, found].map(files);
    let missing = names
        .difference(&others)
        .map(|name| format!("{} is missing", name.display()));
    let surplus = others
        .difference(&names)
        .map(|name| format!("{} is left over", name.display()));
    let mut differences: Vec<String> = missing.chain(surplus).collect();
    for name in names.intersection(&others) {
        let [one, other] = [expected, found].map(|run| facts(&run.join(name)));
        if one != other {
            let first = one.iter().zip(&other).find(|(one, other)| one != other);
            let first = first.map_or((one.last(), other.last()), |(one, other)| {
                (Some(one), Some(other))
            });
            differences.push(format!(
                "{}: {} facts instead of {}; {:?} instead of {:?}",
                name.display(),
                other.len(),
                one.len(),
                first.1,
                first.0
            ));
        }
    }
    differences
}

/// The files of a run, without those of sessions.
fn files(run: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(run).unwrap().to_owned());
        }
    }
    found.retain(|name| {
        // What a resume has moved out of the way is kept.
        let kept = name
            .extension()
            .is_some_and(|end| end == "torn" || end == "void");
        name != "lock" && !kept
    });
    found
}

/// The contents of a file as texts.
fn facts(path: &Path) -> Vec<String> {
    if path.is_dir() {
        return Vec::new();
    }
    let bytes = fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    if name == "journal.jsonl" {
        facts_of_journal(&bytes)
    } else if name.ends_with(".safetensors") {
        facts_of_tensors(&bytes)
    } else if name.ends_with(".json") {
        vec![steady(serde_json::from_slice(&bytes).unwrap()).to_string()]
    } else {
        vec![String::from_utf8_lossy(&bytes).into_owned()]
    }
}

/// Records of children and epochs that count, sorted, because workers finish in any order.
fn facts_of_journal(bytes: &[u8]) -> Vec<String> {
    assert_eq!(bytes.last(), Some(&b'\n'));
    let mut records: Vec<Value> = Vec::new();
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    for (number, line) in (1..).zip(lines) {
        let record: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(record["seq"], number, "records are numbered");
        let event = record["event"].as_str().unwrap();
        match event {
            // What was trained of it before is repeated.
            "child_started" => records.retain(|earlier| {
                earlier["event"] != "child_epoch" || earlier["child"] != record["child"]
            }),
            "run_resumed" => records.retain(|earlier| {
                earlier["event"] != "training_epoch"
                    || earlier["epoch"].as_u64() < record["epoch"].as_u64()
            }),
            _ => {}
        }
        if !OF_SESSIONS.contains(&event) {
            records.push(steady(record));
        }
    }
    let mut facts: Vec<String> = records.iter().map(Value::to_string).collect();
    facts.sort();
    facts
}

/// Header and bytes of a file of tensors. Ours has a header of its own, as text with a checksum.
fn facts_of_tensors(bytes: &[u8]) -> Vec<String> {
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, tensors) = rest.split_at(length);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let own = header["__metadata__"]["nas-tui"].take();
    let own = own
        .as_str()
        .map(|own| steady(serde_json::from_str(own).unwrap()).to_string());
    if own.is_some() {
        header["__metadata__"]["crc32"].take();
    }
    let tensors = format!(
        "{} bytes, CRC-32 {:08x}",
        tensors.len(),
        crc32fast::hash(tensors)
    );
    own.into_iter()
        .chain([header.to_string(), tensors])
        .collect()
}

/// The value without fields that vary.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !VARYING.contains(&name.as_str()))
            .map(|(name, value)| (name, steady(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(steady).collect(),
        other => other,
    }
}
