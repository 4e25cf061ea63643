//! The box in which a question waits for its answer.

use ratatui::layout::Rect;

use crate::state::{Phase, RunKind};
use crate::tui::app::App;
use crate::tui::keymap::Action;
use crate::tui::paint::{self, Painter};
use crate::tui::theme::Role;
use crate::tui::view::{Answer, Question};

/// Width of the box.
const WIDTH: u16 = 58;

pub fn draw(app: &App, question: Question, screen: &mut Painter<'_>) {
    let answers = app.answers(question);
    let area = screen.area();
    let (width, height) = (WIDTH.min(area.width), (answers.len() as u16 + 4).min(area.height));
    let area = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    let mut painter = screen.part(area);
    paint::frame(&mut painter, &title(app, question));
    for (index, answer) in answers.iter().enumerate() {
        let (action, text) = words(question, *answer, app.kind());
        let marked = app.view.answer == *answer;
        let marker = if marked { painter.glyphs().marker } else { " " };
        let x = painter.text(2, 2 + index, Role::Key, &format!("{marker} {}  ", app.keymap.key_of(action)));
        painter.text(x, 2 + index, if marked { Role::Strong } else { Role::Text }, text);
    }
}

fn title(app: &App, question: Question) -> String {
    match question {
        Question::Leave if app.live.phase == Phase::Stopping => {
            format!("The {} is stopping. Leave without waiting?", app.kind().noun())
        }
        Question::Leave => "Leave the screen?".to_owned(),
        Question::Skip(child) => format!("End the training of child {child} here?"),
        Question::Resume => format!("The process of this {} is gone", app.kind().noun()),
    }
}

fn words(question: Question, answer: Answer, kind: RunKind) -> (Action, &'static str) {
    match answer {
        Answer::Yes if question == Question::Resume => (Action::AnswerYes, "yes: resume it here, on this screen"),
        Answer::Detach if question == Question::Resume => (Action::AnswerDetach, "close the screen; it can be resumed later"),
        Answer::Yes => (Action::AnswerYes, "yes: its epochs so far count"),
        Answer::Detach if kind == RunKind::Training => (Action::AnswerDetach, "detach: the training goes on without a screen"),
        Answer::Detach => (Action::AnswerDetach, "detach: the search goes on without a screen"),
        Answer::Stop => (Action::AnswerStop, "stop after a checkpoint; resume it later"),
        Answer::Cancel => (Action::AnswerCancel, "cancel: go on watching"),
    }
}
