//! CIFAR-10's files.

use super::*;

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
        message.contains("data_batch_3.bin, record 5 (byte 15365): the file ends after"),
        "{message}"
    );
    assert!(message.contains("data fetch cifar10"), "{message}");
}

#[test]
fn a_cifar10_file_cut_off_between_records_is_noticed_by_comparison_with_the_others() {
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
fn there_must_be_ten_class_names() {
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
