//! What the result of a search is worth: the results of `verify`, `reliability` and `rank`.

use maud::{Markup, html};

use crate::analysis::statistics::p_text;
use crate::foundation::numbers::{accuracy, count, or_none, reward};
use crate::report::page::html::{HtmlColumn, Section, table_of};
use crate::report::page::material::Material;
use crate::report::page::parts;
use crate::study::rank::{CAVEAT, Ranked, Ranking};
use crate::study::reliability::{Findings, Need};
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
    let columns: &[HtmlColumn<'_, (&str, &Arm)>] = &[
        ("arm", false, &|(name, _)| (*name).to_owned()),
        ("children", true, &|(_, arm)| arm.children.to_string()),
        ("different", true, &|(_, arm)| arm.networks.to_string()),
        ("failed", true, &|(_, arm)| arm.failed.to_string()),
        ("mean reward", true, &|(_, arm)| reward(arm.mean_reward)),
        ("standard deviation", true, &|(_, arm)| {
            reward(arm.deviation)
        }),
        ("mean accuracy", true, &|(_, arm)| {
            or_none(arm.mean_accuracy, accuracy)
        }),
    ];
    let caption = format!(
        "Fresh children of the policy after episode {} and fresh uniform ones, all of {} layers, each trained for itself",
        question.episode, question.depth
    );
    html! {
        h3 { "Against chance" }
        p { strong { (parts::whole(&found.lift_text())) } "." }
        (table_of(&caption, columns, &found.arms()))
        @for caveat in found.caveats() { p.note { (caveat) "." } }
    }
}

fn reliability(found: &Findings) -> Markup {
    let Some(reliability) = &found.reliability else {
        return html! {};
    };
    let [low, high] = reliability.ci95;
    let columns: &[HtmlColumn<'_, Need>] = &[
        ("lift", true, &|need| {
            let observed = if need.is_observed { ", this run's" } else { "" };
            format!("{:+.4}{observed}", need.lift)
        }),
        ("children of each arm", true, &|need| {
            need.children.map_or_else(|| "none".to_owned(), count)
        }),
    ];
    html! {
        h3 { "Reliability of the reward" }
        p {
            "Intraclass correlation " strong { (format!("{:.3}", reliability.intraclass_correlation)) }
            " (95 % " (format!("{low:.3}")) " to " (format!("{high:.3}")) "; F test: " (p_text(reliability.p_value)) "): "
            (reliability.networks) " networks, trained " (reliability.trainings) " times each. Trainings of one network have a standard deviation of "
            (reward(reliability.noise)) ", the networks themselves one of " (reward(reliability.spread)) "."
        }
        @if !found.needs.is_empty() { (table_of("Children needed for a power of 80 %", columns, &found.needs)) }
    }
}

fn ranked(found: &Ranking) -> Markup {
    let columns: &[HtmlColumn<'_, Ranked>] = &[
        ("child", true, &|child| child.chosen.child.to_string()),
        ("chosen as", false, &|child| child.chosen.group().to_owned()),
        ("in the search", true, &|child| {
            accuracy(child.chosen.search_accuracy)
        }),
        ("trained to completion", true, &|child| {
            child
                .final_accuracy
                .map_or_else(|| "not completed".to_owned(), accuracy)
        }),
        ("epochs", true, &|child| child.epochs.to_string()),
    ];
    html! {
        h3 { "Search accuracy and final accuracy" }
        p { strong { (parts::whole(&found.agreement_text())) } "." }
        (table_of("Validation accuracy in the search and after full training", columns, &found.children))
        p.note { "The " (CAVEAT.trim_start_matches("the ")) "." }
    }
}
