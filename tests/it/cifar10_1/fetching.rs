//! Fetching the four files.

use super::*;

fn fetch(url: &str, folder: &Path) -> FetchCifar10_1 {
    FetchCifar10_1 {
        base: url.to_owned(),
        folder: folder.to_owned(),
        most: 10 << 20,
        attempts: 2,
        silence: Duration::from_secs(20),
        patience: Duration::from_secs(60),
        pause: Duration::ZERO,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_broken_connection_is_resumed_and_only_the_files_remain() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_files(
        files(),
        vec![Behaviour::HangUpAfter(5_000), Behaviour::Serve],
    );
    let fetched = fetch(&server.url, folder.path())
        .run(&mut |_, _| {})
        .unwrap();
    assert_eq!(fetched, Fetched::New(folder.path().to_owned()));
    assert_eq!(
        server.ranges.lock().unwrap()[..2],
        [None, Some("bytes=5000-".to_owned())]
    );
    let mut expected: Vec<String> = files().into_iter().map(|(name, _)| name).collect();
    expected.sort();
    assert_eq!(names(folder.path()), expected);
    assert!(matches!(
        fetch("http://127.0.0.1:9", folder.path()).run(&mut |_, _| {}),
        Ok(Fetched::AlreadyThere(_))
    ));
}

#[test]
fn only_invalid_files_are_fetched_again() {
    let dir = folder();
    fs::write(dir.path().join("cifar10.1_v6_labels.npy"), "broken").unwrap();
    let server = serve_files(files(), vec![Behaviour::Serve]);
    fetch(&server.url, dir.path()).run(&mut |_, _| {}).unwrap();
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
    assert_eq!(load_tests(&config(dir.path())).unwrap().len(), 2);
}

#[test]
fn images_and_labels_that_do_not_belong_together_are_both_fetched_again() {
    let dir = folder();
    fs::write(dir.path().join("cifar10.1_v6_labels.npy"), labels(&[1, 2])).unwrap();
    let server = serve_files(files(), vec![Behaviour::Serve]);
    fetch(&server.url, dir.path()).run(&mut |_, _| {}).unwrap();
    assert_eq!(
        (
            server.ranges.lock().unwrap().len(),
            load_tests(&config(dir.path())).unwrap().len()
        ),
        (2, 2)
    );
}

#[test]
fn an_invalid_file_that_was_received_is_removed_with_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files();
    files[0].1 = b"<!DOCTYPE html>".to_vec();
    let server = serve_files(files, vec![Behaviour::Serve]);
    let error = fetch(&server.url, folder.path())
        .run(&mut |_, _| {})
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, FetchError::Unsound { .. }), "{message}");
    assert!(
        message.contains("not an NPY file") && message.contains("was removed"),
        "{message}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_file_that_the_server_does_not_have_is_named_with_remedies() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_files(Vec::new(), vec![Behaviour::Serve]);
    let message = fetch(&server.url, folder.path())
        .run(&mut |_, _| {})
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("answered 404") && message.contains("put cifar10.1_v6_data.npy into"),
        "{message}"
    );
}
