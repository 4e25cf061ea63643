//! The terminal: whether the screen can be drawn in it, and how well.

use std::io::IsTerminal;

use serde_json::json;

use super::{CheckResult, CheckStatus};

/// Smallest terminal in which everything is visible.
const SMALLEST: (u16, u16) = (80, 24);

/// What a process can find out about its terminal.
#[derive(Debug, Clone, Default)]
pub(super) struct TerminalFacts {
    pub(super) is_terminal: bool,
    pub(super) term: Option<String>,
    pub(super) colorterm: Option<String>,
    pub(super) no_color: bool,
    /// Value of the first of LC_ALL, LC_CTYPE and LANG that is set.
    pub locale: Option<String>,
    /// Columns, rows.
    pub size: Option<(u16, u16)>,
}

impl TerminalFacts {
    pub(super) fn of_this_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        TerminalFacts {
            is_terminal: std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
            term: variable("TERM"),
            colorterm: variable("COLORTERM"),
            no_color: variable("NO_COLOR").is_some(),
            locale: ["LC_ALL", "LC_CTYPE", "LANG"]
                .into_iter()
                .find_map(variable),
            size: window_size(),
        }
    }

    fn is_utf8(&self) -> bool {
        let locale = self
            .locale
            .as_deref()
            .unwrap_or("")
            .to_ascii_lowercase()
            .replace('-', "");
        locale.contains("utf8")
    }

    fn colours(&self) -> &'static str {
        match (
            self.no_color,
            self.colorterm.as_deref(),
            self.term.as_deref(),
        ) {
            (true, ..) => "no colours (NO_COLOR)",
            (_, Some("truecolor" | "24bit"), _) => "16 million colours",
            (_, _, Some(term)) if term.contains("256color") || term.contains("direct") => {
                "256 colours"
            }
            _ => "16 colours",
        }
    }
}

fn window_size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

pub(super) fn findings(terminal: &TerminalFacts) -> Vec<CheckResult> {
    let details = json!({
        "is_terminal": terminal.is_terminal, "term": terminal.term, "colorterm": terminal.colorterm,
        "no_color": terminal.no_color, "locale": terminal.locale, "utf8": terminal.is_utf8(), "size": terminal.size,
    });
    if !terminal.is_terminal {
        let text = "standard input and output are not a terminal: runs print plain lines";
        let remedy = "for the screen, run it in a terminal (with ssh: `ssh -t`)";
        return vec![CheckResult::with(
            "terminal",
            CheckStatus::Note,
            text,
            remedy,
            details,
        )];
    }
    let term = terminal.term.as_deref().unwrap_or("not set");
    let (columns, rows) = terminal.size.unwrap_or((0, 0));
    let text = format!("TERM {term}, {columns}x{rows}, {}", terminal.colours());
    let mut findings = vec![match problem(terminal, (columns, rows)) {
        Some(remedy) => CheckResult::with(
            "terminal",
            CheckStatus::Warning,
            text,
            remedy,
            details.clone(),
        ),
        None => CheckResult::ok("terminal", text, details.clone()),
    }];
    findings.push(match terminal.is_utf8() {
        true => CheckResult::ok(
            "locale",
            terminal.locale.clone().unwrap_or_default(),
            details,
        ),
        false => {
            let text = format!(
                "{}: not UTF-8, so the screen uses only ASCII",
                terminal.locale.as_deref().unwrap_or("not set")
            );
            CheckResult::with(
                "locale",
                CheckStatus::Warning,
                text,
                "set LANG=C.UTF-8",
                details,
            )
        }
    });
    findings
}

fn problem(terminal: &TerminalFacts, (columns, rows): (u16, u16)) -> Option<String> {
    match terminal.term.as_deref() {
        None | Some("dumb") => Some(
            "set TERM to the type of your terminal, for example TERM=xterm-256color".to_owned(),
        ),
        _ if (columns, rows) == (0, 0) => {
            Some("the size is unknown; try `stty rows 24 cols 80`".to_owned())
        }
        _ if columns < SMALLEST.0 || rows < SMALLEST.1 => Some(format!(
            "make the window at least {}x{} or its font smaller",
            SMALLEST.0, SMALLEST.1
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> TerminalFacts {
        TerminalFacts {
            is_terminal: true,
            term: Some("xterm-256color".to_owned()),
            locale: Some("de_DE.UTF-8".to_owned()),
            size: Some((120, 40)),
            ..TerminalFacts::default()
        }
    }

    fn statuses(terminal: &TerminalFacts) -> Vec<CheckStatus> {
        findings(terminal)
            .iter()
            .map(|finding| finding.status)
            .collect()
    }

    #[test]
    fn a_usual_terminal_is_fine() {
        assert_eq!(statuses(&good()), [CheckStatus::Ok, CheckStatus::Ok]);
    }

    #[test]
    fn problems_with_a_terminal_come_with_a_remedy() {
        for (terminal, remedy) in [
            (
                TerminalFacts {
                    term: None,
                    ..good()
                },
                "set TERM",
            ),
            (
                TerminalFacts {
                    term: Some("dumb".to_owned()),
                    ..good()
                },
                "set TERM",
            ),
            (
                TerminalFacts {
                    size: Some((79, 24)),
                    ..good()
                },
                "at least 80x24",
            ),
            (
                TerminalFacts {
                    size: None,
                    ..good()
                },
                "stty",
            ),
            (
                TerminalFacts {
                    locale: Some("C".to_owned()),
                    ..good()
                },
                "C.UTF-8",
            ),
            (
                TerminalFacts {
                    is_terminal: false,
                    ..good()
                },
                "ssh -t",
            ),
        ] {
            let findings = findings(&terminal);
            let told = findings
                .iter()
                .filter_map(|finding| finding.remedy.as_deref())
                .collect::<Vec<_>>();
            assert!(
                told.len() == 1 && told[0].contains(remedy),
                "{told:?} instead of {remedy}"
            );
        }
    }

    #[test]
    fn colours_are_determined_from_the_environment() {
        assert_eq!(good().colours(), "256 colours");
        assert_eq!(
            TerminalFacts {
                colorterm: Some("truecolor".to_owned()),
                ..good()
            }
            .colours(),
            "16 million colours"
        );
        assert_eq!(
            TerminalFacts {
                no_color: true,
                ..good()
            }
            .colours(),
            "no colours (NO_COLOR)"
        );
    }
}
