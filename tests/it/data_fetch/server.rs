//! A web server that behaves as a test requires.

use super::*;

/// What the server does with one request; the last behaviour applies to all further ones.
#[derive(Debug, Clone, Copy)]
pub enum Behaviour {
    /// Everything requested, including ranges.
    Serve,
    /// Announces everything, then hangs up after this many bytes.
    HangUpAfter(usize),
    /// The whole file, whatever range is requested.
    IgnoreRange,
    Status(u16),
}

pub struct Server {
    pub url: String,
    /// Range header of each request.
    pub ranges: Arc<Mutex<Vec<Option<String>>>>,
}

pub(super) fn serve(content: Vec<u8>, behaviours: Vec<Behaviour>) -> Server {
    serve_files(
        vec![("cifar-10-binary.tar.gz".to_owned(), content)],
        behaviours,
    )
}

/// A server of files by name; everything else is not found.
pub fn serve_files(files: Vec<(String, Vec<u8>)>, behaviours: Vec<Behaviour>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mirror", listener.local_addr().unwrap());
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = ranges.clone();
    std::thread::spawn(move || {
        for (request, stream) in listener.incoming().enumerate() {
            let behaviour = behaviours[request.min(behaviours.len() - 1)];
            // A client that hangs up first is not the server's fault.
            let _ = answer(stream.unwrap(), &files, behaviour, &seen);
        }
    });
    Server { url, ranges }
}

fn answer(
    mut stream: TcpStream,
    files: &[(String, Vec<u8>)],
    behaviour: Behaviour,
    seen: &Mutex<Vec<Option<String>>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let target = lines.next().unwrap_or(Ok(String::new()))?;
    let head: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let range = head.iter().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("range: ")
            .map(str::to_owned)
    });
    seen.lock().unwrap().push(range.clone());
    let start = range.and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    let file = files
        .iter()
        .find(|(name, _)| target.starts_with(&format!("GET /mirror/{name} ")));
    let content = file.map_or(&[][..], |(_, content)| content);
    let total = content.len();
    let (status, extra, body) = match (behaviour, start) {
        _ if file.is_none() => ("404 Not Found".to_owned(), String::new(), content),
        (Behaviour::Status(status), _) => (format!("{status} No"), String::new(), &content[..0]),
        (Behaviour::IgnoreRange, _) | (_, None) => ("200 OK".to_owned(), String::new(), content),
        (_, Some(start)) if start >= total => (
            "416 Range Not Satisfiable".to_owned(),
            format!("Content-Range: bytes */{total}\r\n"),
            &content[..0],
        ),
        (_, Some(start)) => {
            let range = format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1);
            ("206 Partial Content".to_owned(), range, &content[start..])
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{extra}Connection: close\r\n\r\n",
        body.len()
    )?;
    let sent = if let Behaviour::HangUpAfter(bytes) = behaviour {
        bytes.min(body.len())
    } else {
        body.len()
    };
    stream.write_all(&body[..sent])
}
