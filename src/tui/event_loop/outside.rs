//! What happens outside of the screen: bell and clipboard, files, and programs of the user that have
//! the terminal for a while.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use crossterm::event::{self, Event as TerminalEvent, EventStream, KeyEventKind};
use jiff::Timestamp;
use rustix::fs::{Access, access};
use rustix::process::Signal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT};

use super::Screen;
use super::whole_log::whole_log;
use crate::config::Alerts;
use crate::event::Level;
use crate::export::files::save_new;
use crate::foundation::thread::spawn;
use crate::tui::Leave;
use crate::tui::app::{Alert, Document, Effect, Export};
use crate::tui::clipboard::Multiplexer;
use crate::tui::foreground::Foreground;
use crate::tui::private_file::PrivateFile;
use crate::tui::tool::is_installed;
use crate::tui::visit::run_directory;

/// Folder for views of a run, in its directory.
const EXPORTS: &str = "exports";
/// Time within which the reader of keys, which belongs to the whole process, is free on a busy machine too.
const SOON: Duration = Duration::from_secs(3);

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
        if self.events.take().is_some() && soon(EventStream::new).is_none() {
            return Effect::Leave(Leave::TerminalLost);
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
            Document::Log { text, is_cut } => {
                let zone = &self.visit.app.time_zone;
                let log = whole_log(self.visit.connection(), text, is_cut, zone);
                generated("log.txt", &log)?
            }
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
        // The user is asked last: a key pressed at once would be discarded as one typed for the program.
        if self.guard.read_keys_again().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        self.events = soon(new_events);
        if self.events.is_none() || self.guard.ask_for_any_key().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        self.away = Some(Away::AnyKey);
        Effect::Nothing
    }

    /// Take over the terminal again.
    fn come_back(&mut self) -> Effect {
        self.away = None;
        if self.guard.take_back().is_err() {
            return Effect::Leave(Leave::TerminalLost);
        }
        let is_free = match self.events {
            // What was pressed after any key is no key of the screen either.
            Some(_) => soon(discard_typed).is_some(),
            None => {
                self.events = soon(new_events);
                self.events.is_some()
            }
        };
        if is_free {
            Effect::Repaint
        } else {
            Effect::Leave(Leave::TerminalLost)
        }
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

    /// A signal while another program has the terminal. Ctrl-C and Ctrl-\ are for that program; it and the
    /// screen are continued together; and they end together.
    pub(super) fn signal_away(&mut self, signal: i32) -> Effect {
        match (&mut self.away, signal) {
            (Some(Away::Program(_)), SIGCONT | SIGINT | SIGQUIT) => Effect::Nothing,
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

/// The result of what needs the reader of keys, if it is there soon: a thread that reads from a terminal that
/// has hung up never gives the reader back.
fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, result) = channel();
    // The other end is gone if this comes too late.
    let send = move || drop(sender.send(work()));
    spawn("screen-keys", send).ok()?;
    result.recv_timeout(SOON).ok()
}

/// The events of the terminal from now on.
fn new_events() -> EventStream {
    discard_typed();
    EventStream::new()
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_reader_of_keys_that_is_never_free_is_not_waited_for() {
        assert_eq!(soon(|| 7), Some(7));
        let (_never, stuck) = channel::<()>();
        assert_eq!(soon(move || stuck.recv().is_ok()), None);
    }
}
