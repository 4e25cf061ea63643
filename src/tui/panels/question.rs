//! The box in which a question waits for its answer.

use ratatui::layout::Rect;

use crate::event::RunKind;
use crate::state::{RunState, RunStatus};
use crate::tui::keymap::Action;
use crate::tui::paint::{self, Painter};
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// Width of the box, unless an answer needs more.
const WIDTH: u16 = 58;
/// Columns of the box besides an answer's text: the frame, the marker and the key.
const BESIDE: usize = 9;

/// A question that is waiting for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Leave the screen? And what about the search?
    Leave,
    /// End this child's training?
    Skip(u64),
    /// No process is working on the unfinished run: resume it?
    Resume,
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
    pub fn answers(self, live: &RunState) -> Vec<Answer> {
        match self {
            Question::Skip(_) => vec![Answer::Yes, Answer::Cancel],
            Question::Resume => vec![Answer::Yes, Answer::Detach, Answer::Cancel],
            Question::Leave if live.status == RunStatus::Stopping => {
                vec![Answer::Detach, Answer::Cancel]
            }
            Question::Leave => vec![Answer::Detach, Answer::Stop, Answer::Cancel],
        }
    }
}

/// Draw the box, with one answer selected.
pub fn draw(scene: &Scene<'_>, question: Question, marked: Answer, screen: &mut Painter<'_>) {
    let answers = question.answers(scene.live);
    let area = screen.area();
    let texts = answers
        .iter()
        .map(|answer| words(scene, question, *answer).1.len() + BESIDE);
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
    let mut painter = screen.part(area);
    paint::frame(&mut painter, &title(scene, question));
    for (index, answer) in answers.iter().enumerate() {
        let (action, text) = words(scene, question, *answer);
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
            text,
        );
    }
}

fn title(scene: &Scene<'_>, question: Question) -> String {
    match question {
        Question::Leave if scene.live.status == RunStatus::Stopping => {
            format!(
                "The {} is stopping. Leave without waiting?",
                scene.kind.noun()
            )
        }
        Question::Leave => "Leave the screen?".to_owned(),
        Question::Skip(child) => format!("End the training of child {child} here?"),
        Question::Resume => format!("The process of this {} is gone", scene.kind.noun()),
    }
}

fn words(scene: &Scene<'_>, question: Question, answer: Answer) -> (Action, &'static str) {
    let kind = scene.kind;
    match answer {
        Answer::Yes if question == Question::Resume => {
            (Action::AnswerYes, "yes: resume it here, on this screen")
        }
        Answer::Detach if question == Question::Resume => (
            Action::AnswerDetach,
            "close the screen; it can be resumed later",
        ),
        Answer::Yes if has_epochs(scene, question) => {
            (Action::AnswerYes, "yes: its epochs so far count")
        }
        Answer::Yes => (
            Action::AnswerYes,
            "yes: no epoch has ended; it is excluded, nothing is learned from it",
        ),
        Answer::Detach if kind == RunKind::Training => (
            Action::AnswerDetach,
            "detach: the training goes on without a screen",
        ),
        Answer::Detach => (
            Action::AnswerDetach,
            "detach: the search goes on without a screen",
        ),
        Answer::Stop => (
            Action::AnswerStop,
            "stop after a checkpoint; resume it later",
        ),
        Answer::Cancel => (Action::AnswerCancel, "cancel: go on watching"),
    }
}

/// Whether an epoch of the child in question has ended: without one there is no accuracy to keep.
fn has_epochs(scene: &Scene<'_>, question: Question) -> bool {
    let Question::Skip(child) = question else {
        return false;
    };
    scene
        .live
        .search()
        .training
        .values()
        .any(|training| training.child == child && !training.epochs.is_empty())
}
