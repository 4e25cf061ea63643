//! The arguments of the program, and what is printed if they are wrong or ask for help. clap quotes them
//! as they are, so its texts are filtered here.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::Error;

use super::{Cli, print, say, say_lines, written};
use crate::foundation::text;

/// Parse the arguments, the first of which is the name of the program.
///
/// # Errors
/// With the exit status, after printing what is wrong, or the help.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Cli::try_parse_from(&arguments).map_err(|error| {
        let told = match arguments.iter().all(is_printable) {
            // As clap likes it, with its colours.
            true => written(error.print()),
            false => tell(&arguments, &error),
        };
        match told {
            Err(why) if !error.use_stderr() => {
                say(&format!("nas-tui: {why:#}"));
                ExitCode::FAILURE
            }
            _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        }
    })
}

fn is_printable(argument: &OsString) -> bool {
    let argument = argument.to_str();
    argument.is_some_and(|argument| !argument.contains(text::controls))
}

/// Print `error` about these arguments, without anything that a terminal would act on.
fn tell(arguments: &[OsString], error: &Error) -> anyhow::Result<()> {
    // What clap says about the same arguments without such characters has the lines that it should have.
    let printable = arguments
        .iter()
        .map(|argument| text::line(&argument.to_string_lossy()).into_owned());
    let again = Cli::try_parse_from(printable).err();
    let again = again.filter(|again| again.kind() == error.kind());
    let message = again.as_ref().unwrap_or(error).render().to_string();
    if error.use_stderr() {
        say_lines(&message);
        return Ok(());
    }
    print(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_could_act_on_a_terminal_are_not_printed_as_they_are() {
        for (argument, is_fine) in [
            ("größer 猫", true),
            ("\u{1b}[31mR", false),
            ("\u{9b}31m", false),
            ("a\u{85}b", false),
            ("a\rb", false),
            ("a\u{202e}b", false),
        ] {
            assert_eq!(is_printable(&argument.into()), is_fine, "{argument:?}");
        }
    }
}
