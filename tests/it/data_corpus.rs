//! Good and bad data sets: what is read, and that every error names the file, the record and the
//! remedy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nas_tui::config::{Crop, DataConfig, DataSource, Normalization};
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
        flip: false,
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

// --- embedded
// -------------------------------------------------------------------------------------------------------

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
    // Changes only if the images or the split do: then old and new accuracies must not be compared.
    let fingerprint = mini(1_000, None).fingerprint;
    assert_eq!(fingerprint, EMBEDDED_FINGERPRINT);
    assert_ne!(fingerprint, mini(1_000, Some(4_000)).fingerprint);
}

const EMBEDDED_FINGERPRINT: &str = "57ffd63b";

// --- CIFAR-10
// -------------------------------------------------------------------------------------------------------

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

fn cifar_error(spoil: impl FnOnce(&Path)) -> String {
    let dir = cifar(20);
    spoil(dir.path());
    error(&config(DataSource::Cifar10, Some(dir.path()), 10))
}

#[test]
fn cifar10_is_read_from_its_folder_or_the_one_above() {
    let dir = cifar(20);
    let data = load(&config(DataSource::Cifar10, Some(dir.path()), 10)).unwrap();
    assert_eq!(
        (data.input, data.train.len(), data.validation.len()),
        ([3, 32, 32], 90, 10)
    );
    assert_eq!(data.classes[9], "truck");
    let first = &data.train.pixels[..3_072];
    assert!(
        first.iter().all(|pixel| *pixel == first[0])
            && u16::from(first[0] % 10) == data.train.labels[0]
    );
    let above = tempfile::tempdir().unwrap();
    fs::rename(dir.path(), above.path().join("cifar-10-batches-bin")).unwrap();
    let again = load(&config(DataSource::Cifar10, Some(above.path()), 10)).unwrap();
    assert_eq!(again.fingerprint, data.fingerprint);
}

#[test]
fn loading_for_a_search_never_opens_the_test_file() {
    let dir = cifar(20);
    fs::remove_file(dir.path().join("test_batch.bin")).unwrap();
    let config = config(DataSource::Cifar10, Some(dir.path()), 10);
    assert!(load(&config).is_ok());
    let message = load_test(&config).unwrap_err().to_string();
    assert!(
        message.contains("test_batch.bin") && message.contains("nas-tui data fetch cifar10"),
        "{message}"
    );
}

#[test]
fn a_cifar10_file_cut_off_in_a_record_is_named_with_record_and_byte() {
    let message = cifar_error(|dir| truncate(&dir.join("data_batch_3.bin"), 5 * RECORD + 7));
    assert!(
        message.contains("data_batch_3.bin, record 5 (byte 15365): the file breaks off"),
        "{message}"
    );
    assert!(message.contains("data fetch cifar10"), "{message}");
}

#[test]
fn a_cifar10_file_cut_off_between_records_is_found_out_by_its_sisters() {
    let message = cifar_error(|dir| truncate(&dir.join("data_batch_5.bin"), 5 * RECORD));
    assert!(
        message.contains("data_batch_5.bin, record 5 (byte 15365)")
            && message.contains("20 records"),
        "{message}"
    );
}

#[test]
fn an_empty_and_a_missing_cifar10_file_are_named() {
    let message = cifar_error(|dir| truncate(&dir.join("data_batch_1.bin"), 0));
    assert!(
        message.contains("data_batch_1.bin: the file is empty"),
        "{message}"
    );
    let message = cifar_error(|dir| fs::remove_file(dir.join("data_batch_2.bin")).unwrap());
    assert!(
        message.contains("data_batch_2.bin: cannot be read"),
        "{message}"
    );
}

#[test]
fn a_cifar10_label_out_of_range_is_named_with_record_and_byte() {
    let message = cifar_error(|dir| {
        let path = dir.join("data_batch_4.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes[7 * RECORD] = 10;
        fs::write(path, bytes).unwrap();
    });
    assert!(
        message.contains("data_batch_4.bin, record 7 (byte 21511): label 10 is out of range"),
        "{message}"
    );
}

#[test]
fn class_names_must_be_ten() {
    let message = cifar_error(|dir| fs::write(dir.join("batches.meta.txt"), "a\nb\n").unwrap());
    assert!(
        message.contains("batches.meta.txt: 2 class names instead of 10"),
        "{message}"
    );
}

#[test]
fn an_archive_that_is_not_the_official_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cifar-10-binary.tar.gz"), b"something else").unwrap();
    let message = error(&config(DataSource::Cifar10, Some(dir.path()), 10));
    assert!(
        message.contains("MD5") && message.contains("c32a1d4ab5d03f1284b67883e8d87530"),
        "{message}"
    );
}

fn truncate(path: &Path, length: usize) {
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length as u64)
        .unwrap();
}

// --- Fashion-MNIST
// --------------------------------------------------------------------------------------------------

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

// --- folders
// --------------------------------------------------------------------------------------------------------

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

fn folder_error(spoil: impl FnOnce(&Path)) -> String {
    let dir = folder();
    spoil(dir.path());
    error(&config(DataSource::Folder, Some(dir.path()), 2))
}

#[test]
fn a_folder_gives_rgb_images_of_the_wanted_size_with_classes_sorted_by_name() {
    let dir = folder();
    let config = config(DataSource::Folder, Some(dir.path()), 2);
    let data = load(&config).unwrap();
    assert_eq!(
        (data.input, data.classes.clone()),
        ([3, 4, 6], vec!["ant".to_owned(), "cat".to_owned()])
    );
    assert_eq!(
        (data.train.labels.clone(), data.validation.labels.clone()),
        (vec![0, 0, 1, 1], vec![0, 1])
    );
    assert_eq!(
        data.train.pixels[..72],
        [[10; 24], [20; 24], [30; 24]].concat()
    );
    let test = load_test(&config).unwrap();
    assert_eq!(
        (test.input, test.images.labels.clone()),
        ([3, 4, 6], vec![0, 1])
    );
    assert_eq!(
        test.images.pixels[..72],
        [[10; 24], [20; 24], [30; 24]].concat()
    );
}

#[test]
fn images_of_any_size_colour_type_and_extension_are_read() {
    let dir = folder();
    let cat = dir.path().join("train/cat");
    save(
        cat.join("grey.png"),
        image::GrayImage::from_pixel(3, 5, image::Luma([77])).into(),
    );
    save(
        cat.join("deep.png"),
        image::ImageBuffer::<image::Rgba<u16>, _>::from_pixel(40, 1, image::Rgba([25_700; 4]))
            .into(),
    );
    save(cat.join("photo.JPG"), rgb(33, 17, [128, 128, 128]));
    save(cat.join("photo.jpeg"), rgb(1, 1, [128, 128, 128]));
    save(cat.join("lossless.webp"), rgb(9, 9, [61, 62, 63]));
    save(cat.join("old.bmp"), rgb(2, 7, [91, 92, 93]));
    fs::write(cat.join("notes.txt"), "not an image").unwrap();
    fs::write(cat.join(".hidden.png"), "not an image either").unwrap();
    fs::create_dir(dir.path().join("train/.cache")).unwrap();
    let data = load(&config(DataSource::Folder, Some(dir.path()), 2)).unwrap();
    assert_eq!(data.train.len() + data.validation.len(), 12);
    let has = |planes: [u8; 3]| {
        let image: Vec<u8> = planes.iter().flat_map(|&value| [value; 24]).collect();
        data.train
            .pixels
            .chunks(72)
            .chain(data.validation.pixels.chunks(72))
            .any(|found| found == image)
    };
    assert!(has([77; 3]), "a grey image has three equal channels");
    assert!(
        has([61, 62, 63]) && has([91, 92, 93]),
        "WebP and BMP keep their colours"
    );
}

#[test]
fn files_of_other_kinds_are_counted_and_the_first_is_named() {
    let dir = folder();
    assert_eq!(
        unread_files(&config(DataSource::Folder, Some(dir.path()), 2)),
        None
    );
    fs::write(dir.path().join("train/cat/scan.tiff"), "II*").unwrap();
    fs::create_dir(dir.path().join("train/cat/more")).unwrap();
    fs::write(dir.path().join("train/readme.txt"), "").unwrap();
    fs::write(dir.path().join("train/cat/.hidden"), "").unwrap();
    fs::write(dir.path().join("test/cat/film.gif"), "GIF89a").unwrap();
    let unread = unread_files(&config(DataSource::Folder, Some(dir.path()), 2)).unwrap();
    assert_eq!(
        (unread.files, unread.folders, unread.first),
        (2, 1, dir.path().join("train/readme.txt"))
    );
    let output = nas_tui(
        &[
            "data",
            "check",
            &format!("folder:{}", dir.path().display()),
            "--json",
        ],
        dir.path(),
    );
    let files: Vec<_> = json(&output)["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["files"].clone())
        .collect();
    assert_eq!(files, [2, 1]);
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = [
        "warning: 2 files and 1 folder in a class folder are not read, the first ",
        "train/readme.txt: images are",
        "warning: 1 file is not",
        "film.gif",
    ];
    assert!(expected.iter().all(|part| told.contains(part)), "{told}");
}

#[test]
fn bad_folders_are_named_with_what_is_wrong() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &str); 7] = [
        (
            "an image that does not decode",
            |dir| fs::write(dir.join("train/cat/1.png"), b"\x89PNG\r\n\x1a\nrubbish").unwrap(),
            "train/cat/1.png: the image does not decode",
        ),
        (
            "a truncated image",
            |dir| truncate(&dir.join("train/ant/2.png"), 60),
            "train/ant/2.png: the image does not decode",
        ),
        (
            "an empty image",
            |dir| truncate(&dir.join("train/ant/0.png"), 0),
            "train/ant/0.png: the file is empty",
        ),
        (
            "a class without images",
            |dir| fs::create_dir(dir.join("train/dog")).unwrap(),
            "train/dog: the class folder holds no images; put .png",
        ),
        (
            "a class without images of a known kind",
            |dir| {
                fs::create_dir(dir.join("train/dog")).unwrap();
                fs::write(dir.join("train/dog/1.tiff"), "II*").unwrap();
            },
            "train/dog: the class folder holds no images, only others (1, the first 1.tiff); put .png",
        ),
        (
            "one class only",
            |dir| fs::remove_dir_all(dir.join("train/cat")).unwrap(),
            "train: 1 class folder(s) where at least two",
        ),
        (
            "no train folder",
            |dir| fs::remove_dir_all(dir.join("train")).unwrap(),
            "put the images at DIR/train/CLASS/NAME.png",
        ),
    ];
    for (what, spoil, expected) in cases {
        let message = folder_error(spoil);
        assert!(
            message.contains(expected),
            "{what}: {message:?} lacks {expected:?}"
        );
    }
}

#[test]
fn test_classes_must_be_training_classes() {
    let dir = folder();
    save(dir.path().join("test/unicorn/0.png"), rgb(2, 2, [0; 3]));
    let message = load_test(&config(DataSource::Folder, Some(dir.path()), 2))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains(
            "test/unicorn: class `unicorn` is not one of the training classes (ant, cat)"
        ),
        "{message}"
    );
}

#[test]
fn test_images_are_optional_until_they_are_asked_for() {
    let dir = folder();
    fs::remove_dir_all(dir.path().join("test")).unwrap();
    let config = config(DataSource::Folder, Some(dir.path()), 2);
    assert!(load(&config).is_ok());
    let message = load_test(&config).unwrap_err().to_string();
    assert!(
        message.contains("folder `test`") && message.contains("DIR/test/CLASS"),
        "{message}"
    );
}

// --- the program
// ----------------------------------------------------------------------------------------------------

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
fn data_check_takes_height_and_width_and_names_its_own_option() {
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
