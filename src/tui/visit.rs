//! A run on the screen: what is known of it, and the connection that feeds it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::Settings;
use super::app::{App, Effect};
use super::other_runs::Attached;
use super::reading::{JournalAnswer, JournalReading};
use crate::event::{Level, Record};
use crate::link::orders::Unsent;
use crate::link::{Command, Connection, LinkStatus};
use crate::runs::directory::{name_of, resume_command};

/// Number of records processed before keys are checked again.
const RECORDS_AT_ONCE: usize = 5_000;

/// When the next frame is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Never,
    /// At the next tick of the clock.
    Tick,
    /// Soon, together with all other news that arrives meanwhile.
    News,
    Now,
}

/// What has arrived from the run.
pub enum Arrival {
    /// A record; `None` if none will follow.
    Record(Option<Arc<Record>>),
    /// An answer from its journal.
    Answer(JournalAnswer),
    /// A change at the other end of the connection; false once no one is left to report it.
    Status(bool),
}

/// A run that is shown, or will be again.
pub struct Visit {
    /// What is known of it, and what the user is looking at.
    pub app: App,
    connection: Connection,
    /// Name of its folder.
    name: String,
    connected: bool,
    status_known: bool,
    reading: JournalReading,
}

impl Visit {
    /// Show a run that has been attached to on a screen of `size` cells; with when its first frame is due.
    ///
    /// # Errors
    /// If the thread that reads the journal cannot be started.
    pub fn begin(attached: Attached, settings: &Settings, size: Size) -> io::Result<(Visit, Due)> {
        let Attached {
            mut connection,
            folder,
            name,
            kind,
            settings: of_run,
        } = attached;
        let reading = JournalReading::start(Some(connection.journal.clone()))?;
        let mut app = App::new(settings, TimeZone::system(), size, Timestamp::now());
        app.resume_command = resume_command(&connection.run);
        app.folder_name = run_directory(&connection).map(|_| name.clone());
        app.expect(kind);
        app.start_from(connection.state.take());
        app.settings = super::palette::settings_of(&connection.run);
        let config = run_directory(&connection).map(|run| run.join("config.toml"));
        app.config = config.filter(|path| path.is_file());
        app.neighbours.folder = folder;
        app.neighbours.settings = of_run;
        let status = connection.status_after(|record| app.take(record));
        app.take_link(status.clone());
        let mut visit = Visit {
            app,
            connection,
            name,
            connected: true,
            status_known: true,
            reading,
        };
        if is_abandoned(&status) {
            visit.note_link(&status);
        }
        // Most journals are read at once: the first frame is already true.
        let due = if visit.is_reading() {
            Due::News
        } else {
            Due::Now
        };
        Ok((visit, due))
    }

    /// Compare it with the runs that the user wants it to be compared with from the beginning.
    pub fn invite(&mut self, settings: &Settings) {
        for run in &settings.with {
            let folder = run.canonicalize().unwrap_or_else(|_| run.clone());
            let name = name_of(&folder);
            self.app.neighbours.others.add(folder, name);
        }
    }

    /// The connection to it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Name of its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The run directory.
    pub fn run(&self) -> &Path {
        &self.connection.run
    }

    /// Take the place of another run on the screen: the arrangement and the runs that it is compared with
    /// stay.
    pub fn follow_on(&mut self, before: &mut Visit) {
        self.app.follow_on(&mut before.app, before.name.clone());
    }

    /// The next thing that arrives from the run.
    pub async fn arrival(&mut self) -> Arrival {
        tokio::select! {
            biased;
            record = self.connection.records.recv(), if self.connected => Arrival::Record(record),
            answer = self.reading.answer() => Arrival::Answer(answer),
            changed = self.connection.status.changed(), if self.status_known => {
                Arrival::Status(changed.is_ok())
            }
        }
    }

    /// Process what has arrived; returns its effect, and when a frame is due for it.
    pub fn take(&mut self, arrival: Arrival) -> (Effect, Due) {
        match arrival {
            Arrival::Record(record) => (Effect::Nothing, self.records(record)),
            Arrival::Answer(answer) => (self.answer(answer), Due::Never),
            Arrival::Status(known) => (self.status(known), Due::Never),
        }
    }

    /// Process this record and all that are waiting behind it.
    fn records(&mut self, record: Option<Arc<Record>>) -> Due {
        let Some(first) = record else {
            // The screen stays: what it shows is still true, and the status says that nothing will
            // follow.
            self.connected = false;
            return Due::Never;
        };
        let (mut next, mut due) = (Some(first), Due::Never);
        for _ in 0..RECORDS_AT_ONCE {
            let Some(record) = next else { break };
            due = due.max(if record.event.is_tick() || self.is_reading() {
                Due::Tick
            } else {
                Due::News
            });
            self.app.take(&record);
            next = self.connection.records.try_recv().ok();
        }
        if let Some(record) = next {
            self.app.take(&record);
        }
        due
    }

    /// Process what waits, without waiting for more: while another run is shown, and when it no longer is.
    pub fn catch_up(&mut self) {
        if let Ok(record) = self.connection.records.try_recv() {
            self.records(Some(record));
        }
        if self.status_known && self.connection.status.has_changed().unwrap_or(true) {
            let known = self.connection.status.has_changed().is_ok();
            self.status(known);
        }
    }

    /// Whether the journal is still being read. Its frames only tell how far, so they can wait.
    fn is_reading(&self) -> bool {
        matches!(self.app.link, LinkStatus::Reading { .. })
    }

    /// Have what is shown and not known read from the journal.
    pub fn ask(&mut self) {
        self.reading.ask(self.app.wanted());
    }

    /// Process an answer from the journal.
    fn answer(&mut self, answer: JournalAnswer) -> Effect {
        match answer {
            JournalAnswer::Child(detail) => self.app.take_detail(*detail),
            JournalAnswer::State(past) => self.app.take_past(past),
            JournalAnswer::Failed { wanted, problem } => self.app.take_failure(wanted, problem),
        }
        Effect::Draw
    }

    /// Process a change at the other end; `known` is false once no one is left to report it.
    fn status(&mut self, known: bool) -> Effect {
        self.status_known = known;
        let status = self.connection.status_after(|record| self.app.take(record));
        let was_reading = self.is_reading();
        self.app.take_link(status.clone());
        if was_reading && self.is_reading() {
            return Effect::Nothing;
        }
        // What is found after reading is no news, unless something must be done about it.
        if was_reading && !is_abandoned(&status) {
            return Effect::Draw;
        }
        self.note_link(&status);
        Effect::Draw
    }

    /// Add the state of the other end to the log.
    fn note_link(&mut self, status: &LinkStatus) {
        if let Some(text) = self.app.words_of(status) {
            self.app.note(Level::Warning, text, Timestamp::now());
        }
    }

    /// Send a command to the run.
    pub fn command(&mut self, command: Command) {
        // A search that has gone cannot be commanded; its records end too, which is handled there.
        if let Err(error @ Unsent::Full) = self.connection.commands.send(command) {
            self.app.tell(Level::Warning, error.to_string());
        }
    }
}

/// Whether no process is working on a run that has not ended.
fn is_abandoned(status: &LinkStatus) -> bool {
    matches!(status, LinkStatus::Dead { .. } | LinkStatus::Lost { .. })
}

/// The directory of the run; `None` for the recorded search, which has none.
pub fn run_directory(connection: &Connection) -> Option<&Path> {
    let run = connection.run.as_path();
    connection.journal.starts_with(run).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ScreenConfig;
    use crate::link::{self, Pace};
    use crate::state::RunStatus;
    use crate::tui::sample;

    #[test]
    fn a_run_that_has_been_read_before_it_is_shown_is_known_in_its_first_frame() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(sample::journal(), folder.path().join("journal.jsonl")).unwrap();
        let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
        let attached = sample::attached(folder.path());
        let (visit, due) = Visit::begin(attached, &settings, Size::new(80, 24)).unwrap();
        assert_eq!(due, Due::Now);
        assert_eq!(visit.app.status(), RunStatus::Completed);
        let folder_name = folder.path().file_name().and_then(|name| name.to_str());
        assert_eq!(visit.app.scene().run_name(), folder_name.unwrap());
    }

    #[test]
    fn the_recorded_search_has_the_name_that_it_had() {
        let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
        let sample = link::replay_sample(Pace::Recorded, 1.0, 0.5).unwrap();
        let (visit, _) = Visit::begin(Attached::new(sample), &settings, Size::new(80, 24)).unwrap();
        assert_eq!(visit.app.folder_name, None);
    }
}
