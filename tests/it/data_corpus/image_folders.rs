//! Folders of images, one for each class.

use super::*;

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
            "an image that cannot be decoded",
            |dir| fs::write(dir.join("train/cat/1.png"), b"\x89PNG\r\n\x1a\nrubbish").unwrap(),
            "train/cat/1.png: the image cannot be decoded",
        ),
        (
            "a truncated image",
            |dir| truncate(&dir.join("train/ant/2.png"), 60),
            "train/ant/2.png: the image cannot be decoded",
        ),
        (
            "an empty image",
            |dir| truncate(&dir.join("train/ant/0.png"), 0),
            "train/ant/0.png: the file is empty",
        ),
        (
            "a class without images",
            |dir| fs::create_dir(dir.join("train/dog")).unwrap(),
            "train/dog: the class folder contains no images; put .png",
        ),
        (
            "a class without images of a known kind",
            |dir| {
                fs::create_dir(dir.join("train/dog")).unwrap();
                fs::write(dir.join("train/dog/1.tiff"), "II*").unwrap();
            },
            "train/dog: the class folder contains no images, only others (1, the first 1.tiff); put .png",
        ),
        (
            "one class only",
            |dir| fs::remove_dir_all(dir.join("train/cat")).unwrap(),
            "train: 1 class folder where at least two",
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
fn test_images_are_optional_until_they_are_needed() {
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
