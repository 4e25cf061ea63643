//! Good and bad data sets: what is read, and that every error names the file, the record and the
//! remedy.

mod cifar10;
mod commands;
mod image_folders;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nas_tui::config::{Crop, DataConfig, DataSource, Flip, Normalization};
use nas_tui::data::{Dataset, load, load_test, unread_files};
use tempfile::TempDir;

const RECORD: usize = 3_073;

fn config(source: DataSource, dir: Option<&Path>, validation: usize) -> DataConfig {
    DataConfig {
        source,
        dir: dir.map(Path::to_owned),
        size: [4, 6],
        validation,
        limit: None,
        normalization: Normalization::Standard,
        crop: Crop::None,
        flip: Flip::None,
        cutout: 0,
    }
}

fn error(config: &DataConfig) -> String {
    load(config)
        .map(|dataset| dataset.description())
        .unwrap_err()
        .to_string()
}

fn per_class(labels: &[u16], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels
        .iter()
        .for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

fn mini(validation: usize, limit: Option<usize>) -> Dataset {
    load(&DataConfig {
        limit,
        ..config(DataSource::FashionMnistMini, None, validation)
    })
    .unwrap()
}

#[test]
fn the_embedded_set_is_split_5_000_to_1_000_with_every_class_alike() {
    let data = mini(1_000, None);
    assert_eq!(
        (data.input, data.classes.len(), data.spec.as_str()),
        ([1, 28, 28], 10, "fashion-mnist-mini")
    );
    assert_eq!(per_class(&data.train.labels, 10), [500; 10]);
    assert_eq!(per_class(&data.validation.labels, 10), [100; 10]);
    assert_eq!(data.train.pixels.len(), 5_000 * 784);
}

#[test]
fn the_embedded_test_set_has_100_images_of_each_class() {
    let test = load_test(&config(DataSource::FashionMnistMini, None, 1_000)).unwrap();
    assert_eq!(per_class(&test.images.labels, 10), [100; 10]);
}

#[test]
fn the_fingerprint_pins_the_embedded_images_and_their_split() {
    // Changes only if the images or the split change, after which old and new accuracies must not
    // be compared.
    let fingerprint = mini(1_000, None).fingerprint;
    assert_eq!(fingerprint, EMBEDDED_FINGERPRINT);
    assert_ne!(fingerprint, mini(1_000, Some(4_000)).fingerprint);
}

const EMBEDDED_FINGERPRINT: &str = "57ffd63b";

fn truncate(path: &Path, length: usize) {
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length as u64)
        .unwrap();
}

/// `count` images of 2x2, labels counting up, uncompressed.
fn fashion(count: usize) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for part in ["train", "t10k"] {
        let images = [
            &[0, 0, 8, 3][..],
            &be(count),
            &be(2),
            &be(2),
            &vec![9; count * 4],
        ]
        .concat();
        let labels = [
            &[0, 0, 8, 1][..],
            &be(count),
            &(0..count)
                .map(|index| (index % 10) as u8)
                .collect::<Vec<_>>(),
        ]
        .concat();
        fs::write(dir.path().join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(dir.path().join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    dir
}

fn be(number: usize) -> [u8; 4] {
    (number as u32).to_be_bytes()
}

#[test]
fn fashion_mnist_is_read_unpacked_too() {
    let dir = fashion(40);
    let data = load(&config(DataSource::FashionMnist, Some(dir.path()), 10)).unwrap();
    assert_eq!(
        (data.input, data.train.len(), data.validation.len()),
        ([1, 2, 2], 30, 10)
    );
}

#[test]
fn more_images_than_labels_is_an_error() {
    let dir = fashion(40);
    fs::copy(
        fashion(30).path().join("train-labels-idx1-ubyte"),
        dir.path().join("train-labels-idx1-ubyte"),
    )
    .unwrap();
    let message = error(&config(DataSource::FashionMnist, Some(dir.path()), 10));
    assert!(
        message.contains("train-labels-idx1-ubyte: 30 labels for the 40 images"),
        "{message}"
    );
}

#[test]
fn a_missing_fashion_mnist_file_is_named() {
    let dir = fashion(40);
    fs::remove_file(dir.path().join("train-labels-idx1-ubyte")).unwrap();
    let message = error(&config(DataSource::FashionMnist, Some(dir.path()), 10));
    assert!(
        message.contains("train-labels-idx1-ubyte.gz not found")
            && message.contains("dataset-fashion-mnist"),
        "{message}"
    );
}

/// Six files of `records` records; labels count up, every pixel is its record's number.
fn cifar(records: usize) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        let content: Vec<u8> = (0..records)
            .flat_map(|record| {
                std::iter::once((record % 10) as u8)
                    .chain(std::iter::repeat_n(record as u8, RECORD - 1))
            })
            .collect();
        fs::write(dir.path().join(format!("{name}.bin")), content).unwrap();
    }
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    fs::write(dir.path().join("batches.meta.txt"), names).unwrap();
    dir
}

fn save(path: PathBuf, image: image::DynamicImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

fn rgb(width: u32, height: u32, colour: [u8; 3]) -> image::DynamicImage {
    image::RgbImage::from_pixel(width, height, image::Rgb(colour)).into()
}

/// Two classes of three images each in training, one each in test.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (class, colour) in [("cat", [200, 100, 50]), ("ant", [10, 20, 30])] {
        for index in 0..3 {
            save(
                dir.path().join(format!("train/{class}/{index}.png")),
                rgb(6, 4, colour),
            );
        }
        save(
            dir.path().join(format!("test/{class}/0.png")),
            rgb(12, 9, colour),
        );
    }
    dir
}

fn nas_tui(arguments: &[&str], home: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    command
        .args(arguments)
        .env("HOME", home)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CACHE_HOME");
    command.output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}
