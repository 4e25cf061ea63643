//! The clipboard of the user's terminal, through SSH, tmux and screen: OSC 52.
//!
//! The terminal accepts `ESC ] 52 ; c ; BASE64 BEL`. A multiplexer in between passes it on only if
//! it is wrapped in a particular way. The terminal does not answer, so it is impossible to know
//! whether it has accepted the text: in some it is disabled.

/// Maximum number of bytes of text: xterm accepts sequences of up to 100,000 bytes, 8 of which are
/// not base64.
pub const LONGEST: usize = 99_992 / 4 * 3;

/// Number of bytes that screen passes on in one piece.
const SCREEN_PIECE: usize = 240;

/// Why a text cannot be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{length} bytes are too long for the terminal's clipboard, which takes {LONGEST}: save it to a file instead"
)]
pub struct TooLong {
    length: usize,
}

/// What is between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// Nothing: the terminal itself reads the output.
    None,
    /// tmux: an escape sequence for the terminal is wrapped in a DCS of tmux.
    Tmux,
    /// GNU screen: the same in a plain DCS, in short pieces.
    Screen,
}

impl Multiplexer {
    /// Detected from TMUX, STY and TERM, as read by `variable`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Multiplexer {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("TMUX").is_some() || term.starts_with("tmux") {
            Multiplexer::Tmux
        } else if set("STY").is_some() || term.starts_with("screen") {
            Multiplexer::Screen
        } else {
            Multiplexer::None
        }
    }

    /// The bytes that put `text` on the clipboard.
    ///
    /// # Errors
    /// [`TooLong`] if the terminal would not accept the text.
    pub fn copy(self, text: &str) -> Result<String, TooLong> {
        if text.len() > LONGEST {
            return Err(TooLong { length: text.len() });
        }
        let plain = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
        Ok(match self {
            Multiplexer::None => plain,
            // tmux accepts the plain sequence with `set-clipboard on`, and the wrapped one with
            // `allow-passthrough on`.
            Multiplexer::Tmux => format!(
                "{plain}\x1bPtmux;{}\x1b\\",
                plain.replace('\x1b', "\x1b\x1b")
            ),
            Multiplexer::Screen => {
                let pieces = plain
                    .as_bytes()
                    .chunks(SCREEN_PIECE)
                    .map(String::from_utf8_lossy);
                pieces.map(|piece| format!("\x1bP{piece}\x1b\\")).collect()
            }
        })
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * position) & 63) as usize];
            text.push(if position > chunk.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let texts: Vec<String> = ["", "f", "fo", "foo", "foob", "fooba", "foobar"]
            .map(|text| base64(text.as_bytes()))
            .into();
        assert_eq!(
            texts,
            [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
            ]
        );
    }

    #[test]
    fn tmux_gets_the_sequence_both_plain_and_wrapped() {
        let expected = "\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\";
        assert_eq!(Multiplexer::Tmux.copy("foo").unwrap(), expected);
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_sequence() {
        let text = "x".repeat(1000);
        let wrapped = Multiplexer::Screen.copy(&text).unwrap();
        let pieces: Vec<&str> = wrapped
            .split("\x1b\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.len() <= SCREEN_PIECE + 2));
        let joined: String = pieces
            .iter()
            .map(|piece| piece.strip_prefix("\x1bP").unwrap())
            .collect();
        assert_eq!(joined, Multiplexer::None.copy(&text).unwrap());
    }

    #[test]
    fn a_text_beyond_the_limit_is_refused_and_one_at_it_is_not() {
        assert!(Multiplexer::None.copy(&"x".repeat(LONGEST)).unwrap().len() <= 100_000);
        let error = Multiplexer::None
            .copy(&"x".repeat(LONGEST + 1))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("74995 bytes are too long")
                && error.ends_with("save it to a file instead"),
            "{error}"
        );
    }

    #[test]
    fn the_multiplexer_follows_the_environment() {
        let detect = |pairs: &[(&str, &str)]| {
            Multiplexer::detect(|name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(
            detect(&[
                ("TERM", "screen-256color"),
                ("TMUX", "/tmp/tmux-0/default,1,0")
            ]),
            Multiplexer::Tmux
        );
        assert_eq!(
            detect(&[("TERM", "screen"), ("TMUX", "")]),
            Multiplexer::Screen
        );
        assert_eq!(
            detect(&[("TERM", "xterm-256color"), ("STY", "1.pts-0.host")]),
            Multiplexer::Screen
        );
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Multiplexer::None);
    }
}
