//! The layers of a child: of the one in training, or of any child of the run.

use std::borrow::Cow;

use super::panel::{About, Hint, PANELS, Response, SEARCH, Scrolled, TextPanel, hints};
use super::{Content, PanelId, Row, join_fitting, labelled, layers, training, words};
use crate::config::LayoutName;
use crate::event::ChildEpoch;
use crate::space::Design;
use crate::state::{Candidate, CandidateOrigin, ChildDetail, TrainedChild};
use crate::tui::format;
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::paint::Piece;
use crate::tui::panels::scene::Scene;
use crate::tui::theme::Role;

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ShownColumns {
    #[default]
    Shapes,
    Choices,
}

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct DnaView {
    columns: ShownColumns,
}

const HERE: Scope = Scope::Panel(PanelId("dna"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["v"] ToggleColumns "DNA: shapes and costs, or log-probability and entropy" ("choices");
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Network],
    need: |scene, _| Some(need(scene)),
    fills_more: true,
    ..About::of::<Scrolled<DnaView>>("dna", "DNA", 40, SEARCH)
};

impl TextPanel for DnaView {
    fn title(&self, scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        ("DNA".into(), names(scene).swap_remove(0))
    }

    fn shorter(&self, scene: &Scene<'_>) -> Vec<Row> {
        names(scene).split_off(1)
    }

    fn content(&self, scene: &Scene<'_>, width: usize, height: usize) -> Content {
        content(scene, self.columns, width, height)
    }

    fn shows_child(&self) -> bool {
        true
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        let is_back = action == Action::ToggleColumns && self.columns == ShownColumns::Choices;
        is_back.then_some("shapes")
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["other child": Left, Right]
    }

    fn act(&mut self, action: Action) -> Option<Response> {
        (action == Action::ToggleColumns).then(|| {
            self.columns = match self.columns {
                ShownColumns::Shapes => ShownColumns::Choices,
                ShownColumns::Choices => ShownColumns::Shapes,
            };
            Response::Draw
        })
    }
}

/// Rows for a child of the depth that the search will soon have: its facts, a heading, and its layers.
fn need(scene: &Scene<'_>) -> usize {
    let search = scene.live.search();
    let is_cell = (search.started.as_ref()).is_some_and(|run| run.data.images.is_none());
    let per_layer = if is_cell { search.heads().len() } else { 1 };
    3 + search.depth_ahead() * per_layer
}

/// The child's name and what it is doing, beside the title; of a chosen child also how to leave it. Several
/// forms, longest first.
fn names(scene: &Scene<'_>) -> Vec<Row> {
    let Some(child) = scene.shown_child() else {
        return vec![Row::new()];
    };
    let name = labelled("child", Role::Strong, child.to_string());
    let (standing, glyphs) = (standing(scene, child), scene.glyphs());
    if scene.chosen != Some(child) || scene.is_over() {
        let arrows = (Role::Strong, format!(" {}", glyphs.left_right));
        return vec![[name, vec![arrows, standing]].concat()];
    }
    // Where the way back matters, it takes the place of the keys that led here.
    let key = scene.keymap.key_of(Action::Back);
    let way = |to: &str| {
        vec![
            (Role::Dim, format!(" {} ", glyphs.separator)),
            (Role::Warning, format!("{key}: {to}")),
        ]
    };
    let whole = [name.clone(), vec![standing]].concat();
    let chosen = vec![(Role::Warning, " chosen".to_owned())];
    vec![
        [whole.clone(), way("the live one")].concat(),
        [whole, way("live")].concat(),
        [name.clone(), way("live")].concat(),
        [name, chosen].concat(),
    ]
}

/// What a child is doing, or that it is the best one.
fn standing(scene: &Scene<'_>, child: u64) -> Piece {
    let state = scene.state;
    if state.search().best_child() == Some(child) {
        (Role::Best, " best".to_owned())
    } else if let Some((worker, training)) = trained(scene, child) {
        // What stands for a worker in a search with a cluster means nothing to a user.
        let is_placed = training.place.is_some();
        let text = if is_placed {
            " in training".to_owned()
        } else {
            format!(" worker {worker}")
        };
        (Role::Dim, text)
    } else if scene.row(child).is_some() {
        (Role::Dim, " has ended".to_owned())
    } else if state.search().in_training(child).is_some() {
        (Role::Warning, " not in training".to_owned())
    } else {
        (Role::Dim, " waits".to_owned())
    }
}

/// The panel's content for `width` x `height`, below its title.
fn content(scene: &Scene<'_>, shown: ShownColumns, width: usize, height: usize) -> Content {
    let dim = |text: &str| Content {
        head: vec![vec![(Role::Dim, text.to_owned())]],
        body: Vec::new(),
    };
    let Some(child) = scene.shown_child() else {
        return dim("no child has been sampled yet");
    };
    let Some(detail) = scene.detail(child) else {
        return dim("reading the journal");
    };
    let mut head = facts(scene, &detail, width);
    let (options, glyphs) = (extras(scene, &detail.candidate), scene.glyphs());
    let (dna, heads) = (&detail.candidate.dna, scene.state.search().heads());
    let wants_choices = shown == ShownColumns::Choices;
    if wants_choices && !matches!(detail.candidate.origin, CandidateOrigin::Sampled { .. }) {
        let none = "no probabilities of its choices are known: no policy proposed it";
        head.extend(
            format::wrap(none, width)
                .into_iter()
                .map(|line| words(Role::Dim, line)),
        );
    }
    let with_choices = wants_choices && !options.choices.is_empty();
    let table = match &detail.candidate.design {
        Design::Network(architecture) if with_choices => {
            layers::choices((architecture, dna), heads, &options, width, glyphs)
        }
        Design::Network(architecture) => layers::table(architecture, &options, width, glyphs),
        Design::Key(_) => layers::heads(heads, dna, &options, width, glyphs),
    };
    if height > head.len() + table.head.len() + table.body.len() {
        head.push(Row::new());
    }
    head.extend(table.head);
    let mut body = table.body;
    let spare = height.saturating_sub(head.len() + body.len());
    if spare >= 4 && !detail.epochs.is_empty() {
        body.push(Row::new());
        body.extend(epoch_rows(&detail.epochs, spare - 1));
    }
    Content { head, body }
}

/// The worker that trains a child, and its progress; `None` if the child is not in training.
fn trained<'a>(scene: &Scene<'a>, child: u64) -> Option<(usize, &'a TrainedChild)> {
    let training = scene.state.search().in_training(child);
    training.filter(|_| scene.why_abandoned().is_none())
}

/// The rows above the layers: progress during training; where the children in training are on the screen and
/// tell that, and afterwards, where the child comes from, what it costs, and its result.
fn facts(scene: &Scene<'_>, detail: &ChildDetail, width: usize) -> Vec<Row> {
    let (state, candidate) = (scene.state, &detail.candidate);
    let trained = trained(scene, candidate.child);
    // Beside the name of a node, that panel may have no room for the figures.
    let is_told = trained.is_some_and(|(_, training)| training.place.is_none());
    let is_told = is_told && scene.shows(training::ID);
    if let Some((_, training)) = trained.filter(|_| !is_told) {
        return training::progress_rows(state, training, scene.glyphs(), width);
    }
    let first = match scene.row(candidate.child) {
        _ if is_told => Vec::new(),
        Some(row) => vec![
            row.accuracy.map_or_else(
                || vec![(Role::Error, row.trouble().unwrap_or_default().to_owned())],
                |accuracy| labelled("accuracy", Role::Strong, format::accuracy(accuracy)),
            ),
            labelled(
                "reward",
                Role::Text,
                format::or_none(row.reward, format::reward),
            ),
        ],
        None => match state.search().in_training(candidate.child) {
            Some((_, training)) => vec![training::abandoned_row(state, training, width)],
            None => vec![vec![(Role::Dim, "waits for a worker".to_owned())]],
        },
    };
    vec![
        join_fitting([first, origin(&candidate.origin)].concat(), "  ", width),
        join_fitting(
            vec![
                labelled("params", Role::Text, format::count(candidate.params)),
                labelled("MACs", Role::Text, format::compact(candidate.macs)),
                labelled("episode", Role::Text, candidate.episode.to_string()),
            ],
            "  ",
            width,
        ),
    ]
}

/// How a child came about, in parts.
fn origin(origin: &CandidateOrigin) -> Vec<Row> {
    match origin {
        CandidateOrigin::Sampled {
            log_prob, entropy, ..
        } => {
            vec![
                labelled("log-probability", Role::Text, format!("{log_prob:.2}")),
                labelled("entropy", Role::Text, format!("{entropy:.2}")),
            ]
        }
        CandidateOrigin::Mutated { parent } => vec![labelled(
            "mutation of child",
            Role::Text,
            parent.to_string(),
        )],
        CandidateOrigin::Uniform => vec![vec![(Role::Text, "drawn uniformly".to_owned())]],
        CandidateOrigin::Control => {
            vec![vec![(Role::Text, "control, drawn uniformly".to_owned())]]
        }
        CandidateOrigin::Edited { parent } => vec![labelled(
            "edited from child",
            Role::Text,
            parent.to_string(),
        )],
    }
}

/// What the table shows besides the layers themselves.
fn extras(scene: &Scene<'_>, candidate: &Candidate) -> layers::Extras {
    let state = scene.state;
    let best = state.search().outcomes.best.as_ref();
    let best = best.filter(|best| best.child != candidate.child);
    layers::Extras {
        choices: candidate.choices().to_vec(),
        compared: best.and(state.search().best_architecture().cloned()),
        compared_dna: best.map(|best| best.dna.clone()),
    }
}

/// The last epochs of a child in at most `rows` rows, with a heading.
fn epoch_rows(epochs: &[ChildEpoch], rows: usize) -> Vec<Row> {
    let heading = vec![(Role::Dim, "epoch    loss     train  validation".to_owned())];
    let last = &epochs[epochs.len().saturating_sub(rows.saturating_sub(1))..];
    let row = |epoch: &ChildEpoch| {
        let (train, valid) = (
            format::accuracy(epoch.train_accuracy),
            format::accuracy(epoch.valid_accuracy),
        );
        words(
            Role::Text,
            format!(
                "{:>5}  {:>6.3}  {train:>8}    {valid:>8}",
                epoch.epoch, epoch.train_loss
            ),
        )
    };
    std::iter::once(heading)
        .chain(last.iter().map(row))
        .collect()
}
