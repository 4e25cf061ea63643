//! The messages between a run and its clients over the socket: JSON, one message per line. The
//! records themselves are in the journal, which every client reads directly.

use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Command;
use crate::event::Record;

/// Name of the protocol, in both greetings.
pub const PROTOCOL: &str = "nas-tui";
/// Version of the protocol.
pub const VERSION: u32 = 1;

/// Maximum length of a line in bytes, which limits the memory that a peer can occupy.
const LONGEST_LINE: u64 = 1 << 20;

/// A message to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToClient {
    /// The first message.
    Hello(ServerHello),
    /// The journal contains the records up to this number.
    Written(u64),
    /// A record that is not in the journal. May be omitted.
    Tick(Box<Record>),
    /// Always `true`: the search has ended; nothing follows.
    Ended(bool),
    /// A request was refused, for the reason given.
    Refused(String),
}

/// The server's greeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerHello {
    /// [`PROTOCOL`].
    pub protocol: String,
    /// [`VERSION`] of the server.
    pub version: u32,
    /// Process id of the search.
    pub pid: u32,
    /// Name of its machine.
    pub host: String,
    /// Name of the run directory.
    pub run: String,
    /// Why the run cannot save at the moment, if so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocked: Option<String>,
}

/// A message to a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToServer {
    /// The first message, sent after the server's greeting.
    Hello(ClientHello),
    /// A command.
    Command(Command),
}

/// The client's greeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientHello {
    /// [`PROTOCOL`].
    pub protocol: String,
    /// [`VERSION`] of the client.
    pub version: u32,
    /// Whether it only watches, in which case its commands are refused.
    pub watch: bool,
}

/// Check the other side's greeting; the error is for the user.
///
/// # Errors
/// If the other side speaks another protocol or another version of it.
pub fn check_greeting(protocol: &str, version: u32) -> Result<(), String> {
    if protocol != PROTOCOL {
        return Err(format!("speaks `{protocol}`, not `{PROTOCOL}`"));
    }
    if version != VERSION {
        return Err(format!(
            "speaks version {version} of the protocol, this program version {VERSION}: use the same version of nas-tui for both"
        ));
    }
    Ok(())
}

/// Read one message; `None` at the end of the stream.
///
/// # Errors
/// I/O errors of the stream, and `InvalidData` for a line that is too long or not a message.
pub fn receive<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    input
        .by_ref()
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        // The stream ended within a line: the writer is gone.
        Some(_) if (line.len() as u64) < LONGEST_LINE => Ok(None),
        Some(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the line is too long",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::messages::send;

    fn line(message: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        send(&mut bytes, message).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn messages_are_lines_of_json() {
        assert_eq!(line(&ToClient::Written(7)), "{\"written\":7}\n");
        assert_eq!(line(&ToClient::Ended(true)), "{\"ended\":true}\n");
        assert_eq!(
            line(&ToServer::Command(Command::Pause)),
            "{\"command\":\"pause\"}\n"
        );
        assert_eq!(
            line(&ToServer::Command(Command::Skip { child: 3 })),
            "{\"command\":{\"skip\":{\"child\":3}}}\n"
        );
        let note = Command::Note {
            child: 3,
            text: "a \"b\"".into(),
        };
        assert_eq!(
            line(&ToServer::Command(note)),
            "{\"command\":{\"note\":{\"child\":3,\"text\":\"a \\\"b\\\"\"}}}\n"
        );
        let hello = ToServer::Hello(ClientHello {
            protocol: PROTOCOL.into(),
            version: VERSION,
            watch: true,
        });
        assert_eq!(
            line(&hello),
            "{\"hello\":{\"protocol\":\"nas-tui\",\"version\":1,\"watch\":true}}\n"
        );
    }

    #[test]
    fn what_is_sent_is_received_followed_by_the_end() {
        let text = line(&ToClient::Written(1)) + &line(&ToClient::Ended(true));
        let mut input = text.as_bytes();
        assert_eq!(receive(&mut input).unwrap(), Some(ToClient::Written(1)));
        assert_eq!(receive(&mut input).unwrap(), Some(ToClient::Ended(true)));
        assert_eq!(receive::<ToClient>(&mut input).unwrap(), None);
    }

    #[test]
    fn garbage_and_endless_lines_are_errors_and_a_torn_line_is_the_end() {
        for garbage in [
            "GET / HTTP/1.1\n",
            "{\"written\":\"x\"}\n",
            "\n",
            "\u{0}\n",
            "{\"unknown\":1}\n",
        ] {
            assert!(
                receive::<ToClient>(&mut garbage.as_bytes()).is_err(),
                "{garbage:?}"
            );
        }
        let endless = vec![b'x'; LONGEST_LINE as usize + 10];
        assert!(receive::<ToClient>(&mut endless.as_slice()).is_err());
        assert_eq!(
            receive::<ToClient>(&mut "{\"writ".as_bytes()).unwrap(),
            None
        );
    }

    #[test]
    fn another_version_is_refused_with_both_numbers() {
        assert_eq!(check_greeting(PROTOCOL, VERSION), Ok(()));
        let reason = check_greeting(PROTOCOL, 9).unwrap_err();
        assert!(
            reason.contains("version 9") && reason.contains("version 1"),
            "{reason}"
        );
        assert!(
            check_greeting("http", VERSION)
                .unwrap_err()
                .contains("http")
        );
    }
}
