//! CIFAR-10.1: good and bad files, downloading them, and that nothing can train on them.

mod fetching;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use nas_tui::config::{Crop, DataConfig, DataSource, Flip, Normalization};
use nas_tui::data::FetchError;
use nas_tui::data::fetch::Fetched;
use nas_tui::data::fetch_cifar10_1::FetchCifar10_1;
use nas_tui::data::{load, load_test, load_tests};
use tempfile::TempDir;

use crate::data_fetch::{Behaviour, serve_files};

/// An NPY file of version 1.0 as NumPy writes it: the header is padded so that the values start at
/// a multiple of 64.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [
        b"\x93NUMPY\x01\x00",
        &(header.len() as u16).to_le_bytes()[..],
        header.as_bytes(),
        data,
    ]
    .concat()
}

/// Images `[count, 32, 32, 3]`: the pixel of channel c in image n is `10 n + c`.
fn images(count: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..count * 3_072)
        .map(|index| (10 * (index / 3_072) + index % 3) as u8)
        .collect();
    npy("|u1", &format!("({count}, 32, 32, 3)"), &data)
}

fn labels(labels: &[i32]) -> Vec<u8> {
    let data: Vec<u8> = labels
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    npy("<i4", &format!("({},)", labels.len()), &data)
}

/// The four files: three images in v6 (labels as int32), two in v4 (labels as int64).
fn files() -> Vec<(String, Vec<u8>)> {
    let int64: Vec<u8> = [9i64, 1]
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    [
        ("v6_data", images(3)),
        ("v6_labels", labels(&[3, 0, 9])),
        ("v4_data", images(2)),
        ("v4_labels", npy("<i8", "(2,)", &int64)),
    ]
    .map(|(name, bytes)| (format!("cifar10.1_{name}.npy"), bytes))
    .to_vec()
}

pub fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    files()
        .iter()
        .for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    dir
}

fn config(dir: &Path) -> DataConfig {
    DataConfig {
        source: DataSource::Cifar10_1,
        dir: Some(dir.to_owned()),
        size: [32; 2],
        validation: 0,
        limit: None,
        normalization: Normalization::Standard,
        crop: Crop::None,
        flip: Flip::None,
        cutout: 0,
    }
}

#[test]
fn both_versions_are_read_v6_first_with_the_channels_in_planes() {
    let dir = folder();
    let sets = load_tests(&config(dir.path())).unwrap();
    let versions: Vec<_> = sets
        .iter()
        .map(|set| (set.version, set.images.labels.clone()))
        .collect();
    assert_eq!(
        versions,
        [(Some("v6"), vec![3, 0, 9]), (Some("v4"), vec![9, 1])]
    );
    assert_eq!(
        (sets[0].input, sets[0].classes[9].as_str()),
        ([3, 32, 32], "truck")
    );
    assert_eq!(
        sets[0].images.pixels[3_072..6_144],
        [[10; 1_024], [11; 1_024], [12; 1_024]].concat()
    );
    assert_eq!(load_test(&config(dir.path())).unwrap(), sets[0]);
}

#[test]
fn one_version_is_enough_and_a_clone_of_the_repository_will_do() {
    let clone = tempfile::tempdir().unwrap();
    fs::create_dir(clone.path().join("datasets")).unwrap();
    for (name, bytes) in files().into_iter().filter(|(name, _)| name.contains("v4")) {
        fs::write(clone.path().join("datasets").join(name), bytes).unwrap();
    }
    let sets = load_tests(&config(clone.path())).unwrap();
    assert_eq!((sets.len(), sets[0].version), (1, Some("v4")));
    assert_eq!(
        sets[0].spec,
        format!("cifar10.1:{}", clone.path().join("datasets").display())
    );
}

#[test]
fn nothing_trains_on_it() {
    let message = load(&config(folder().path()))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("a test set") && message.contains("nas-tui evaluate --data cifar10.1"),
        "{message}"
    );
    let output = nas_tui(
        &["config", "check", "--set", "data.source=cifar10.1"],
        Path::new("/"),
    );
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        message.contains("data.source") && message.contains("cifar10.1 is only a test set"),
        "{message}"
    );
}

/// Check that loading fails with the expected message if the file `name` has these bytes.
fn assert_refused(name: &str, bytes: &[u8], expected: &str) {
    let dir = folder();
    fs::write(dir.path().join(format!("cifar10.1_{name}.npy")), bytes).unwrap();
    let message = load_tests(&config(dir.path()))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    assert!(
        message.contains("nas-tui data fetch cifar10.1"),
        "{message:?} names no remedy"
    );
}

#[test]
fn bad_files_are_named_with_what_is_wrong_and_the_remedy() {
    let floats = npy("<f4", "(3,)", &[0; 12]);
    let cases: [(&str, Vec<u8>, &str); 9] = [
        (
            "v6_data",
            images(2),
            "v6_labels.npy: 3 labels for the 2 images of",
        ),
        (
            "v6_data",
            npy("|u1", "(3, 3, 32, 32)", &[0; 9_216]),
            "v6_data.npy: an array of type Byte and shape [3, 3, 32, 32]",
        ),
        (
            "v6_data",
            npy("<i4", "(3, 32, 32, 3)", &[0; 36_864]),
            "v6_data.npy: an array of type Int32",
        ),
        (
            "v6_data",
            npy("|u1", "(0, 32, 32, 3)", &[]),
            "v6_data.npy: the file contains no images",
        ),
        (
            "v6_data",
            images(3)[..128 + 4_000].to_vec(),
            "v6_data.npy, record 1 (byte 3200): the file ends too early",
        ),
        (
            "v4_data",
            b"<!DOCTYPE html>".to_vec(),
            "v4_data.npy, byte 0: not an NPY file",
        ),
        (
            "v6_labels",
            labels(&[3, 10, 9]),
            "v6_labels.npy, record 1 (byte 132): label 10 is out of range",
        ),
        (
            "v6_labels",
            labels(&[3, 0, -1]),
            "v6_labels.npy, record 2 (byte 136): label -1 is out of range",
        ),
        (
            "v6_labels",
            floats,
            "v6_labels.npy, byte 10: values of type \"<f4\"",
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_refused(name, &bytes, expected);
    }
}

#[test]
fn labels_without_images_are_an_error_that_names_the_missing_file() {
    let dir = folder();
    fs::remove_file(dir.path().join("cifar10.1_v6_data.npy")).unwrap();
    let message = load_tests(&config(dir.path()))
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("cifar10.1_v6_data.npy: cannot be read"),
        "{message}"
    );
}

fn nas_tui(arguments: &[&str], home: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CACHE_HOME");
    command.output().unwrap()
}

#[test]
fn data_check_counts_each_version() {
    let dir = folder();
    let spec = format!("cifar10.1:{}", dir.path().display());
    let output = nas_tui(&["data", "check", &spec, "--json"], dir.path());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts: Vec<_> = report["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (&part["name"], &part["images"]))
        .collect();
    assert_eq!(
        counts,
        [(&"v6".into(), &3.into()), (&"v4".into(), &2.into())]
    );
    assert_eq!(
        report["parts"][0]["per_class"],
        serde_json::json!([1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
    );
    let text = String::from_utf8(nas_tui(&["data", "check", &spec], dir.path()).stdout).unwrap();
    assert!(
        text.contains("classes            v6         v4\n"),
        "{text}"
    );
}

#[test]
fn data_list_finds_it_in_its_usual_place_or_says_how_to_get_it() {
    let home = tempfile::tempdir().unwrap();
    let listed = || {
        let output = nas_tui(&["data", "list", "--json"], home.path());
        let list: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        list.into_iter()
            .find(|set| set["name"] == "cifar10.1")
            .unwrap()
    };
    assert!(
        listed()["remedy"]
            .as_str()
            .unwrap()
            .contains("nas-tui data fetch cifar10.1")
    );
    let place = home.path().join(".local/share/nas-tui");
    fs::create_dir_all(&place).unwrap();
    fs::rename(folder().keep(), place.join("cifar10.1")).unwrap();
    assert_eq!(
        (&listed()["status"], listed()["place"].as_str()),
        (&"found".into(), place.join("cifar10.1").to_str())
    );
}

#[test]
fn data_fetch_gets_the_four_files_from_a_mirror_and_finds_them_there_the_next_time() {
    let (mirror, home) = (folder(), tempfile::tempdir().unwrap());
    let fetch = || {
        nas_tui(
            &[
                "data",
                "fetch",
                "cifar10.1",
                "--mirror",
                mirror.path().to_str().unwrap(),
            ],
            home.path(),
        )
    };
    let place = home.path().join(".local/share/nas-tui/cifar10.1");
    assert_eq!(
        String::from_utf8(fetch().stdout).unwrap(),
        format!("{}\n", place.display())
    );
    assert_eq!(load_tests(&config(&place)).unwrap().len(), 2);
    assert!(
        String::from_utf8(fetch().stdout)
            .unwrap()
            .ends_with("already there and valid\n")
    );
}
