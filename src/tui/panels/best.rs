//! The best architecture so far, opened over the panels.

use super::{Content, Row, join_fitting, labelled, layers};
use crate::event::ChildFinished;
use crate::tui::app::App;
use crate::tui::format;
use crate::tui::theme::Role;

pub fn content(app: &App, width: usize) -> Content {
    let Some(best) = &app.state.best else {
        let text = "No child has an accuracy yet. The first one that does will be shown here.";
        let head = format::wrap(text, width).into_iter().map(|line| vec![(Role::Dim, line)]).collect();
        return Content { head, body: Vec::new() };
    };
    let mut content = Content { head: Vec::new(), body: facts(app, best, width) };
    match &app.state.best_architecture {
        Some(architecture) => {
            let table = layers::table(architecture, width, &app.theme.glyphs);
            content.body.push(Row::new());
            content.body.extend(table.head);
            content.body.extend(table.body);
        }
        None => content.body.push(vec![(Role::Dim, "Its layers are not in the events received.".to_owned())]),
    }
    content.body.push(Row::new());
    content.body.push(vec![(Role::Dim, "DNA".to_owned())]);
    content.body.extend(dna_rows(&best.dna.to_string(), width));
    content
}

fn facts(app: &App, best: &ChildFinished, width: usize) -> Vec<Row> {
    let power = app.state.run.as_ref().map_or(String::new(), |run| format!(" = accuracy^{}", run.reward_power));
    let mut reward = labelled("reward", Role::Strong, format::reward(best.reward));
    reward.push((Role::Dim, power));
    let first = vec![
        labelled("child", Role::Strong, best.child.to_string()),
        labelled("of episode", Role::Text, best.episode.to_string()),
        labelled("accuracy", Role::Best, format::accuracy(best.accuracy)),
        reward,
    ];
    let second = vec![
        labelled("parameters", Role::Text, format::count(best.params)),
        labelled("multiply-adds", Role::Text, format::compact(best.macs)),
        labelled("layers", Role::Text, best.dna.depth().to_string()),
        labelled("trained in", Role::Text, format!("{:.1} s", best.seconds)),
    ];
    let epochs: Vec<String> = best.valid_accuracies.iter().map(|accuracy| format!("{:.1}", accuracy * 100.0)).collect();
    let mut rows = vec![join_fitting(first, "   ", width), join_fitting(second, "   ", width)];
    let text = format!("validation accuracy by epoch, %: {}", epochs.join(" "));
    rows.extend(format::wrap(&text, width).into_iter().map(|line| vec![(Role::Text, line)]));
    rows
}

/// The DNA broken between genes.
fn dna_rows(dna: &str, width: usize) -> Vec<Row> {
    let spaced = dna.replace("],[", "], [");
    format::wrap(&spaced, width).into_iter().map(|line| vec![(Role::Text, line)]).collect()
}
