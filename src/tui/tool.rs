//! The user's pager and editor: which programs they are.

use std::path::Path;

use rustix::fs::{Access, access};

use crate::foundation::text::line;

/// What a program of the user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Reading.
    Pager,
    /// Writing.
    Editor,
}

impl Tool {
    /// The program and its first arguments: what the user has set in the environment, as read by
    /// `variable`, otherwise (for reading) the first of the usual programs that `exists`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn program(
        self,
        variable: impl Fn(&str) -> Option<String>,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, String> {
        let (variables, usual): (&[&str], &[&str]) = match self {
            Tool::Pager => (&["PAGER"], &["less", "more"]),
            Tool::Editor => (&["VISUAL", "EDITOR"], &[]),
        };
        let set = variables.iter().find_map(|name| {
            let value = variable(name).filter(|value| !value.trim().is_empty())?;
            Some((*name, value))
        });
        if let Some((name, value)) = set {
            let words = words(&value)
                .ok_or_else(|| format!("${name} ends within a quote: {}", line(&value)))?;
            return match words.first() {
                Some(program) if !exists(program) => Err(format!(
                    "${name} is \"{}\", but there is no such program",
                    line(&value)
                )),
                _ => Ok(words),
            };
        }
        let found = usual.iter().find(|program| exists(program));
        found
            .map(|program| vec![(*program).to_owned()])
            .ok_or_else(|| {
                match self {
                    Tool::Pager => "there is no pager here: install less, or set $PAGER",
                    Tool::Editor => {
                        "no editor is set: set $VISUAL or $EDITOR before nas-tui is started"
                    }
                }
                .to_owned()
            })
    }
}

/// Whether a program can be started by this name.
pub fn is_installed(program: &str) -> bool {
    let is_program = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.contains('/') {
        return is_program(Path::new(program));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| is_program(&folder.join(program)))
}

/// The words of a command, split as a shell does it, with quotes and backslashes; nothing is expanded.
/// `None` if a quote is not closed.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match letter {
            '\'' | '"' => quoted(letter, &mut letters, word)?,
            '\\' => word.push(letters.next()?),
            _ => word.push(letter),
        }
    }
    words.extend(word);
    Some(words)
}

/// Append what stands before the closing `quote`; `None` if there is no such quote.
fn quoted(quote: char, letters: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match letters.next()? {
            letter if letter == quote => return Some(()),
            '\\' if quote == '"' => match letters.next()? {
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program for `tool` with these variables, where only less, vi and /opt/my pager exist.
    fn program(tool: Tool, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variable = |name: &str| {
            let mut all = variables.iter();
            all.find(|(set, _)| *set == name)
                .map(|(_, value)| (*value).to_owned())
        };
        tool.program(variable, |program| {
            ["less", "vi", "/opt/my pager"].contains(&program)
        })
    }

    #[test]
    fn commands_are_split_as_a_shell_splits_them_and_nothing_is_expanded() {
        let cases: [(&str, &[&str]); 8] = [
            ("less -R", &["less", "-R"]),
            ("  code \t --wait ", &["code", "--wait"]),
            ("'/opt/my pager' -x", &["/opt/my pager", "-x"]),
            ("\"a b\"c 'd\"e'", &["a bc", "d\"e"]),
            (r"a\ b \\ \'", &["a b", r"\", "'"]),
            (r#""a\"b\\c\d" '\n'"#, &[r#"a"b\c\d"#, r"\n"]),
            (
                "$HOME/x *; rm -r ~ | $(y)",
                &["$HOME/x", "*;", "rm", "-r", "~", "|", "$(y)"],
            ),
            ("'' x", &["", "x"]),
        ];
        for (command, expected) in cases {
            assert_eq!(words(command).unwrap(), expected, "{command}");
        }
        for open in ["less 'x", "\"x", "x\\", "\"x\\"] {
            assert_eq!(words(open), None, "{open}");
        }
    }

    #[test]
    fn the_pager_is_the_users_or_else_a_usual_one() {
        assert_eq!(program(Tool::Pager, &[]).unwrap(), ["less"]);
        assert_eq!(program(Tool::Pager, &[("PAGER", " ")]).unwrap(), ["less"]);
        let own = [("PAGER", "'/opt/my pager' -R")];
        assert_eq!(program(Tool::Pager, &own).unwrap(), ["/opt/my pager", "-R"]);
        let none = Tool::Pager.program(|_| None, |_| false).unwrap_err();
        assert!(none.contains("set $PAGER"), "{none}");
    }

    #[test]
    fn the_visual_editor_comes_before_the_other_and_there_is_no_usual_one() {
        let both = [("EDITOR", "ed"), ("VISUAL", "vi -n")];
        assert_eq!(program(Tool::Editor, &both).unwrap(), ["vi", "-n"]);
        let none = program(Tool::Editor, &[]).unwrap_err();
        assert!(none.contains("$VISUAL or $EDITOR"), "{none}");
    }

    #[test]
    fn a_setting_that_names_no_program_is_told_and_not_replaced() {
        let error = program(Tool::Pager, &[("PAGER", "most -s")]).unwrap_err();
        assert_eq!(error, "$PAGER is \"most -s\", but there is no such program");
        let open = program(Tool::Editor, &[("EDITOR", "vi 'x")]).unwrap_err();
        assert_eq!(open, "$EDITOR ends within a quote: vi 'x");
    }

    #[test]
    fn programs_are_looked_for_where_a_shell_looks_for_them() {
        assert!(is_installed("sh") && is_installed("/bin/sh"));
        for name in ["", "/", "/etc/passwd", "no-such-program-of-nas-tui"] {
            assert!(!is_installed(name), "{name:?}");
        }
    }
}
