//! Which run the screen shows: another one takes its place once it has been attached to, and never
//! while keys could mean the one before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::Screen;
use crate::event::Level;
use crate::link::Command;
use crate::tui::keymap::Context;
use crate::tui::other_runs::{Attached, Errand, Reason, Switching};
use crate::tui::visit::{Due, Visit};

/// Time within which a key may still have been meant for the run that was shown before.
const REACTION: Duration = Duration::from_millis(500);

/// The run that is to be shown in place of the present one.
#[derive(Debug)]
pub(super) struct Successor<T> {
    /// Its directory, from the wish until it is shown.
    wanted: Option<PathBuf>,
    /// The run, once it has been attached to.
    ready: Option<T>,
}

impl<T> Successor<T> {
    pub(super) fn none() -> Successor<T> {
        Successor {
            wanted: None,
            ready: None,
        }
    }

    /// Want the run in this directory and no other; false if it is wanted already.
    fn want(&mut self, run: &Path) -> bool {
        if self.wanted.as_deref() == Some(run) {
            return false;
        }
        *self = Successor {
            wanted: Some(run.to_owned()),
            ready: None,
        };
        true
    }

    /// The run in this directory has been attached to. It is let go if it is no longer wanted or is there
    /// already.
    fn arrive(&mut self, run: &Path, attached: T) {
        if self.wanted.as_deref() == Some(run) && self.ready.is_none() {
            self.ready = Some(attached);
        }
    }

    /// The run in this directory cannot be attached to; returns whether it was wanted.
    pub(super) fn fail(&mut self, run: &Path) -> bool {
        let was_wanted = self.wanted.as_deref() == Some(run);
        if was_wanted {
            *self = Successor::none();
        }
        was_wanted
    }

    /// The run to show now, unless the user is doing something else on the present one (`context`).
    fn take(&mut self, context: Context) -> Option<T> {
        if !matches!(context, Context::Panel(_)) {
            return None;
        }
        let ready = self.ready.take()?;
        self.wanted = None;
        Some(ready)
    }
}

impl Screen {
    /// Have another run shown as soon as it has been attached to.
    pub(super) fn attach_to(&mut self, run: PathBuf) {
        self.due = Due::Now;
        let listed = self.visit.app.neighbours.listed.as_ref();
        let folder = listed.and_then(|listed| listed.folder_of(&run));
        if folder.is_some_and(|folder| self.is_home(folder)) {
            self.go_home();
        } else if self.successor.want(&run) {
            let watch = self.settings.switching.only_watches();
            let reason = Reason::Show;
            self.company.send(Errand::Attach { run, reason, watch });
        }
    }

    fn is_home(&self, folder: &Path) -> bool {
        let home = self.home.as_ref();
        home.is_some_and(|home| home.app.neighbours.folder == folder)
    }

    /// A run that was to be shown has been attached to.
    pub(super) fn arrive(&mut self, attached: Attached) {
        let (run, name) = (attached.connection.run.clone(), attached.name.clone());
        self.successor.arrive(&run, attached);
        let app = &mut self.visit.app;
        if self.successor.ready.is_some() && !matches!(app.context(), Context::Panel(_)) {
            let text = format!("{name} is ready, and is shown when this is closed");
            app.tell(Level::Info, text);
        }
    }

    /// Show the run that is wanted in place of the present one, once it has been attached to and the user
    /// has closed whatever was opened meanwhile: keys that are typed there are not for the other run.
    pub(super) fn show_successor(&mut self) {
        if self.away.is_some() {
            return;
        }
        let Some(attached) = self.successor.take(self.visit.app.context()) else {
            return;
        };
        // A run can have several paths.
        if self.is_home(&attached.folder) {
            return self.go_home();
        }
        if attached.folder != self.visit.app.neighbours.folder {
            self.show(attached);
        }
    }

    /// Show another run. The screen detaches from the present one, unless this program began it.
    fn show(&mut self, attached: Attached) {
        // Until its first frame, keys and clicks would be for what is no longer there.
        self.due = Due::Now;
        match Visit::begin(attached, &self.settings, self.visit.app.view.size) {
            Ok((visit, _)) => {
                let before = self.replace(visit);
                if self.settings.switching == Switching::FromHome {
                    let home = self.home.get_or_insert(before);
                    let folder = home.app.neighbours.folder.clone();
                    self.visit.app.neighbours.home = Some(folder);
                }
                self.succeeded = Some(Instant::now());
            }
            Err(error) => self.visit.app.tell(Level::Error, error.to_string()),
        }
    }

    /// Show the run again that this program began; no other one is wanted any more.
    pub(super) fn go_home(&mut self) {
        self.successor = Successor::none();
        if let Some(mut home) = self.home.take() {
            home.catch_up();
            self.replace(home);
            self.succeeded = None;
            self.due = Due::Now;
        }
    }

    /// Show this run; returns the one shown before.
    fn replace(&mut self, visit: Visit) -> Visit {
        let mut before = std::mem::replace(&mut self.visit, visit);
        self.visit.follow_on(&mut before);
        self.company.leave();
        self.still_ticks = 0;
        before
    }

    /// Send a command to the run shown, unless the user may have meant the one before.
    pub(super) fn command(&mut self, command: Command) {
        let shown_for = self.succeeded.map(|succeeded| succeeded.elapsed());
        if shown_for.is_some_and(|time| is_premature(&command, time)) {
            let name = self.visit.name();
            let text = format!("{name} is shown only now: press the key again to command it");
            self.visit.app.tell(Level::Warning, text);
        } else {
            self.visit.command(command);
        }
    }
}

/// Whether a command may have been meant for the run before, the present one having been shown for this
/// long. All but these two are asked about or typed first, on the screen of their run.
fn is_premature(command: &Command, shown_for: Duration) -> bool {
    matches!(command, Command::Pause | Command::Resume) && shown_for < REACTION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::panels::PanelId;

    const FREE: Context = Context::Panel(PanelId("chart"));

    fn wanting(run: &str) -> Successor<&'static str> {
        let mut successor = Successor::none();
        assert!(successor.want(Path::new(run)));
        successor
    }

    #[test]
    fn a_run_that_has_been_attached_to_is_shown_once() {
        let mut successor = wanting("b");
        assert_eq!(successor.take(FREE), None);
        successor.arrive(Path::new("b"), "b");
        assert_eq!(successor.take(FREE), Some("b"));
        assert_eq!(successor.take(FREE), None);
    }

    #[test]
    fn a_run_waits_while_anything_is_open_on_the_one_shown() {
        let mut successor = wanting("b");
        successor.arrive(Path::new("b"), "b");
        let open = Context::all().filter(|context| !matches!(context, Context::Panel(_)));
        for context in open {
            assert_eq!(successor.take(context), None, "{context:?}");
        }
        assert_eq!(successor.take(FREE), Some("b"));
    }

    #[test]
    fn a_run_asked_for_twice_does_not_take_its_own_place() {
        let mut successor = wanting("b");
        assert!(!successor.want(Path::new("b")), "it is on its way");
        successor.arrive(Path::new("b"), "b");
        assert_eq!(successor.take(FREE), Some("b"));
        successor.arrive(Path::new("b"), "again");
        assert_eq!(successor.take(FREE), None);
    }

    #[test]
    fn a_run_that_is_no_longer_wanted_is_not_shown() {
        let mut successor = wanting("b");
        assert!(successor.want(Path::new("c")));
        successor.arrive(Path::new("b"), "b");
        assert_eq!(successor.take(FREE), None);
        assert!(!successor.fail(Path::new("b")), "no one waits for it");
        successor.arrive(Path::new("c"), "c");
        assert_eq!(successor.take(FREE), Some("c"));
    }

    #[test]
    fn a_run_that_could_not_be_attached_to_can_be_asked_for_again() {
        let mut successor = wanting("b");
        assert!(successor.fail(Path::new("b")));
        assert!(successor.want(Path::new("b")));
    }

    #[test]
    fn a_pause_pressed_just_as_another_run_appears_is_not_sent_to_it() {
        let (soon, later) = (Duration::from_millis(100), Duration::from_secs(1));
        for command in [Command::Pause, Command::Resume] {
            assert!(is_premature(&command, soon) && !is_premature(&command, later));
        }
        assert!(!is_premature(&Command::Stop, soon), "it was asked about");
    }
}
