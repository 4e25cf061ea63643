//! The box in which a question waits for its answer.

use ratatui::layout::Rect;

use crate::link::LinkStatus;
use crate::state::RunStatus;
use crate::tui::keymap::Action;
use crate::tui::paint::{self, Painter};
use crate::tui::panels::scene::Scene;
use crate::tui::target::Target;
use crate::tui::theme::Role;

/// Width of the box, unless an answer needs more.
const WIDTH: u16 = 58;
/// Columns of the box besides an answer's text: the frame, the marker and the key.
const BESIDE: usize = 9;

/// A question that is waiting for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether to leave the screen, and what happens to the run. A run without a process can be
    /// resumed.
    Leave,
    /// End this child's training?
    Skip(u64),
    /// Stop the run after the current episode?
    StopAfterEpisode,
    /// Withdraw that?
    GoOnAfterEpisode,
}

/// A possible answer; [`Question::answers`] tells which ones a question has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    Detach,
    Stop,
    Cancel,
}

impl Question {
    /// The answers that it has now; the harmless one is last.
    pub fn answers(self, scene: &Scene<'_>) -> Vec<Answer> {
        use Answer::{Cancel, Yes};
        match (self, scene.status()) {
            (Question::Leave, _) => self.ways_to_leave(scene),
            (_, status) if status.is_live() => vec![Yes, Cancel],
            _ => vec![Cancel],
        }
    }

    fn ways_to_leave(self, scene: &Scene<'_>) -> Vec<Answer> {
        use Answer::{Cancel, Detach, Stop, Yes};
        match scene.status() {
            RunStatus::Dead if can_resume(scene) => vec![Yes, Detach, Cancel],
            RunStatus::Stopping => vec![Detach, Cancel],
            _ if scene.read_only_reason().is_some() => vec![Detach, Cancel],
            _ => vec![Detach, Stop, Cancel],
        }
    }

    /// The selected answer: the harmless one if the question no longer offers `marked`.
    pub fn marked(self, marked: Answer, scene: &Scene<'_>) -> Answer {
        let offered = self.answers(scene).contains(&marked);
        if offered { marked } else { Answer::Cancel }
    }
}

fn can_resume(scene: &Scene<'_>) -> bool {
    matches!(scene.link, LinkStatus::Dead { watch_only: false })
}

/// Draw the box, with one answer selected.
pub fn draw(scene: &Scene<'_>, question: Question, marked: Answer, screen: &mut Painter<'_>) {
    let (answers, marked) = (question.answers(scene), question.marked(marked, scene));
    let area = screen.area();
    let texts = answers
        .iter()
        .map(|answer| text_of(scene, question, *answer).1.len() + BESIDE);
    let width = (texts.max().unwrap_or(0) as u16)
        .clamp(WIDTH, area.width.max(WIDTH))
        .min(area.width);
    let height = (answers.len() as u16 + 4).min(area.height);
    let area = Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    );
    screen.target_all(Target::Nothing);
    let mut painter = screen.part(area);
    paint::frame(&mut painter, &title(scene, question));
    for (index, answer) in answers.iter().enumerate() {
        let (action, text) = text_of(scene, question, *answer);
        let marked = marked == *answer;
        let marker = if marked { painter.glyphs().marker } else { " " };
        let x = painter.text(
            2,
            2 + index,
            Role::Key,
            &format!("{marker} {}  ", scene.keymap.key_of(action)),
        );
        painter.text(
            x,
            2 + index,
            if marked { Role::Strong } else { Role::Text },
            &text,
        );
        let width = painter.width();
        painter.target((0, 2 + index), (width, 1), Target::Action(action));
    }
}

fn title(scene: &Scene<'_>, question: Question) -> String {
    let noun = scene.kind.noun();
    match (question, scene.status()) {
        (Question::Skip(child), status) if status.is_live() => {
            format!("End the training of child {child} here?")
        }
        (Question::Skip(child), _) => format!("Child {child} is no longer in training"),
        (Question::StopAfterEpisode, status) if status.is_live() => {
            format!("Stop after episode {}?", scene.live.search().episode)
        }
        (Question::GoOnAfterEpisode, status) if status.is_live() => {
            format!("Go on after episode {}?", scene.live.search().episode)
        }
        (Question::StopAfterEpisode | Question::GoOnAfterEpisode, _) => {
            format!("The {noun} is no longer in progress")
        }
        (Question::Leave, RunStatus::Dead) => format!("The process of this {noun} is gone"),
        (Question::Leave, RunStatus::Stopping) => {
            format!("The {noun} is stopping. Leave without waiting?")
        }
        (Question::Leave, status) if status.is_over() => {
            format!("The {noun} is over. Leave the screen?")
        }
        (Question::Leave, _) => "Leave the screen?".to_owned(),
    }
}

fn text_of(scene: &Scene<'_>, question: Question, answer: Answer) -> (Action, String) {
    match answer {
        Answer::Yes => (
            Action::AnswerYes,
            match question {
                Question::Leave => "yes: resume it here, on this screen",
                Question::Skip(child) if has_epochs(scene, child) => "yes: its epochs so far count",
                Question::StopAfterEpisode => "yes: what is reached is kept; resume it later",
                Question::GoOnAfterEpisode => "yes: the stop is withdrawn",
                Question::Skip(_) => {
                    "yes: no epoch has ended; it is excluded, nothing is learned from it"
                }
            }
            .to_owned(),
        ),
        Answer::Detach => (
            Action::AnswerDetach,
            match scene.status() {
                _ if matches!(scene.link, LinkStatus::Lost { .. }) => "close the screen".to_owned(),
                RunStatus::Dead => "close the screen; it can be resumed later".to_owned(),
                status if status.is_over() => "close the screen".to_owned(),
                _ => format!(
                    "detach: the {} continues without a screen",
                    scene.kind.noun()
                ),
            },
        ),
        Answer::Stop => (
            Action::AnswerStop,
            match scene.status() {
                RunStatus::Blocked => "stop now: what cannot be saved is lost",
                _ => "stop after a checkpoint; resume it later",
            }
            .to_owned(),
        ),
        Answer::Cancel => (Action::AnswerCancel, "cancel: keep watching".to_owned()),
    }
}

/// Whether a child has completed an epoch: without one there is no accuracy to keep.
fn has_epochs(scene: &Scene<'_>, child: u64) -> bool {
    let training = scene.live.search().in_training(child);
    training.is_some_and(|(_, training)| !training.epochs.is_empty())
}
