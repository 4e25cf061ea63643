//! `nas-tui note`: read and write the notes on the children of a search.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;

use super::{OrBadInput, say};
use crate::event::{checked_note, tags};
use crate::link;
use crate::runs;
use crate::state::{RunState, SearchRun};

/// Read or write the note on a child of a search
///
/// A note is one line of at most 500 characters, and its words that begin with # are tags. It is kept
/// in the journal and shown on the screen and in reports; nothing depends on it. A search at work
/// records it itself; in a run that no process works on, whether it is completed, stopped or dead, it
/// is added to the journal.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Run directory, or the name of one in the list of runs
    run: PathBuf,
    /// Number of the child, or `best` (default: print all notes of the run)
    #[arg(value_parser = which)]
    child: Option<Which>,
    /// The note, in quotes, in place of the one that the child has; an empty one removes that
    /// (default: print it)
    #[arg(allow_hyphen_values = true, value_parser = words)]
    text: Option<String>,
    /// Remove the note on the child
    #[arg(long, requires = "child", conflicts_with = "text")]
    remove: bool,
    /// Print JSON: [{child, note, tags}]
    #[arg(long, conflicts_with_all = ["text", "remove"])]
    json: bool,
}

/// A child as given by the user.
#[derive(Debug, Clone, Copy)]
enum Which {
    Best,
    Number(u64),
}

/// A note may begin with a hyphen, but a mistyped option must not become one.
fn words(text: &str) -> Result<String, String> {
    match text.starts_with("--") && !text.contains(' ') {
        true => Err("there is no such option; as a note, write it with a word before".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn which(text: &str) -> Result<Which, String> {
    let number = text.strip_prefix("child-").unwrap_or(text);
    match (text, number.parse::<u64>()) {
        ("best", _) => Ok(Which::Best),
        (_, Ok(child)) => Ok(Which::Number(child)),
        _ => Err("give the number of a child, or best".to_owned()),
    }
}

/// A note as JSON.
#[derive(Debug, Serialize)]
struct Noted<'a> {
    child: u64,
    note: &'a str,
    tags: Vec<&'a str>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let run = runs::find(&args.run).or_bad_input()?;
    let state = link::state_of(&run).or_bad_input()?;
    if state.training_run().is_some() {
        return Err(bad_input!(
            "{}: this run trains one network and has no children to write notes on",
            run.display()
        ));
    }
    let search = state.search();
    let child = args.child.map(|which| number(which, &state)).transpose()?;
    let text = if args.remove {
        Some("")
    } else {
        args.text.as_deref()
    };
    let (Some(child), Some(text)) = (child, text) else {
        return show(search, child, args.json);
    };
    let (text, before) = (checked_note(text).or_bad_input()?, search.notes.of(child));
    if text == before.unwrap_or_default() {
        match before {
            Some(_) => say(&format!("child {child} has this note already")),
            None => say(&format!("child {child} has no note")),
        }
        return Ok(());
    }
    match link::write_note(&run, child, text) {
        Ok(()) if text.is_empty() => say(&format!("child {child}: its note is removed")),
        Ok(()) => say(&format!("child {child}: note: {text}")),
        Err(error) if error.is_bad_input() => return Err(error).or_bad_input(),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// The number of a child that the run has.
fn number(which: Which, state: &RunState) -> anyhow::Result<u64> {
    let search = state.search();
    let run = state.name().unwrap_or("the run");
    match which {
        Which::Best => search
            .best_child()
            .ok_or_else(|| bad_input!("{run}: no child has an accuracy yet, so none is the best")),
        Which::Number(child)
            if search.waiting.contains_key(&child) || search.ended(child).is_some() =>
        {
            Ok(child)
        }
        Which::Number(child) => Err(bad_input!("{run}: there is no child {child}")),
    }
}

/// Print the note on a child, or all notes.
fn show(search: &SearchRun, child: Option<u64>, as_json: bool) -> anyhow::Result<()> {
    let all = search.notes.all();
    let shown: Vec<(u64, &str)> = all
        .filter(|(noted, _)| child.is_none_or(|child| child == *noted))
        .collect();
    if as_json {
        let notes = shown.into_iter().map(|(child, note)| Noted {
            child,
            note,
            tags: tags(note).collect(),
        });
        return super::print_pretty_json(&notes.collect::<Vec<_>>());
    }
    match (child, shown.as_slice()) {
        (Some(child), []) => say(&format!("child {child} has no note")),
        (None, []) => say("no child has a note"),
        (Some(_), notes) => {
            let lines = notes.iter().map(|(_, note)| format!("{note}\n"));
            super::print(&lines.collect::<String>())?;
        }
        (None, notes) => {
            let widest = notes.iter().map(|(child, _)| child.to_string().len());
            let width = widest.max().unwrap_or(0);
            let line = |(child, note): &(u64, &str)| format!("child {child:>width$}  {note}\n");
            super::print(&notes.iter().map(line).collect::<String>())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_named_by_its_number_or_as_the_best() {
        assert!(matches!(which("best"), Ok(Which::Best)));
        assert!(matches!(which("12"), Ok(Which::Number(12))));
        assert!(matches!(which("child-12"), Ok(Which::Number(12))));
        for text in ["", "-1", "worst", "child-", "12.5", "child-best"] {
            assert!(which(text).is_err(), "{text}");
        }
    }
}
