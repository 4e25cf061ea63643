//! `data fetch` with a local server that behaves well and badly.

mod hostile;
mod server;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use md5::{Digest, Md5};
use nas_tui::data::FetchError;
use nas_tui::data::fetch::{Fetch, FetchProgress, Fetched, archive_url};
use tempfile::TempDir;

use self::server::serve;
pub use self::server::{Behaviour, serve_files};

/// A tiny CIFAR-10: six files of one record each, with bytes that hardly compress.
fn archive() -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    let mut state = 1u32;
    for name in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        let mut record = vec![0; 3_073];
        for byte in &mut record[1..] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        append(
            &mut builder,
            &format!("cifar-10-batches-bin/{name}.bin"),
            &record,
        );
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn append(builder: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content).unwrap();
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn fetch(url: &str, content: &[u8], folder: &Path) -> Fetch {
    let url = archive_url(Some(url));
    Fetch {
        url,
        folder: folder.to_owned(),
        md5: md5(content),
        most: 100_000,
        attempts: 2,
        pause: Duration::ZERO,
        silence: Duration::from_secs(20),
        patience: Duration::from_secs(60),
    }
}

fn run(fetch: &Fetch) -> Result<Fetched, FetchError> {
    fetch.run(&mut |_| {})
}

/// Everything in the folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_installed(folder: &TempDir) {
    assert_eq!(names(folder.path()), ["cifar-10-batches-bin"]);
    assert_eq!(
        fs::read_dir(folder.path().join("cifar-10-batches-bin"))
            .unwrap()
            .count(),
        6
    );
}

const PART: &str = "cifar-10-binary.tar.gz.part";

#[test]
fn a_fetch_downloads_verifies_unpacks_and_leaves_nothing_else_behind() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    let mut steps = Vec::new();
    let fetched = fetch(&server.url, &content, folder.path())
        .run(&mut |step| steps.push(step))
        .unwrap();
    assert_eq!(
        fetched,
        Fetched::New(folder.path().join("cifar-10-batches-bin"))
    );
    assert_installed(&folder);
    let total = content.len() as u64;
    assert!(steps.contains(&FetchProgress::Downloading {
        done: total,
        total: Some(total)
    }));
    assert_eq!(
        steps[steps.len() - 2..],
        [FetchProgress::Verifying, FetchProgress::Unpacking]
    );
}

#[test]
fn valid_data_are_not_downloaded_again_but_broken_ones_are() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    let fetch = fetch(&server.url, &content, folder.path());
    run(&fetch).unwrap();
    assert!(matches!(run(&fetch), Ok(Fetched::AlreadyThere(_))));
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
    fs::write(
        folder.path().join("cifar-10-batches-bin/test_batch.bin"),
        "broken",
    )
    .unwrap();
    assert!(matches!(run(&fetch), Ok(Fetched::New(_))));
    assert_installed(&folder);
}

#[test]
fn an_interrupted_download_is_resumed() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(
        content.clone(),
        vec![
            Behaviour::HangUpAfter(5_000),
            Behaviour::HangUpAfter(3_000),
            Behaviour::Serve,
        ],
    );
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert_installed(&folder);
    let ranges = server.ranges.lock().unwrap().clone();
    assert_eq!(
        ranges,
        [
            None,
            Some("bytes=5000-".to_owned()),
            Some("bytes=8000-".to_owned())
        ]
    );
}

#[test]
fn a_later_fetch_continues_from_what_an_earlier_one_left() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let gone = serve(
        content.clone(),
        vec![Behaviour::HangUpAfter(4_000), Behaviour::HangUpAfter(0)],
    );
    let message = run(&fetch(&gone.url, &content, folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("stopped after 4000 bytes")
            && message.contains("run the same command again"),
        "{message}"
    );
    assert_eq!(names(folder.path()), [PART]);
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert_eq!(
        *server.ranges.lock().unwrap(),
        [Some("bytes=4000-".to_owned())]
    );
    assert_installed(&folder);
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(
        content.clone(),
        vec![Behaviour::HangUpAfter(5_000), Behaviour::IgnoreRange],
    );
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert_eq!(server.ranges.lock().unwrap().len(), 2);
    assert_installed(&folder);
}

#[test]
fn a_complete_part_is_not_downloaded_again_and_one_that_is_too_long_starts_over() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    fs::write(folder.path().join(PART), &content).unwrap();
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert!(server.ranges.lock().unwrap().is_empty());
    assert_installed(&folder);
    fs::remove_dir_all(folder.path().join("cifar-10-batches-bin")).unwrap();
    fs::write(folder.path().join(PART), [&content[..], b"more"].concat()).unwrap();
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert_eq!(server.ranges.lock().unwrap().last(), Some(&None));
    assert_installed(&folder);
}

#[test]
fn a_wrong_md5_removes_the_file_and_says_so() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    let message = run(&fetch(&server.url, b"another archive", folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains(&md5(&content)) && message.contains("was removed"),
        "{message}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_404_ends_the_fetch_at_once_with_remedies() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::Status(404)]);
    let message = run(&fetch(&server.url, &content, folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the server answered 404") && message.contains("--mirror"),
        "{message}"
    );
    assert_eq!(server.ranges.lock().unwrap().len(), 1);
}

#[test]
fn a_server_in_trouble_is_retried() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(
        content.clone(),
        vec![Behaviour::Status(503), Behaviour::Serve],
    );
    run(&fetch(&server.url, &content, folder.path())).unwrap();
    assert_installed(&folder);
}

#[test]
fn an_unreachable_server_is_named() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let message = run(&fetch(
        &format!("http://127.0.0.1:{port}"),
        &content,
        folder.path(),
    ))
    .unwrap_err()
    .to_string();
    assert!(
        message.contains(&port.to_string()) && message.contains("cannot be downloaded"),
        "{message}"
    );
}

#[test]
fn an_archive_with_a_malicious_entry_installs_nothing() {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    append(
        &mut builder,
        "cifar-10-batches-bin/data_batch_1.bin",
        &[0; 3_073],
    );
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(
            &mut header,
            "cifar-10-batches-bin/test_batch.bin",
            "/etc/passwd",
        )
        .unwrap();
    let content = builder.into_inner().unwrap().finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = serve(content.clone(), vec![Behaviour::Serve]);
    let message = run(&fetch(&server.url, &content, folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("test_batch.bin` is refused: it is a link"),
        "{message}"
    );
    assert_eq!(names(folder.path()), [PART], "nothing unpacked is left");
}

#[test]
fn a_mirror_can_be_a_folder_or_the_archive_and_be_on_disk() {
    let (content, mirror) = (archive(), tempfile::tempdir().unwrap());
    fs::write(mirror.path().join("cifar-10-binary.tar.gz"), &content).unwrap();
    let path = mirror.path().display();
    for url in [
        format!("file://{path}"),
        format!("{path}/"),
        format!("file://{path}/cifar-10-binary.tar.gz"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        run(&fetch(&url, &content, folder.path())).unwrap();
        assert_installed(&folder);
    }
}

#[test]
fn an_archive_put_there_by_hand_is_used_and_kept() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("cifar-10-binary.tar.gz"), &content).unwrap();
    run(&fetch(
        "http://127.0.0.1:9/never-asked",
        &content,
        folder.path(),
    ))
    .unwrap();
    assert_eq!(
        names(folder.path()),
        ["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]
    );
}

#[test]
fn a_second_fetch_into_the_same_folder_is_refused() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let lock = fs::File::create(folder.path().join(".fetch.lock")).unwrap();
    lock.lock().unwrap();
    let error = run(&fetch("http://127.0.0.1:9", &content, folder.path())).unwrap_err();
    assert!(matches!(error, FetchError::Busy { .. }), "{error}");
}

#[test]
fn the_program_fetches_from_a_mirror_and_rejects_an_archive_with_the_wrong_md5() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content, vec![Behaviour::Serve]);
    let output = Command::new(env!("CARGO_BIN_EXE_nas-tui"))
        .args(["data", "fetch", "cifar10", "--mirror", &server.url, "--dir"])
        .arg(folder.path().join("data/cifar10"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors.contains("c32a1d4ab5d03f1284b67883e8d87530") && errors.contains("was removed"),
        "{errors}"
    );
    assert!(
        !errors.contains('\r') && !errors.contains('\u{1b}'),
        "no progress bar without a terminal: {errors:?}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}
