//! What happens outside of the screen: bell and clipboard, files, and programs of the user that have
//! the terminal for a while.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::{self, Event as TerminalEvent, EventStream, KeyEventKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{Access, access};
use rustix::process::Signal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT};

use super::Screen;
use crate::config::Alerts;
use crate::event::Level;
use crate::export::files::save_new;
use crate::foundation::{input, text};
use crate::journal::Reader;
use crate::runs::directory::log_of;
use crate::state::RunState;
use crate::tui::Leave;
use crate::tui::app::{Alert, Document, Effect, Export, log_line};
use crate::tui::clipboard::Multiplexer;
use crate::tui::foreground::Foreground;
use crate::tui::private_file::PrivateFile;
use crate::tui::tool::is_installed;
use crate::tui::visit::run_directory;

/// Folder for views of a run, in its directory.
const EXPORTS: &str = "exports";
/// Most bytes of a journal that is read again for its log, while the screen waits.
const LONGEST_JOURNAL: u64 = 64 << 20;
/// Most bytes of the output of the run's process that are shown below the log.
const LONGEST_OUTPUT: u64 = 4 << 20;

/// Who has the terminal instead of the screen.
pub(super) enum Away {
    /// A program of the user.
    Program(Foreground),
    /// No one: what a program has left there can be read until a key is pressed.
    AnyKey,
}

/// Wait until the program that has the terminal has ended; forever if there is none.
pub(super) async fn program_end(away: &mut Option<Away>) {
    match away {
        Some(Away::Program(program)) => program.ended().await,
        Some(Away::AnyKey) | None => std::future::pending().await,
    }
}

/// A program of the user and the file that it is to open.
struct Prepared {
    program: Vec<String>,
    path: PathBuf,
    /// The file, if it is to be removed afterwards.
    private: Option<PrivateFile>,
    /// What the user is to know on return.
    notice: Option<String>,
}

impl Screen {
    /// Ring the bell or send a notification for pending alerts. While another program has the terminal,
    /// only the last one is kept, until its end.
    pub(super) fn call_the_user(&mut self) {
        let mut alerts: Vec<Alert> = Vec::new();
        alerts.extend(self.missed.take());
        alerts.extend(std::iter::from_fn(|| self.visit.app.next_alert()));
        if let Some(home) = &mut self.home {
            let of_home = std::iter::from_fn(|| home.app.next_alert());
            let of_home: Vec<Alert> = of_home.collect();
            alerts.extend(of_home.into_iter().map(|alert| alert.of(home.name())));
        }
        if self.away.is_some() {
            self.missed = alerts.pop();
            return;
        }
        for Alert(text) in alerts {
            let bell = matches!(self.settings.alerts, Alerts::Bell | Alerts::Both);
            let notification = matches!(self.settings.alerts, Alerts::Notification | Alerts::Both);
            // A terminal that has gone is noticed with the next frame.
            let _ = self
                .display
                .alert(bell, notification.then_some(text.as_str()));
        }
    }

    pub(super) fn copy(&mut self, text: &str) {
        let multiplexer = Multiplexer::detect(|name| std::env::var(name).ok());
        match multiplexer.copy(text) {
            // A terminal that has gone is noticed with the next frame.
            Ok(sequence) => drop(self.display.raw(&sequence)),
            Err(error) => self.visit.app.tell(Level::Warning, error.to_string()),
        }
    }

    pub(super) fn save(&mut self, files: &[(String, String)]) {
        let saved = files
            .iter()
            .map(|(name, text)| save_new(Path::new(""), name, text.as_bytes()))
            .collect::<Result<Vec<_>, _>>();
        match saved {
            Ok(paths) => self.visit.app.tell(Level::Info, saved_here(&paths)),
            Err(error) => self.visit.app.tell(Level::Error, error.to_string()),
        }
    }

    /// Write a view to a new file.
    pub(super) fn export(&mut self, export: &Export) {
        let time = Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
        let name = format!("{time}-{}.{}", export.page, export.extension);
        let folder = folder_for_exports(run_directory(self.visit.connection()));
        match save_new(&folder, &name, &export.text) {
            Ok(path) => self.visit.app.tell(Level::Info, saved_in(&folder, &path)),
            Err(error) => self.visit.app.tell(Level::Error, error.to_string()),
        }
    }

    /// Open a document in a program of the user, which then has the terminal.
    pub(super) fn open(&mut self, document: Document) -> Effect {
        let prepared = match self.prepared(document) {
            Ok(prepared) => prepared,
            Err(problem) => {
                self.visit.app.tell(Level::Warning, problem);
                return Effect::Draw;
            }
        };
        // It must not read the keys of that program. Its thread may be reading in this moment; another
        // stream cannot be made before that has come to its end.
        if self.events.take().is_some() {
            drop(EventStream::new());
        }
        let Ok(terminal) = self.guard.lend() else {
            return Effect::Leave(Leave::TerminalLost);
        };
        let Prepared {
            program,
            path,
            private,
            notice,
        } = prepared;
        if let Some(notice) = notice {
            self.visit.app.tell(Level::Info, notice);
        }
        match Foreground::start(&program, &path, private, &terminal) {
            Ok(program) => {
                self.away = Some(Away::Program(program));
                Effect::Nothing
            }
            Err(error) => {
                self.visit.app.tell(Level::Error, error.to_string());
                self.come_back()
            }
        }
    }

    fn prepared(&self, document: Document) -> Result<Prepared, String> {
        let variable = |name: &str| std::env::var(name).ok();
        let program = document.tool().program(variable, is_installed)?;
        let mut notice = None;
        let in_words = |error: io::Error| error.to_string();
        let generated = |name: &str, text: &str| {
            let file = PrivateFile::with(name, text).map_err(in_words)?;
            Ok::<_, String>((file.path().to_owned(), Some(file)))
        };
        let (path, private) = match document {
            Document::Config(path) if path.is_file() => (path, None),
            Document::Config(path) => return Err(format!("{} is no longer there", path.display())),
            Document::Log { text, is_cut } => generated("log.txt", &self.whole_log(text, is_cut))?,
            Document::Code { name, text } => generated(&name, &text)?,
            Document::Draft { name, text } => {
                let path = save_new(Path::new(""), &name, text.as_bytes());
                let path = path.map_err(|error| error.to_string())?;
                notice = Some(saved_here(std::slice::from_ref(&path)));
                (path, None)
            }
        };
        Ok(Prepared {
            program,
            // A name that begins with a hyphen is not to be an option.
            path: std::path::absolute(path).map_err(in_words)?,
            private,
            notice,
        })
    }

    /// The log with the older lines that are only in the journal, and the output of the run's process.
    fn whole_log(&self, in_memory: String, is_cut: bool) -> String {
        let read = || log_of_journal(&self.visit.connection().journal, &self.visit.app.time_zone);
        let mut log = is_cut.then(read).flatten().unwrap_or(in_memory);
        let output = run_directory(self.visit.connection()).map(log_of);
        if let Some(path) = output.filter(|path| path.is_file()) {
            let output = input::read(&path, LONGEST_OUTPUT).unwrap_or_default();
            if !output.is_empty() {
                let output = String::from_utf8_lossy(&output);
                let path = path.display().to_string();
                log.push_str(&format!(
                    "\nOutput of the run's process ({}):\n{}",
                    text::line(&path),
                    text::lines(&output)
                ));
            }
        }
        log
    }

    /// Go on after the program that had the terminal has ended.
    pub(super) fn program_ended(&mut self) -> Effect {
        let Some(Away::Program(mut program)) = self.away.take() else {
            return Effect::Nothing;
        };
        let ending = program.ending();
        drop(program);
        if let Some(problem) = ending.problem {
            self.visit.app.tell(Level::Warning, problem);
        }
        if !ending.at_once {
            return self.come_back();
        }
        if self.guard.ask_for_any_key().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        discard_typed();
        self.events = Some(EventStream::new());
        self.away = Some(Away::AnyKey);
        Effect::Nothing
    }

    /// Take over the terminal again.
    fn come_back(&mut self) -> Effect {
        self.away = None;
        if self.guard.take_back().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        if self.events.is_none() {
            discard_typed();
            self.events = Some(EventStream::new());
        }
        Effect::Repaint
    }

    /// An event of the terminal while no one has it.
    pub(super) fn any_key(&mut self, event: Option<io::Result<TerminalEvent>>) -> Effect {
        match event {
            Some(Ok(TerminalEvent::Key(key))) if key.kind != KeyEventKind::Release => {
                self.come_back()
            }
            Some(Ok(_)) => Effect::Nothing,
            Some(Err(_)) | None => Effect::Leave(Leave::TerminalLost),
        }
    }

    /// A signal while another program has the terminal. Ctrl-C is for that program; it and the screen are
    /// continued together; and they end together.
    pub(super) fn signal_away(&mut self, signal: i32) -> Effect {
        match (&mut self.away, signal) {
            (Some(Away::Program(_)), SIGCONT | SIGINT) => Effect::Nothing,
            (Some(Away::AnyKey), SIGCONT) => self.come_back(),
            (Some(Away::Program(program)), _) => {
                let same = if signal == SIGHUP {
                    Signal::HUP
                } else {
                    Signal::TERM
                };
                program.end_by(same);
                Effect::Leave(Leave::Signal(signal))
            }
            _ => Effect::Leave(Leave::Signal(signal)),
        }
    }
}

/// Forget keys that were read before another program had the terminal, for which they were meant.
fn discard_typed() {
    let is_typed = || matches!(event::poll(Duration::ZERO), Ok(true));
    while is_typed() && event::read().is_ok() {}
}

/// Where views of a run are written: the folder for them in its directory or, if there is none and none
/// can be made (a replay of a run on a disk that can only be read), where the program was started.
fn folder_for_exports(run: Option<&Path>) -> PathBuf {
    let Some(folder) = run.map(|run| run.join(EXPORTS)) else {
        return PathBuf::new();
    };
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => PathBuf::new(),
        _ if access(&folder, Access::WRITE_OK).is_err() => PathBuf::new(),
        _ => folder,
    }
}

/// Where a view is. Its name comes first, because there may be no room for all.
fn saved_in(folder: &Path, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().display();
    match folder.to_str() {
        Some("") => format!("saved here: {name}"),
        _ => format!("saved {name} in {}", folder.display()),
    }
}

fn saved_here(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    format!("saved here: {}", names.join(", "))
}

/// All lines of the log that a journal adds up to; `None` if it is very long or cannot be read.
fn log_of_journal(journal: &Path, zone: &TimeZone) -> Option<String> {
    let length = fs::metadata(journal).ok()?.len();
    if length > LONGEST_JOURNAL {
        return None;
    }
    let (mut state, mut log) = (RunState::default(), String::new());
    for record in Reader::open(journal).ok()?.without_choices() {
        state.apply(&record.ok()?);
        for line in state.log.drain(..) {
            log.push_str(&log_line(&line, zone));
        }
    }
    Some(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    #[test]
    fn views_of_a_run_are_in_its_directory_and_others_where_the_program_was_started() {
        let run = tempfile::tempdir().unwrap();
        let folder = folder_for_exports(Some(run.path()));
        assert_eq!(folder, run.path().join("exports"));
        assert!(folder.is_dir());
        assert_eq!(folder_for_exports(Some(run.path())), folder);
        assert_eq!(folder_for_exports(None), Path::new(""));
        let gone = run.path().join("moved/away");
        assert_eq!(folder_for_exports(Some(&gone)), Path::new(""));
        assert!(!gone.exists(), "no folder is made in place of a run's");
    }

    #[test]
    fn the_message_about_a_file_begins_with_its_name() {
        let told = |folder: &str| saved_in(Path::new(folder), &Path::new(folder).join("a.csv"));
        assert_eq!(told("runs/x/exports"), "saved a.csv in runs/x/exports");
        assert_eq!(told(""), "saved here: a.csv");
    }

    #[test]
    fn the_log_of_a_journal_has_every_line_with_its_date() {
        let log = log_of_journal(&sample::journal(), &TimeZone::UTC).unwrap();
        let state = sample::state_of(&sample::records());
        let lines = state.log.len() + state.log_dropped as usize;
        assert_eq!(log.lines().count(), lines);
        let last = log.lines().last().unwrap();
        let expected = log_line(state.log.back().unwrap(), &TimeZone::UTC);
        assert_eq!(last, expected.trim_end());
        assert!(last.starts_with("20"), "{last}");
    }
}
