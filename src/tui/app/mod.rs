//! The screen without a terminal: takes records, keys and measurements, and draws. All I/O is in
//! `event_loop`.

mod alerts;
#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod at_hand_tests;
mod chosen;
#[cfg(test)]
mod comparing_tests;
mod draw;
mod effect;
#[cfg(test)]
mod hints_tests;
mod inspector;
#[cfg(test)]
mod list_tests;
mod moments;
mod mouse;
#[cfg(test)]
mod mouse_tests;
mod navigation;
mod notes;
#[cfg(test)]
mod notes_tests;
mod palette;
#[cfg(test)]
mod palette_tests;
#[cfg(test)]
mod room_tests;
mod runs;
#[cfg(test)]
mod runs_tests;
mod steering;
#[cfg(test)]
mod switching_tests;
mod tabs;
mod training;
mod typing;
mod views;
#[cfg(test)]
mod views_tests;
#[cfg(test)]
mod workers_tests;

use std::collections::VecDeque;
use std::path::PathBuf;

use crossterm::event::{KeyEvent, KeyEventKind};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::details::Details;
use super::keymap::{Action, Context, Key, Keymap};
use super::layout::{Areas, Arrangement};
use super::other_runs::Neighbours;
use super::panels::footer::Remark;
use super::panels::runs::Page;
use super::panels::scene::Scene;
use super::text_line::Purpose;
use super::theme::Theme;
use super::view::View;
use super::{Leave, Settings};
use crate::event::RunKind;
use crate::event::{Event, Level, Record};
use crate::link::LinkStatus;
use crate::state::{ChildDetail, RunState, RunStatus, paused_because};
pub use alerts::Alert;
pub use effect::{Effect, Wanted};
pub use moments::Past;
pub use views::{Document, Export, log_line};

/// Everything the screen knows.
pub struct App {
    /// The run as it is now.
    pub live: RunState,
    past: Option<Past>,
    details: Details,
    /// The process working on the run, and whether commands reach it.
    pub link: LinkStatus,
    /// The command that continues the run if its process is gone.
    pub resume_command: String,
    /// Name of the run's folder, which may have been renamed since the run began.
    pub folder_name: Option<String>,
    /// The kind of the run, judging by its folder.
    expected: RunKind,
    /// What the user is looking at.
    pub view: View,
    /// Colours and characters of this terminal.
    pub theme: Theme,
    /// Keys of this session.
    pub keymap: Keymap,
    /// Whether the terminal's title says how the run stands.
    has_title: bool,
    /// The zone in which times of day are shown.
    pub time_zone: TimeZone,
    /// When the screen was opened; earlier events raise no alert.
    opened: jiff::Timestamp,
    alerts: VecDeque<Alert>,
    /// Whether the user has asked from this screen for the run to stop.
    stop_asked: bool,
    /// Settings of the run, with their values.
    pub settings: Vec<(String, String)>,
    /// The file that they are in, if it exists.
    pub config: Option<PathBuf>,
    /// What is known of other runs.
    pub neighbours: Neighbours,
}

impl App {
    /// A screen of `size` cells that has seen no record yet.
    pub fn new(settings: &Settings, time_zone: TimeZone, size: Size, now: jiff::Timestamp) -> App {
        let mut app = App {
            live: RunState::default(),
            past: None,
            details: Details::default(),
            link: LinkStatus::Live { watch_only: false },
            folder_name: None,
            expected: RunKind::default(),
            resume_command: "nas-tui search --resume RUN".to_owned(),
            view: View::new(size, settings.layout, now),
            theme: settings.theme,
            keymap: settings.keymap.clone(),
            has_title: settings.extras.title,
            time_zone,
            opened: now,
            alerts: VecDeque::new(),
            stop_asked: false,
            settings: Vec::new(),
            config: None,
            neighbours: Neighbours::new(settings.switching),
        };
        app.begin_with_columns(&settings.columns);
        app
    }

    /// The run at the moment shown.
    pub fn state(&self) -> &RunState {
        self.past_state().unwrap_or(&self.live)
    }

    /// Process one record of the run.
    pub fn take(&mut self, record: &Record) {
        let (before, was_blocked) = (self.best_number(), self.live.blocked.is_some());
        let ending = match &record.event {
            Event::ChildFinished(finished) => self.detail_of_live(finished.child),
            Event::ChildFailed { child, .. } | Event::ChildExcluded { child, .. } => {
                self.detail_of_live(*child)
            }
            _ => None,
        };
        self.live.apply(record);
        self.hear(record);
        let ending = ending.and_then(|detail| self.details.with_choices(detail));
        if let (Some(detail), Some(row)) = (ending, self.live.search().children.last()) {
            self.details.keep(ChildDetail {
                row: Some(row.clone()),
                ..detail
            });
        }
        if let (false, Some(reason)) = (was_blocked, &self.live.blocked) {
            self.alerts.push_back(Alert(paused_because(reason)));
        }
        if record.time > self.opened {
            self.alerts.extend(self.alert(record, before));
        }
        self.fit_to(record);
    }

    /// Add a line from another part of the program to the log, as if it were a notice of the
    /// search.
    pub fn note(&mut self, level: Level, message: String, time: jiff::Timestamp) {
        self.live.note(level, message, time);
    }

    /// Show the user a message until the next key.
    pub fn tell(&mut self, level: Level, text: impl Into<String>) {
        self.view.message = Some(Remark {
            level,
            text: text.into(),
        });
    }

    /// Process a change at the other end of the connection.
    pub fn take_link(&mut self, link: LinkStatus) {
        if self.link != link {
            // An old message may no longer be true.
            self.view.message = None;
        }
        self.link = link;
        self.view.recall(&self.live, &self.link);
    }

    /// What the panels may see.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            state: self.state(),
            live: &self.live,
            kind: self.kind(),
            folder_name: self.folder_name.as_deref(),
            link: &self.link,
            moment: self.view.moment,
            resume_command: &self.resume_command,
            worker: self.view.worker,
            chosen: self.view.chosen,
            details: &self.details,
            machine: &self.view.machine,
            now: self.view.now,
            time_zone: &self.time_zone,
            theme: &self.theme,
            keymap: &self.keymap,
            arrangement: self.arrangement(),
            neighbours: &self.neighbours,
        }
    }

    /// What determines the areas of the panels.
    fn arrangement(&self) -> Arrangement {
        Arrangement {
            size: self.view.size,
            stage: self.stage(),
            layout: self.view.layout,
            focus: self.view.focus,
            maximised: self.view.maximised,
        }
    }

    /// The parts of the screen; `None` if it is too small.
    pub fn areas(&self) -> Option<Areas> {
        self.scene().areas()
    }

    /// Update what panels keep about the run: to be called after records were processed, before the
    /// panels are drawn. It is not called for each record, because a long run arrives as many
    /// thousands of them.
    pub fn refresh(&mut self) {
        self.compare_others();
        let mut panels = std::mem::take(&mut self.view.panels);
        let scene = self.scene();
        panels.iter_mut().for_each(|panel| panel.refresh(&scene));
        self.view.panels = panels;
    }

    /// What must be read from the journal for what is shown.
    pub fn wanted(&self) -> Option<Wanted> {
        if matches!(self.link, LinkStatus::Reading { .. }) {
            return None;
        }
        self.wanted_state().or_else(|| self.wanted_child())
    }

    /// Set if the screen has done what it was opened for: the stop requested here has happened.
    pub fn done(&self) -> Option<Leave> {
        (self.stop_asked && self.is_over()).then_some(Leave::Stopped)
    }

    /// The current status of the run, independent of the moment shown.
    pub fn status(&self) -> RunStatus {
        self.link.run_status(self.live.status_now())
    }

    /// Whether the run has ended at present, whatever moment is shown.
    pub fn is_over(&self) -> bool {
        self.status().is_over()
    }

    /// Whether nothing can happen without the user, in which case nothing is redrawn without one
    /// either.
    pub fn stands_still(&self) -> bool {
        let link = match self.link {
            LinkStatus::Ended | LinkStatus::Damaged { .. } => true,
            LinkStatus::Replay { paused, ended, .. } => paused || ended,
            _ => false,
        };
        link || !self.status().is_live() || self.status() == RunStatus::Paused
    }

    /// Where keys go now.
    pub fn context(&self) -> Context {
        if self.view.text.is_some() {
            Context::Text
        } else if self.view.question.is_some() {
            Context::Question
        } else if self.view.help.is_some() {
            Context::Help
        } else {
            self.page_context()
        }
    }

    /// Where keys go without overlays.
    pub(super) fn page_context(&self) -> Context {
        if self.view.runs.is_some() {
            Context::Runs
        } else if self.view.inspector.is_some() {
            Context::Inspector
        } else {
            Context::Panel(self.view.focus)
        }
    }

    /// Handle a key.
    pub fn key(&mut self, event: &KeyEvent) -> Effect {
        if event.kind == KeyEventKind::Release {
            return Effect::Nothing;
        }
        let told = self.view.message.take().is_some();
        let context = self.context();
        let effect = match self.keymap.action(context, Key::of(event)) {
            Some(action) => self.act(action, Some(Key::of(event))),
            None if context == Context::Text => self.type_key(event),
            None if context == Context::Question => self.take_no_answer(),
            None => self.refuse_key(context, Key::of(event)),
        };
        self.refresh();
        if told && effect == Effect::Nothing {
            Effect::Draw
        } else {
            effect
        }
    }

    /// Perform an action, if it means something in this kind of run; `key` asked for it.
    fn act(&mut self, action: Action, key: Option<Key>) -> Effect {
        match key.filter(|_| self.keymap.is_of_other_runs(action, self.kind())) {
            Some(key) => self.refuse_action(action, key),
            None => self.perform(action),
        }
    }

    fn perform(&mut self, action: Action) -> Effect {
        if self.context() == Context::Inspector
            && let Some(effect) = self.perform_in_inspector(action)
        {
            return effect;
        }
        if self.context() == Context::Runs
            && let Some(effect) = self.perform_in_runs(action)
        {
            return effect;
        }
        match action {
            Action::Runs => self.open_runs(Page::List),
            Action::Differences => self.open_runs(Page::Differences),
            Action::TogglePause => return self.toggle_pause(),
            Action::Skip => return self.ask_to_skip(),
            Action::StopAfterEpisode => return self.ask_to_stop_after_episode(),
            Action::Faster => return self.change_speed(2.0),
            Action::Slower => return self.change_speed(0.5),
            Action::Quit => return self.quit(),
            Action::Answer => return self.answer_as_marked(),
            Action::AnswerYes
            | Action::AnswerDetach
            | Action::AnswerStop
            | Action::AnswerCancel => {
                return self.answer_by_letter(action);
            }
            Action::NextAnswer => self.mark_next_answer(),
            Action::Repaint => return Effect::Repaint,
            Action::Suspend => return Effect::Suspend,
            Action::Accept => return self.accept_text(),
            Action::Discard => self.discard_text(),
            Action::OlderText => self.recall(true),
            Action::NewerText => self.recall(false),
            Action::Complete => self.complete(),
            Action::Palette => self.open_palette(),
            Action::Search => self.begin_typing(),
            Action::FilterLog => self.begin_text(Purpose::LogFilter),
            Action::ChooseColumns => self.begin_text(Purpose::Columns),
            Action::Note => self.begin_note(),
            Action::PreviousEpisode => self.step_moment(false),
            Action::NextEpisode => self.step_moment(true),
            Action::Copy | Action::CopyJson | Action::CopyCode => return self.copy(action),
            action if action.leaves_the_screen() => return self.open_or_write(action),
            Action::ToggleQuantity => self.change_quantity(),
            Action::Help => {
                self.view.help = if self.view.help.is_some() {
                    None
                } else {
                    Some(0)
                }
            }
            Action::Inspect => self.inspect(self.child_at_hand()),
            Action::InspectBest => match self.state().search().best_child() {
                None => self.tell(Level::Info, "no child has an accuracy yet"),
                best => self.inspect(best),
            },
            action => self.navigate(action),
        }
        Effect::Draw
    }
}
