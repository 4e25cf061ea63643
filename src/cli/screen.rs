//! Settings of the screen for the commands that only watch, which have no settings for a search.

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::config::resolved;
use super::{OrBadInput, say};
use crate::config::{self, Characters, Options, ScreenConfig};
use crate::tui::Settings;
use crate::tui::keymap::{Keymap, KeymapError};

/// The options that determine the appearance of the screen.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct ScreenArgs {
    /// File whose section [screen] contains the settings of the screen (default: ./config.toml if
    /// it exists)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Draw the screen with ASCII characters only (the default if the locale is not UTF-8)
    #[arg(long)]
    ascii: bool,
}

impl ScreenArgs {
    /// The settings of the screen.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let usual = PathBuf::from("config.toml");
        let file = self
            .config
            .clone()
            .or_else(|| usual.is_file().then_some(usual));
        let options = Options {
            file,
            ..Options::default()
        };
        let config = resolved(&options)?;
        check_keys(&options, &config.screen)?;
        settings(config.screen, self.ascii)
    }
}

/// Whether standard output is a terminal that the screen can be drawn on.
pub fn can_draw() -> bool {
    stdout().is_terminal() && !is_dumb()
}

/// Whether the terminal says that it can only print lines.
fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// Whether a run is to be shown on the screen; if the terminal can only print lines, say so. An error
/// unless there is a terminal.
pub(super) fn has_screen() -> anyhow::Result<bool> {
    if !stdout().is_terminal() {
        return Err(bad_input!(
            "standard output is not a terminal: there is nothing to draw on; `nas-tui list` prints the runs, and `nas-tui report RUN \
             --out DIR` writes a report of one"
        ));
    }
    if is_dumb() {
        say_dumb();
    }
    Ok(!is_dumb())
}

/// Say that this terminal gets lines.
pub(super) fn say_dumb() {
    say("this terminal (TERM=dumb) cannot show the screen: lines are printed, as with --headless");
}

/// Check the keys, whose names only the screen knows. An error names the place that sets them.
pub(super) fn check_keys(options: &Options, screen: &ScreenConfig) -> anyhow::Result<()> {
    let Err(error) = Keymap::new(&screen.keys) else {
        return Ok(());
    };
    let place_of = |key: &str| config::place_of_setting(options, key);
    Err(anyhow::anyhow!("{}", placed(&error, &place_of))).or_bad_input()
}

/// The mistakes in the keys, at most `most` of them, with the places that `place_of` finds for settings; and
/// whether there are more.
pub(super) fn mistakes_in_keys(
    screen: &ScreenConfig,
    place_of: &impl Fn(&str) -> Option<String>,
    most: usize,
) -> (Vec<String>, bool) {
    let all = Keymap::mistakes(&screen.keys);
    let messages = all.iter().take(most);
    let messages = messages.map(|error| placed(error, place_of));
    (messages.collect(), all.len() > most)
}

/// The message about keys, after the place that sets them.
fn placed(error: &KeymapError, place_of: &impl Fn(&str) -> Option<String>) -> String {
    let place = error.settings().iter().find_map(|key| place_of(key));
    place.map_or_else(|| error.to_string(), |place| format!("{place}: {error}"))
}

/// The settings of a screen in this terminal.
pub fn settings(mut config: ScreenConfig, ascii: bool) -> anyhow::Result<Settings> {
    if ascii {
        config.characters = Characters::Ascii;
    }
    Settings::new(&config, |name| std::env::var(name).ok()).or_bad_input()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(keys: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my.toml");
        std::fs::write(
            &file,
            format!("[screen]\nlayout = \"log\"\n\n[screen.keys]\n{keys}\n"),
        )
        .unwrap();
        let args = ScreenArgs {
            config: Some(file),
            ascii: false,
        };
        args.settings().unwrap_err().to_string()
    }

    #[test]
    fn an_error_about_keys_names_the_line_that_sets_them() {
        assert!(
            error("teleport = [\"t\"]").contains("my.toml:5: screen.keys.teleport: no such action")
        );
        assert!(
            error("help = [\"?\"]\nquit = []")
                .contains("my.toml:6: screen.keys.quit: must have a key")
        );
        assert!(
            error("quit = [\"hyper-q\"]")
                .contains("my.toml:5: screen.keys.quit: \"hyper-q\" is no key")
        );
        assert!(
            error("quit = [\"f\"]").contains("my.toml:5: screen.keys: f would mean both"),
            "{}",
            error("quit = [\"f\"]")
        );
    }
}
