//! Settings of the screen for the commands that only watch: they have no settings of a search.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::OrBadInput;
use crate::config::{self, Characters, Options, ScreenConfig};
use crate::tui::Settings;

/// The options that decide how the screen looks.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct ScreenArgs {
    /// File whose section [screen] says how the screen looks (default: ./config.toml where there is one)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Draw the screen with ASCII characters only (the default where the locale is not UTF-8)
    #[arg(long)]
    ascii: bool,
}

impl ScreenArgs {
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let usual = PathBuf::from("config.toml");
        let file = self.config.clone().or_else(|| usual.is_file().then_some(usual));
        let config = config::resolve(&Options { file, ..Options::default() }).or_bad_input()?;
        settings(config.screen, self.ascii)
    }
}

/// The settings of a screen in this terminal.
pub fn settings(mut config: ScreenConfig, ascii: bool) -> anyhow::Result<Settings> {
    if ascii {
        config.characters = Characters::Ascii;
    }
    Settings::new(&config, |name| std::env::var(name).ok()).or_bad_input()
}
