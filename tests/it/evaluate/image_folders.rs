//! Folders of images.

use super::*;

/// Ten classes with two images each for training and one for testing, with a network for images of
/// `input` beside them.
fn write_folder(folder: &Path, input: [usize; 3]) {
    write_network(folder, input);
    for (part, images) in [("train", 2), ("test", 1)] {
        for class in 0..10 {
            let path = folder.join("images").join(part).join(class.to_string());
            std::fs::create_dir_all(&path).unwrap();
            for index in 0..images {
                let image =
                    image::RgbImage::from_pixel(20, 30, image::Rgb([class * 20, 100, index]));
                image.save(path.join(format!("{index}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn a_small_folder_is_evaluated_at_the_size_that_the_network_takes() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 17, 12]);
    let result = json(&evaluate(
        folder.path(),
        &["--data", "folder:images", "--json"],
    ));
    assert_eq!(result["images"], 10);
    let same = json(&evaluate(
        folder.path(),
        &["--data", "folder:images", "--size", "17x12", "--json"],
    ));
    assert_eq!(same, result);
    let other = evaluate(folder.path(), &["--data", "folder:images", "--size", "17"]);
    let error = String::from_utf8_lossy(&other.stderr);
    assert!(
        other.status.code() == Some(2)
            && error.contains("[3, 17, 12]")
            && error.contains("[3, 17, 17]"),
        "{error}"
    );
}

#[test]
fn an_error_about_too_many_validation_images_names_the_option() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    let output = evaluate(
        folder.path(),
        &["--data", "folder:images", "--validation", "11"],
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains("of 20 training images at most 10")
            && error.contains("lower --validation or add images"),
        "{error}"
    );
}

#[test]
fn test_images_of_unknown_kinds_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    std::fs::write(folder.path().join("images/test/3/0.tiff"), "II*").unwrap();
    let output = evaluate(folder.path(), &["--data", "folder:images"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success()
            && error.contains("warning: 1 file is not read, the first images/test/3/0.tiff"),
        "{error}"
    );
}

#[test]
fn unread_training_images_are_reported_and_a_folder_is_called_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    std::fs::create_dir(folder.path().join("images/train/2/more")).unwrap();
    let output = evaluate(folder.path(), &["--data", "folder:images"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let expected = "warning: 1 folder in a class folder is not read, the first images/train/2/more";
    assert!(
        output.status.success() && error.contains(expected) && !error.contains("convert"),
        "{error}"
    );
}

#[test]
fn the_enlargement_of_a_run_also_applies_to_other_data() {
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), [3, 8, 8]);
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::copy(folder.path().join("a.json"), run.join("architecture.json")).unwrap();
    std::fs::copy(
        folder.path().join("w.safetensors"),
        run.join("weights.safetensors"),
    )
    .unwrap();
    let network = std::fs::read_to_string(folder.path().join("a.json")).unwrap();
    std::fs::write(
        run.join("best.json"),
        format!(r#"{{"epoch": 1, "valid_accuracy": 0.5, "architecture": {network}}}"#),
    )
    .unwrap();
    std::fs::write(
        run.join("config.toml"),
        "[data]\ncrop = \"upsample\"\ncrop_pixels = 42\n",
    )
    .unwrap();
    // Pictures whose middle differs from their rim.
    for class in 0..10 {
        let picture = image::RgbImage::from_fn(8, 8, |x, y| {
            image::Rgb([(x * y * 4) as u8, class * 20, (x * 30) as u8])
        });
        picture
            .save(folder.path().join(format!("images/test/{class}/0.png")))
            .unwrap();
    }
    let with = |more: &[&str]| {
        json(&evaluate(
            folder.path(),
            &[&["--data", "folder:images", "--json"], more].concat(),
        ))
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_nas-tui"));
    let of_run = command.current_dir(folder.path()).args([
        "evaluate",
        "run:best",
        "--data",
        "folder:images",
        "--json",
    ]);
    let of_run = json(&of_run.output().unwrap());
    assert_eq!(of_run["loss"], with(&["--upsample", "42"])["loss"]);
    assert_ne!(of_run["loss"], with(&[])["loss"]);
}
