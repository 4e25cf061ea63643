//! What the result of a search is worth: the results of `verify`, `reliability` and `rank`.

use maud::{Markup, html};

use crate::analysis::statistics::p_text;
use crate::foundation::numbers::{accuracy, count, reward};
use crate::report::page::html::{Heading, Section, table, text};
use crate::report::page::material::Material;
use crate::report::page::parts;
use crate::study::rank::{CAVEAT, Ranked, Ranking};
use crate::study::reliability::Findings;
use crate::study::verify::{Arm, Verification};

/// The section; `None` without any results.
pub fn section(material: &Material) -> Option<Section> {
    let results = &material.results;
    if results.is_empty() {
        return None;
    }
    let body = html! {
        @for verification in &results.verifications { (verified(verification)) }
        @for findings in &results.reliabilities { (reliability(findings)) }
        @if let Some(ranking) = &results.ranking { (ranked(ranking)) }
        @for problem in &results.unreadable { p.note { "A result cannot be read: " (problem) "." } }
    };
    Some(Section::new("worth", "What the result is worth", body))
}

fn verified(found: &Verification) -> Markup {
    let question = &found.question;
    let row = |name: &str, arm: &Arm| {
        let reached = arm
            .mean_accuracy
            .map_or_else(|| "none".to_owned(), accuracy);
        let cells = [
            name.to_owned(),
            arm.children.to_string(),
            arm.networks.to_string(),
            arm.failed.to_string(),
            reward(arm.mean_reward),
            reward(arm.deviation),
            reached,
        ];
        cells.iter().map(text).collect::<Vec<_>>()
    };
    let columns: [Heading; 7] = [
        ("arm", false),
        ("children", true),
        ("different", true),
        ("failed", true),
        ("mean reward", true),
        ("standard deviation", true),
        ("mean accuracy", true),
    ];
    let rows = [row("policy", &found.policy), row("uniform", &found.uniform)];
    let caption = format!(
        "Fresh children of the policy after episode {} and fresh uniform ones, all of {} layers, each trained for itself",
        question.episode, question.depth
    );
    html! {
        h3 { "Against chance" }
        p { strong { (parts::whole(&found.lift_text())) } "." }
        (table(&caption, &columns, rows))
        @for caveat in found.caveats() { p.note { (caveat) "." } }
    }
}

fn reliability(found: &Findings) -> Markup {
    let Some(reliability) = &found.reliability else {
        return html! {};
    };
    let [low, high] = reliability.ci95;
    let needs: Vec<Vec<Markup>> = found
        .needs
        .iter()
        .map(|need| {
            let shown = if need.is_observed { ", this run's" } else { "" };
            let children = need.children.map_or_else(|| "none".to_owned(), count);
            vec![text(format!("{:+.4}{shown}", need.lift)), text(children)]
        })
        .collect();
    let columns: [Heading; 2] = [("lift", true), ("children of each arm", true)];
    html! {
        h3 { "Reliability of the reward" }
        p {
            "Intraclass correlation " strong { (format!("{:.3}", reliability.intraclass_correlation)) }
            " (95 % " (format!("{low:.3}")) " to " (format!("{high:.3}")) "; F test: " (p_text(reliability.p_value)) "): "
            (reliability.networks) " networks, trained " (reliability.trainings) " times each. Trainings of one network have a standard deviation of "
            (reward(reliability.noise)) ", the networks themselves one of " (reward(reliability.spread)) "."
        }
        @if !needs.is_empty() { (table("Children that 80 % power needs", &columns, needs)) }
    }
}

fn ranked(found: &Ranking) -> Markup {
    let row = |child: &Ranked| {
        let group = if child.chosen.is_top { "top" } else { "random" };
        let reached = child
            .final_accuracy
            .map_or_else(|| "unfinished".to_owned(), accuracy);
        let cells = [
            child.chosen.child.to_string(),
            group.to_owned(),
            accuracy(child.chosen.search_accuracy),
            reached,
            child.epochs.to_string(),
        ];
        cells.iter().map(text).collect::<Vec<_>>()
    };
    let columns: [Heading; 5] = [
        ("child", true),
        ("chosen as", false),
        ("in the search", true),
        ("trained to completion", true),
        ("epochs", true),
    ];
    let rows: Vec<Vec<Markup>> = found.children.iter().map(row).collect();
    html! {
        h3 { "Search accuracy and final accuracy" }
        p { strong { (parts::whole(&found.agreement_text())) } "." }
        (table("Validation accuracy in the search and after full training", &columns, rows))
        p.note { "The " (CAVEAT.trim_start_matches("the ")) "." }
    }
}
