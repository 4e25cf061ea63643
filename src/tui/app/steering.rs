//! Commands to the search, and leaving the screen. The screen shows a change once the search has
//! confirmed it.

use super::{App, Effect};
use crate::event::Level;
use crate::event::RunKind;
use crate::link::{Command, LinkStatus};
use crate::state::RunStatus;
use crate::tui::Leave;
use crate::tui::keymap::Action;
use crate::tui::panels::question::{Answer, Question};

/// Slowest and fastest replay, as a multiple of the recorded pace.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.125..=4096.0;

impl App {
    /// Send a command, or say why it cannot be sent.
    pub(super) fn command(&mut self, command: Command) -> Effect {
        match self.scene().read_only_reason() {
            None => Effect::Send(command),
            Some(reason) => {
                self.tell(Level::Warning, reason);
                Effect::Draw
            }
        }
    }

    /// Send a command that a training obeys between two batches. A batch of a large network takes
    /// seconds: until then, say so.
    fn command_at_next_batch(&mut self, command: Command, what: &str) -> Effect {
        let effect = self.command(command);
        if matches!(effect, Effect::Send(_)) && self.kind() == RunKind::Training {
            self.tell(
                Level::Info,
                format!("asked for: the training {what} when the batch under way is done"),
            );
        }
        effect
    }

    pub(super) fn toggle_pause(&mut self) -> Effect {
        if let LinkStatus::Replay { ended: true, .. } = self.link {
            let [before, after] = [Action::PreviousEpisode, Action::NextEpisode]
                .map(|action| self.keymap.key_of(action));
            let text = format!(
                "the replay has ended: {before} and {after} step through it, nas-tui replay plays it again"
            );
            self.tell(Level::Info, text);
            return Effect::Draw;
        }
        if let LinkStatus::Replay { paused, .. } = self.link {
            return Effect::Send(if paused {
                Command::Resume
            } else {
                Command::Pause
            });
        }
        if let LinkStatus::Reading { .. } = self.link {
            return self.command(Command::Pause);
        }
        match self.status() {
            // For a run whose process is gone, this tells how to continue it.
            RunStatus::Running | RunStatus::Dead => {
                self.command_at_next_batch(Command::Pause, "pauses")
            }
            RunStatus::Pausing | RunStatus::Paused => self.command(Command::Resume),
            status => {
                let reason = self.scene().read_only_reason();
                let reason = reason.unwrap_or_else(|| match status {
                    RunStatus::Blocked => "it is paused until it can save".to_owned(),
                    _ => format!("the {} is {} now", self.kind().noun(), status.word()),
                });
                self.tell(Level::Warning, reason);
                Effect::Draw
            }
        }
    }

    pub(super) fn change_speed(&mut self, by: f64) -> Effect {
        let LinkStatus::Replay { speed, .. } = self.link else {
            return Effect::Nothing;
        };
        Effect::Send(Command::Speed {
            factor: (speed * by).clamp(*SPEEDS.start(), *SPEEDS.end()),
        })
    }

    /// Ask whether to stop after the current episode, or to withdraw that.
    pub(super) fn ask_to_stop_after_episode(&mut self) -> Effect {
        match self.scene().read_only_reason() {
            Some(reason) => self.tell(Level::Warning, reason),
            None if self.live.search().stops_after_episode => self.ask(Question::GoOnAfterEpisode),
            None => self.ask(Question::StopAfterEpisode),
        }
        Effect::Draw
    }

    /// Ask whether to end the training of the child shown.
    pub(super) fn ask_to_skip(&mut self) -> Effect {
        let waiting = self
            .shown_child()
            .filter(|child| self.live.search().waiting.contains_key(child));
        match (self.scene().read_only_reason(), waiting) {
            (Some(reason), _) => self.tell(Level::Warning, reason),
            (None, None) => self.tell(Level::Info, "the child shown is not in training"),
            (None, Some(child)) => self.ask(Question::Skip(child)),
        }
        Effect::Draw
    }

    fn ask(&mut self, question: Question) {
        self.view.help = None;
        self.view.question = Some(question);
        self.view.answer = Answer::Cancel;
    }

    /// A key that is no answer cancels a question about a command: who types on after a line of text has
    /// closed must not answer it by chance.
    pub(super) fn take_no_answer(&mut self) -> Effect {
        if self.view.question == Some(Question::Leave) {
            return Effect::Nothing;
        }
        self.view.question = None;
        Effect::Draw
    }

    pub(super) fn mark_next_answer(&mut self) {
        let Some(question) = self.view.question else {
            return;
        };
        let answers = question.answers(&self.scene());
        let marked = question.marked(self.view.answer, &self.scene());
        let marked = answers.iter().position(|answer| *answer == marked);
        self.view.answer = answers[(marked.unwrap_or(0) + 1) % answers.len()];
    }

    /// Leave at once if nothing is in progress that the user might want to stop; otherwise ask. From
    /// another run than this program's own it leads back to that one, and is asked there.
    pub fn quit(&mut self) -> Effect {
        if self.neighbours.home.is_some() {
            return Effect::LeaveFromHome;
        }
        match self.link {
            _ if self.is_over() => Effect::Leave(Leave::Finished),
            LinkStatus::Live { watch_only: false } | LinkStatus::Dead { watch_only: false } => {
                self.ask(Question::Leave);
                Effect::Draw
            }
            // While it is being read it is not known whether a process works on the run.
            LinkStatus::Live { watch_only: true }
            | LinkStatus::Journal { .. }
            | LinkStatus::Reading { .. } => Effect::Leave(Leave::Detached),
            LinkStatus::Dead { watch_only: true } | LinkStatus::Lost { .. } => {
                Effect::Leave(Leave::Closed)
            }
            LinkStatus::Ended | LinkStatus::Damaged { .. } | LinkStatus::Replay { .. } => {
                Effect::Leave(Leave::Finished)
            }
        }
    }

    /// Ask before leaving. What would be left at once is only shown: whoever returns to it from another run may
    /// not know yet that it is over.
    pub fn ask_to_quit(&mut self) -> Effect {
        match self.quit() {
            Effect::Leave(_) => Effect::Draw,
            question => question,
        }
    }

    pub(super) fn answer_by_letter(&mut self, action: Action) -> Effect {
        let answer = match action {
            Action::AnswerYes => Answer::Yes,
            Action::AnswerDetach => Answer::Detach,
            Action::AnswerStop => Answer::Stop,
            _ => Answer::Cancel,
        };
        let question = self.view.question;
        if question.is_some_and(|question| question.answers(&self.scene()).contains(&answer)) {
            self.answer(answer)
        } else {
            Effect::Nothing
        }
    }

    /// Give the selected answer.
    pub(super) fn answer_as_marked(&mut self) -> Effect {
        let question = self.view.question;
        let marked = question.map(|question| question.marked(self.view.answer, &self.scene()));
        self.answer(marked.unwrap_or(Answer::Cancel))
    }

    fn answer(&mut self, answer: Answer) -> Effect {
        match (self.view.question.take(), answer) {
            (Some(Question::Leave), Answer::Yes) => Effect::Leave(Leave::Resume),
            (Some(Question::Leave), Answer::Detach) => Effect::Leave(match self.status() {
                RunStatus::Dead => Leave::Closed,
                status if status.is_over() => Leave::Finished,
                _ => Leave::Detached,
            }),
            (Some(Question::Leave), Answer::Stop) => {
                let effect = self.command_at_next_batch(Command::Stop, "stops");
                self.stop_asked = effect == Effect::Send(Command::Stop);
                effect
            }
            (Some(Question::Skip(child)), Answer::Yes) => self.command(Command::Skip { child }),
            (Some(Question::StopAfterEpisode), Answer::Yes) => {
                self.command(Command::StopAfterEpisode)
            }
            (Some(Question::GoOnAfterEpisode), Answer::Yes) => {
                self.command(Command::GoOnAfterEpisode)
            }
            _ => Effect::Draw,
        }
    }
}
