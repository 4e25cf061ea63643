//! The box in which `q` asks.

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;
use crate::tui::view::{Answer, Question};

struct Words {
    title: &'static str,
    answers: [(Answer, &'static str, &'static str); 2],
}

const fn words(question: Question) -> Words {
    match question {
        Question::Stop => Words {
            title: "Stop the search?",
            answers: [
                (Answer::Stop, "s", "stop after a checkpoint; resume it later"),
                (Answer::Cancel, "c", "cancel: go on searching"),
            ],
        },
        Question::Leave => Words {
            title: "Stopping. Leave without waiting?",
            answers: [
                (Answer::Stop, "s", "leave now; the last checkpoint counts"),
                (Answer::Cancel, "c", "cancel: wait until it has stopped"),
            ],
        },
    }
}

/// Width and rows of the box.
const SIZE: (u16, u16) = (54, 6);

pub fn draw(app: &App, question: Question, screen: &mut Painter<'_>) {
    let area = screen.area();
    let (width, height) = (SIZE.0.min(area.width), SIZE.1.min(area.height));
    let area = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    let mut painter = screen.part(area);
    let words = words(question);
    super::super::paint::frame(&mut painter, words.title);
    for (index, (answer, letter, text)) in words.answers.iter().enumerate() {
        let chosen = app.view.answer == *answer;
        let marker = if chosen { painter.glyphs().marker } else { " " };
        let x = painter.text(2, 2 + index, Role::Key, &format!("{marker} {letter}  "));
        painter.text(x, 2 + index, if chosen { Role::Strong } else { Role::Text }, text);
    }
}
