//! The palette: everything that can be done or shown, found by its name.

use std::path::{Path, PathBuf};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::keymap::{Action, Bound, Context, Scope};
use super::panels::PanelId;
use super::panels::list::is_filter;
use super::panels::scene::Scene;
use crate::config::by_key;
use crate::event::RunKind;
use crate::foundation::input;
use crate::runs::RunInfo;

/// What happens when an entry is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Perform an action, in the place that its keys belong to.
    Act(Action, Scope),
    /// Give a panel the focus.
    Focus(PanelId),
    /// Open a child in the inspector.
    Inspect(u64),
    /// Begin a filter of the children with this text.
    Filter(String),
    /// Say the value of a setting.
    Setting(String),
    /// Show the run in this directory.
    Show(PathBuf),
    /// Compare with the run in this folder, or no longer.
    Compare(PathBuf),
}

/// Something that can be done or shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happens when it is taken.
    pub choice: Choice,
    /// Its name, by which it is found.
    pub name: String,
    /// What it does, by which it is found too.
    pub text: String,
    /// Its key; empty if it has none.
    pub key: String,
    /// Why it would do nothing now.
    pub obstacle: Option<String>,
}

/// What the palette knows besides the screen.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Where keys go without the palette.
    pub page: Context,
    /// Names by which children can be filtered.
    pub filters: &'a [&'a str],
    /// Settings of the run, with their values.
    pub settings: &'a [(String, String)],
    /// Actions that would do nothing now, and why.
    pub obstacles: &'a [(Action, String)],
}

/// The entries that fit what has been typed, best first; all of them if nothing has: those of whose name it
/// begins words, then those of whose description it does (which contain most letters, so whole pieces are
/// wanted), then those that have its letters anywhere in the name.
pub fn found(scene: &Scene<'_>, around: Surroundings<'_>, typed: &str) -> Vec<Entry> {
    let all = entries(scene, around);
    let typed = typed.trim();
    if typed.is_empty() {
        return all;
    }
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut letters = Vec::new();
    let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut letters), &mut matcher);
    let (mut named, mut described, mut scattered): (Vec<(u32, Entry)>, Vec<Entry>, Vec<_>) =
        Default::default();
    for entry in all {
        let score = score(&entry.name);
        let whole = format!("{} {}", entry.name, entry.text);
        match score {
            Some(score) if begins_words(&entry.name, typed) => named.push((score, entry)),
            _ if begins_words(&whole, typed) => described.push(entry),
            Some(score) if may_be_scattered(&entry, typed) => scattered.push((score, entry)),
            _ => {}
        }
    }
    // Letters that are scattered over a long name are no match beside a good one.
    let scores = named.iter().chain(&scattered).map(|(score, _)| *score);
    let best = scores.max().unwrap_or(0);
    scattered.retain(|(score, _)| 2 * score >= best);
    for scored in [&mut named, &mut scattered] {
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    }
    let without_score = |(_, entry): (u32, Entry)| entry;
    let child = child_named(scene, typed).into_iter();
    child
        .chain(expression(scene, around, typed))
        .chain(named.into_iter().map(without_score))
        .chain(described)
        .chain(scattered.into_iter().map(without_score))
        .collect()
}

/// Whether letters that are scattered over its name can mean this entry. Any few letters are somewhere in
/// the name of one of many runs, and taking it changes what is shown.
fn may_be_scattered(entry: &Entry, typed: &str) -> bool {
    match entry.choice {
        Choice::Show(_) | Choice::Compare(_) => {
            entry.name.to_lowercase().contains(&typed.to_lowercase())
        }
        _ => true,
    }
}

/// The entry of a filter of the children.
fn filter(text: &str) -> Entry {
    Entry {
        choice: Choice::Filter(text.to_owned()),
        name: format!("filter {text}"),
        text: "show only some children".to_owned(),
        key: String::new(),
        obstacle: None,
    }
}

/// The filter that has been typed, if it is more than one of the names, which have entries of their own.
fn expression(scene: &Scene<'_>, around: Surroundings<'_>, typed: &str) -> Option<Entry> {
    let is_one =
        scene.kind == RunKind::Search && !around.filters.contains(&typed) && is_filter(typed);
    is_one.then(|| filter(typed))
}

/// Whether each word that was typed begins a word of `text`.
fn begins_words(text: &str, typed: &str) -> bool {
    let text = text.to_lowercase();
    let begins_a_word = |place: usize| {
        let before = text[..place].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric())
    };
    typed.to_lowercase().split_whitespace().all(|word| {
        let mut places = text.match_indices(word);
        places.any(|(place, _)| begins_a_word(place))
    })
}

/// The settings of a run, by dotted key; none if they cannot be read.
pub fn settings_of(run: &Path) -> Vec<(String, String)> {
    let text = input::read(&run.join("config.toml"), input::OWN).unwrap_or_default();
    by_key(&String::from_utf8_lossy(&text))
}

fn entries(scene: &Scene<'_>, around: Surroundings<'_>) -> Vec<Entry> {
    let mut actions = Vec::new();
    for bound in scene.keymap.all() {
        if let Some(entry) = action(scene, around, bound) {
            add(&mut actions, entry, around.page);
        }
    }
    tell_apart(&mut actions);
    let panels = PanelId::of(scene.kind).into_iter().map(|panel| Entry {
        choice: Choice::Focus(panel),
        name: format!("panel {}", panel.name()),
        text: "give it the focus".to_owned(),
        key: String::new(),
        obstacle: None,
    });
    // A training has no children.
    let filters = around.filters.iter();
    let filters = filters
        .filter(|_| scene.kind == RunKind::Search)
        .map(|name| filter(name));
    let settings = around.settings.iter().map(|(name, value)| Entry {
        choice: Choice::Setting(format!("{name} = {value}")),
        name: format!("setting {name}"),
        text: value.clone(),
        key: String::new(),
        obstacle: None,
    });
    actions
        .into_iter()
        .chain(panels)
        .chain(filters)
        .chain(settings)
        .chain(runs(scene))
        .collect()
}

/// The runs that exist: each can be shown, and compared with the one shown.
fn runs(scene: &Scene<'_>) -> Vec<Entry> {
    let neighbours = scene.neighbours;
    let Some(listed) = &neighbours.listed else {
        return Vec::new();
    };
    let entries = |(run, folder): (&RunInfo, &PathBuf)| {
        let is_shown = *folder == neighbours.folder;
        let is_compared = neighbours.others.of(folder).is_some();
        let entry = |choice: Choice, verb: &str, text: String| Entry {
            choice,
            name: format!("{verb} {}{}", run.name, place_of(run, &listed.runs)),
            text,
            key: String::new(),
            obstacle: is_shown.then(|| "it is the run shown".to_owned()),
        };
        let stands = match run.work.progress().as_str() {
            "" => run.word().to_owned(),
            progress => format!("{}, {progress}", run.word()),
        };
        let show = entry(
            Choice::Show(run.path.clone()),
            "run",
            format!("show it here: {stands}"),
        );
        let show = Entry {
            obstacle: show
                .obstacle
                .or_else(|| neighbours.switching.obstacle().map(str::to_owned)),
            ..show
        };
        let text = match is_compared {
            true => "compare with it no longer".to_owned(),
            false => format!("compare with it: {stands}"),
        };
        let compare = entry(Choice::Compare(folder.clone()), "compare run", text);
        let is_other_kind = run.work.kind() != scene.kind;
        let of_other_kind = || is_other_kind.then(|| other_kind(scene.kind));
        let compare = Entry {
            obstacle: compare.obstacle.or_else(of_other_kind),
            ..compare
        };
        [show, compare]
    };
    let all = listed.runs.iter().zip(&listed.folders);
    all.flat_map(entries).collect()
}

/// Where a run is, if others have the same name.
fn place_of(run: &RunInfo, all: &[RunInfo]) -> String {
    let mut others = all.iter().filter(|other| other.path != run.path);
    let parent = run.path.parent().map(Path::display);
    let has_namesake = others.any(|other| other.name == run.name);
    let parent = parent.filter(|_| has_namesake);
    parent.map_or(String::new(), |parent| format!(" in {parent}"))
}

/// Why a run of this kind is not compared with one of the other kind.
pub fn other_kind(kind: RunKind) -> String {
    let other = match kind {
        RunKind::Search => RunKind::Training,
        RunKind::Training => RunKind::Search,
    };
    format!("a {} is not compared with a {}", kind.noun(), other.noun())
}

/// Add the entry of an action. One that is there already for other keys, also of no particular place,
/// gets these keys too.
fn add(entries: &mut Vec<Entry>, new: Entry, page: Context) {
    let same = entries
        .iter_mut()
        .find(|old| match (&old.choice, &new.choice) {
            (Choice::Act(one, here), Choice::Act(other, there)) => {
                one == other && here.is_general() && there.is_general()
            }
            _ => false,
        });
    let Some(old) = same else {
        entries.push(new);
        return;
    };
    if old.key.split(' ').all(|key| key != new.key) {
        old.key = format!("{} {}", old.key, new.key).trim().to_owned();
    }
    // The place need not be left where one of its keys applies.
    if matches!(&old.choice, Choice::Act(_, scope) if !scope.holds_in(page)) {
        old.choice = new.choice;
    }
}

/// Add their places to names that several entries have.
fn tell_apart(entries: &mut [Entry]) {
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    for entry in entries {
        let with_name = names.iter().filter(|name| **name == entry.name);
        if let (2.., Choice::Act(_, scope)) = (with_name.count(), &entry.choice)
            && let Some(place) = scope.place()
        {
            entry.name = format!("{} ({place})", entry.name);
        }
    }
}

/// The entry of a binding; `None` if it means nothing in this kind of run, or only in an overlay.
fn action(scene: &Scene<'_>, around: Surroundings<'_>, bound: &Bound) -> Option<Entry> {
    let (action, scope) = (bound.binding.action, bound.binding.scope);
    let is_of_overlay = matches!(scope, Scope::Question | Scope::Text | Scope::Help);
    if is_of_overlay || action == Action::Palette {
        return None;
    }
    let key = |action| scene.keymap.key_of(action);
    let closed = match scope {
        Scope::Inspector if around.page != Context::Inspector => Some(scene.inspector_first()),
        Scope::Runs if around.page != Context::Runs => Some(format!(
            "open the list of runs first: {}",
            key(Action::Runs)
        )),
        _ => None,
    };
    let mut obstacles = around.obstacles.iter();
    let hindered = obstacles.find(|(hindered, _)| *hindered == action);
    Some(Entry {
        choice: Choice::Act(action, scope),
        name: action.name().replace('_', " "),
        text: bound.binding.help_in(scene.kind)?.to_owned(),
        key: bound
            .keys
            .first()
            .map_or_else(String::new, |key| key.name()),
        obstacle: scene
            .why_not(action)
            .or(closed)
            .or_else(|| hindered.map(|(_, reason)| reason.clone())),
    })
}

/// The child whose number has been typed.
fn child_named(scene: &Scene<'_>, typed: &str) -> Option<Entry> {
    let number = typed.strip_prefix("child").unwrap_or(typed).trim();
    let child: u64 = number.parse().ok()?;
    let search = scene.state.search();
    let is_known = scene.row(child).is_some() || search.waiting.contains_key(&child);
    is_known.then(|| Entry {
        choice: Choice::Inspect(child),
        name: format!("child {child}"),
        text: "open it in the inspector".to_owned(),
        key: String::new(),
        obstacle: None,
    })
}
