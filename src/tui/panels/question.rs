//! The box in which a question waits for its answer.

use ratatui::layout::Rect;

use crate::event::RunKind;
use crate::state::RunStatus;
use crate::tui::app::App;
use crate::tui::keymap::Action;
use crate::tui::paint::{self, Painter};
use crate::tui::theme::Role;
use crate::tui::view::{Answer, Question};

/// Width of the box, unless an answer needs more.
const WIDTH: u16 = 58;
/// Columns of the box beside an answer's text: the frame, the marker and the key.
const BESIDE: usize = 9;

pub fn draw(app: &App, question: Question, screen: &mut Painter<'_>) {
    let answers = app.answers(question);
    let area = screen.area();
    let texts = answers
        .iter()
        .map(|answer| words(app, question, *answer).1.len() + BESIDE);
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
    paint::frame(&mut painter, &title(app, question));
    for (index, answer) in answers.iter().enumerate() {
        let (action, text) = words(app, question, *answer);
        let marked = app.view.answer == *answer;
        let marker = if marked { painter.glyphs().marker } else { " " };
        let x = painter.text(
            2,
            2 + index,
            Role::Key,
            &format!("{marker} {}  ", app.keymap.key_of(action)),
        );
        painter.text(
            x,
            2 + index,
            if marked { Role::Strong } else { Role::Text },
            text,
        );
    }
}

fn title(app: &App, question: Question) -> String {
    match question {
        Question::Leave if app.live.status == RunStatus::Stopping => {
            format!(
                "The {} is stopping. Leave without waiting?",
                app.kind().noun()
            )
        }
        Question::Leave => "Leave the screen?".to_owned(),
        Question::Skip(child) => format!("End the training of child {child} here?"),
        Question::Resume => format!("The process of this {} is gone", app.kind().noun()),
    }
}

fn words(app: &App, question: Question, answer: Answer) -> (Action, &'static str) {
    let kind = app.kind();
    match answer {
        Answer::Yes if question == Question::Resume => {
            (Action::AnswerYes, "yes: resume it here, on this screen")
        }
        Answer::Detach if question == Question::Resume => (
            Action::AnswerDetach,
            "close the screen; it can be resumed later",
        ),
        Answer::Yes if has_epochs(app, question) => {
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

/// Whether an epoch of the child in question has ended: without one there is no accuracy that could
/// count.
fn has_epochs(app: &App, question: Question) -> bool {
    let Question::Skip(child) = question else {
        return false;
    };
    app.live
        .search()
        .training
        .values()
        .any(|training| training.child == child && !training.epochs.is_empty())
}
