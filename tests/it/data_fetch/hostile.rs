//! Servers that send too much, too little, or too slowly.

use std::time::Instant;

use super::*;

/// A server that answers every request with `head`, then with what `body` writes.
fn server(
    head: &'static str,
    body: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mirror", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty());
            request.for_each(drop);
            // The client hangs up first.
            let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n")
                .and_then(|()| body(&mut stream));
        }
    });
    url
}

fn failure(fetch: &Fetch) -> String {
    let message = run(fetch).unwrap_err().to_string();
    let left = fs::metadata(fetch.folder.join(PART)).map_or(0, |part| part.len());
    assert!(left <= fetch.most, "{left} bytes are left");
    message
}

#[test]
fn an_endless_body_ends_with_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = server("200 OK", |stream| {
        loop {
            stream.write_all(&[7; 1 << 16])?;
        }
    });
    let message = failure(&fetch(&url, b"wanted", folder.path()));
    assert!(message.contains("longer than 100000 bytes"), "{message}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_part_that_nobody_asked_for_is_said_to_be_one() {
    for head in [
        "206 Partial Content\r\nContent-Length: 0",
        "206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 0",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let url = server(head, |_| Ok(()));
        let message = failure(&fetch(&url, b"wanted", folder.path()));
        assert!(message.contains("when asked for"), "{message}");
        assert!(message.contains("name another source"), "{message}");
    }
}

#[test]
fn an_absurd_length_is_refused_before_anything_is_written() {
    for head in [
        "200 OK\r\nContent-Length: 9000000000000000",
        "206 Partial Content\r\nContent-Range: bytes 0-9/9000000000000000\r\nContent-Length: 10",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let url = server(head, |_| Ok(()));
        let message = failure(&fetch(&url, b"wanted", folder.path()));
        assert!(message.contains("longer than 100000 bytes"), "{message}");
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn ten_bytes_are_no_progress() {
    let (content, folder) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(content.clone(), vec![Behaviour::HangUpAfter(10)]);
    let message = failure(&fetch(&server.url, &content, folder.path()));
    assert!(message.contains("stopped after 20 bytes"), "{message}");
    assert_eq!(server.ranges.lock().unwrap().len(), 2);
}

#[test]
fn a_server_that_trickles_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = server("200 OK\r\nContent-Length: 90000", |stream| {
        loop {
            stream.write_all(&[7])?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let fetch = Fetch {
        silence: Duration::from_secs(1),
        ..fetch(&url, b"wanted", folder.path())
    };
    let begin = Instant::now();
    let message = failure(&fetch);
    assert!(message.contains("hardly anything"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_whole_download_takes_no_longer_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    // Each attempt is fruitful, and the next one begins again.
    let url = server("200 OK\r\nContent-Length: 90000", |stream| {
        stream.write_all(&[7; 2_000])?;
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    });
    let fetch = Fetch {
        attempts: u32::MAX,
        patience: Duration::from_secs(1),
        ..fetch(&url, b"wanted", folder.path())
    };
    let begin = Instant::now();
    let message = failure(&fetch);
    assert!(message.contains("not complete after"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(20));
}
