//! What is opened in a program of the user, and what is written to a file: the log, the settings, a
//! network as code, what a panel shows as a table, the screen as a picture.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::{App, Effect};
use crate::config::ThemeName;
use crate::event::{Level, RunKind};
use crate::export;
use crate::foundation::text::line;
use crate::link::LinkStatus;
use crate::report::page::CsvTable;
use crate::space::Design;
use crate::state::LogLine;
use crate::tui::keymap::Action;
use crate::tui::tool::Tool;
use crate::tui::{display, picture};

/// What is opened in a program of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// The lines of the log, to be read.
    Log {
        /// Those that are in memory.
        text: String,
        /// Whether the journal has older ones.
        is_cut: bool,
    },
    /// The file with the settings of the run, to be read.
    Config(PathBuf),
    /// PyTorch code, to be read.
    Code {
        /// A name for its file.
        name: String,
        /// The code.
        text: String,
    },
    /// PyTorch code, to be changed: in a file that stays.
    Draft {
        /// A name for its file.
        name: String,
        /// The code.
        text: String,
    },
}

impl Document {
    /// The kind of program that it is for.
    pub(crate) fn tool(&self) -> Tool {
        match self {
            Document::Log { .. } | Document::Config(_) | Document::Code { .. } => Tool::Pager,
            Document::Draft { .. } => Tool::Editor,
        }
    }
}

/// A view of the run, to be written to a new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What it shows, for the file's name.
    pub page: String,
    /// `csv` or `svg`.
    pub extension: &'static str,
    /// Contents of the file.
    pub text: Vec<u8>,
}

/// A line of a log with its date, for a file.
pub fn log_line(logged: &LogLine, zone: &TimeZone) -> String {
    let time = logged.time.to_zoned(zone.clone());
    let time = time.strftime("%Y-%m-%d %H:%M:%S");
    let text = logged.text.get();
    format!("{time} {}{}\n", logged.word(), line(&text))
}

impl App {
    /// Open or write something, or tell why there is nothing.
    pub(super) fn open_or_write(&mut self, action: Action) -> Effect {
        let effect = match action {
            Action::ViewLog => Ok(Effect::Open(self.log_at_hand())),
            Action::ViewConfig => self.config_at_hand().map(Effect::Open),
            Action::ViewCode => {
                let code = self.code_at_hand();
                code.map(|(name, text)| Effect::Open(Document::Code { name, text }))
            }
            Action::EditCode => {
                let code = self.code_at_hand();
                code.map(|(name, text)| Effect::Open(Document::Draft { name, text }))
            }
            Action::SaveTable => self.table_at_hand().map(Effect::Export),
            _ => Ok(Effect::Export(self.picture())),
        };
        effect.unwrap_or_else(|reason| {
            self.tell(Level::Info, reason);
            Effect::Draw
        })
    }

    /// The actions among these that would do nothing now, and why.
    pub(super) fn obstacles(&self) -> Vec<(Action, String)> {
        let code = self.code_at_hand().err();
        let reasons = [
            (Action::ViewConfig, self.config_at_hand().err()),
            (Action::ViewCode, code.clone()),
            (Action::EditCode, code),
            (Action::SaveTable, self.with_table(|_| ()).err()),
        ];
        let reasons = reasons.into_iter();
        reasons
            .filter_map(|(action, reason)| Some((action, reason?)))
            .collect()
    }

    fn log_at_hand(&self) -> Document {
        let (log, dropped) = (&self.state().log, self.state().log_dropped);
        // The journal of a replay knows what has not been shown yet.
        let is_present = !self.in_the_past() && !matches!(self.link, LinkStatus::Replay { .. });
        let lines = log.iter().map(|line| log_line(line, &self.time_zone));
        let note = (dropped > 0).then(|| format!("({dropped} older lines are not shown here)\n"));
        Document::Log {
            text: note.into_iter().chain(lines).collect(),
            is_cut: dropped > 0 && is_present,
        }
    }

    fn config_at_hand(&self) -> Result<Document, String> {
        let config = self.config.clone().map(Document::Config);
        config.ok_or_else(|| "this run has no config.toml here".to_owned())
    }

    /// A file name, and the network of the child at hand as PyTorch code; that of a training.
    fn code_at_hand(&self) -> Result<(String, String), String> {
        if let Some(inspector) = &self.view.inspector {
            let detail = self.detail(inspector.child());
            return inspector.code(&self.known(detail.as_ref()));
        }
        let (name, architecture) = match self.live.training_run() {
            Some(run) => (
                file_name(&run.started.architecture.name),
                run.started.architecture.clone(),
            ),
            None => {
                let child = self.child_at_hand().ok_or_else(|| self.no_child())?;
                let detail = self.detail(child);
                let detail = detail.ok_or_else(|| self.unread(child))?;
                match detail.candidate.design {
                    Design::Network(architecture) => (format!("child-{child}"), architecture),
                    Design::Key(_) => {
                        return Err(format!(
                            "child {child} is looked up in a table: there is no code"
                        ));
                    }
                }
            }
        };
        let code = export::pytorch::module(&architecture);
        let code = code.map_err(|error| error.to_string())?;
        Ok((format!("{name}.py"), code))
    }

    /// Use the table that the inspector or the focused panel shows.
    fn with_table<T>(&self, take: impl FnOnce(&dyn Fn() -> CsvTable) -> T) -> Result<T, String> {
        if let Some(inspector) = &self.view.inspector {
            let detail = self.detail(inspector.child());
            let table = inspector.table(&self.known(detail.as_ref()));
            let table = table.ok_or("this page of the inspector is no table")?;
            return Ok(take(&|| table.clone()));
        }
        let (focus, scene) = (self.view.focus, self.scene());
        let table = self.view.panels.get(focus).table(&scene);
        let table = table.ok_or_else(|| {
            let others = match self.kind() {
                RunKind::Search => "the chart, the children, the effects or the leaderboard",
                RunKind::Training => "the curves, the layers or the test",
            };
            let name = focus.name();
            format!("{name} has nothing to save as a table now: tables are of {others}")
        })?;
        Ok(take(&*table))
    }

    fn table_at_hand(&self) -> Result<Export, String> {
        let table = self.with_table(|table| table())?;
        let text = table.to_csv().map_err(|error| error.to_string())?;
        Ok(Export {
            page: table.name.to_owned(),
            extension: "csv",
            text,
        })
    }

    pub(super) fn picture(&self) -> Export {
        let mut frame = display::blank(self.view.size);
        self.draw(&mut frame);
        let (page, name) = (self.page_name(), self.scene().run_name());
        let is_light = self.theme.name == ThemeName::Light;
        let svg = picture::svg(&frame, &format!("nas-tui: {name}, {page}"), is_light);
        Export {
            page,
            extension: "svg",
            text: svg.into_bytes(),
        }
    }

    /// The name of what the screen shows most of.
    fn page_name(&self) -> String {
        if self.view.help.is_some() {
            "help".to_owned()
        } else if self.view.inspector.is_some() {
            "inspector".to_owned()
        } else if self.view.maximised {
            self.view.focus.0.to_owned()
        } else {
            format!("{:?}", self.view.layout).to_lowercase()
        }
    }
}

/// `name` as the name of a file: other characters than letters, digits, `-` and `_` are replaced.
fn file_name(name: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
        _ => '_',
    };
    let name: String = name.chars().take(60).map(plain).collect();
    let name = name.trim_start_matches('-');
    if name.is_empty() { "network" } else { name }.to_owned()
}
