//! The exact values at the crosshair: of the child, and of its episode.

use super::extent::Extent;
use super::others::{self, Reached};
use crate::analysis::series::{self, Children, Quantity};
use crate::state::{ChildRow, RunState};
use crate::tui::format;
use crate::tui::paint::pieces_width;
use crate::tui::panels::{Row, join_ranked, labelled, words};
use crate::tui::theme::Role;

/// A value in the notation of the quantity.
fn value(quantity: Quantity, value: f64) -> String {
    if quantity == Quantity::Accuracy {
        format::accuracy(value)
    } else {
        format::reward(value)
    }
}

/// What is known about the child under the crosshair.
pub struct Readout<'a> {
    state: &'a RunState,
    quantity: Quantity,
    child: u64,
    /// `None` if it has not ended.
    row: Option<&'a ChildRow>,
    /// Whether the run will not have such a child: runs beside it have more.
    is_beyond: bool,
    episode: usize,
    smooth: Option<f64>,
    /// Quartiles of its episode.
    quartiles: Option<[f64; 3]>,
    /// Mean of the controls of its episode.
    controls: Option<f64>,
    others: Vec<Reached>,
}

impl<'a> Readout<'a> {
    /// What `state` and the chart's `children` contain about `child`.
    pub fn of(
        state: &'a RunState,
        quantity: Quantity,
        children: &Children,
        child: u64,
    ) -> Readout<'a> {
        let extent = Extent::new(state, children.newest);
        // A repeat or a retry has one row like every child; in damaged journals the last one
        // counts.
        let row = state
            .search()
            .children
            .iter()
            .rfind(|row| row.child == child && row.is_proposed());
        let episode = row.map_or(extent.episode(child) as usize, |row| row.episode);
        let smooth = children
            .smoothed(extent.per_episode)
            .find(|(point, _)| point.child == child)
            .map(|(_, smooth)| smooth);
        Readout {
            state,
            quantity,
            child,
            row,
            is_beyond: child > extent.last(),
            episode,
            smooth,
            quartiles: children.quartiles_of(episode),
            controls: series::control_means(children)
                .find(|(of, _)| *of == episode)
                .map(|(_, mean)| mean),
            others: Vec::new(),
        }
    }

    /// The same, with the means of other runs at this child.
    pub fn beside(self, others: Vec<Reached>) -> Readout<'a> {
        Readout { others, ..self }
    }

    /// The child's values in `width` columns; the least important are left out first.
    pub fn child(&self, width: usize) -> Row {
        let Some(row) = self.row else {
            let reason = match self.is_beyond {
                true => "this run has fewer",
                false => "has not ended",
            };
            let waits = vec![(Role::Dim, reason.to_owned())];
            return join_ranked(vec![(0, self.number("child ")), (1, waits)], " ", width);
        };
        most(self.figures(row, false), self.figures(row, true), width)
    }

    /// The child's values with their ranks, with short or long labels.
    fn figures(&self, row: &ChildRow, short: bool) -> Vec<(usize, Row)> {
        let accuracy = match (row.accuracy, row.trouble()) {
            (Some(value), _) => (Role::Strong, format::accuracy(value)),
            (None, trouble) => (Role::Error, trouble.unwrap_or_default().to_owned()),
        };
        let smooth = self.smooth.map_or(Row::new(), |smooth| {
            labelled(
                if short { "smooth" } else { "smoothed" },
                Role::Text,
                value(self.quantity, smooth),
            )
        });
        vec![
            (0, self.number(if short { "#" } else { "child " })),
            (
                5,
                labelled(
                    if short { "ep." } else { "episode" },
                    Role::Text,
                    row.episode.to_string(),
                ),
            ),
            (
                1,
                labelled(
                    if short { "acc" } else { "accuracy" },
                    accuracy.0,
                    accuracy.1,
                ),
            ),
            (
                2,
                labelled(
                    "reward",
                    Role::Strong,
                    format::or_none(row.reward, format::reward),
                ),
            ),
            (3, smooth),
            (
                4,
                labelled(
                    if short { "params" } else { "parameters" },
                    Role::Text,
                    format::count(row.params),
                ),
            ),
        ]
    }

    fn number(&self, label: &str) -> Row {
        vec![(Role::Strong, format!("{label}{}", self.child))]
    }

    /// Its episode's mean, baseline and quartiles in `width` columns.
    pub fn episode(&self, width: usize) -> Row {
        let Readout {
            state,
            quantity,
            episode: number,
            ..
        } = *self;
        let of_episode = |(episode, _): &(usize, Option<f64>)| *episode == number;
        let finished = series::means(state, quantity).find(of_episode);
        let reference = series::reference_means(state, quantity).find(of_episode);
        let reference = reference.and_then(|(_, mean)| {
            let run = state.search().started.as_ref()?.comparable()?;
            Some((run.strategy.clone(), mean?))
        });
        let mut baselines = series::baselines(state);
        let baseline = baselines.find(|(episode, _)| *episode == number);
        let of = |short: bool| {
            let name = if short { "ep. " } else { "episode " };
            if self.is_beyond {
                return self.others(name);
            }
            let mut groups = vec![(0, words(Role::Strong, format!("{name}{number}")))];
            let mut add = |rank: usize, label: &str, text: Option<String>| {
                groups.extend(text.map(|text| (rank, labelled(label, Role::Text, text))));
            };
            let mean = finished.and_then(|(_, mean)| mean);
            add(
                1,
                "mean",
                Some(mean.map_or("not finished".to_owned(), |mean| value(quantity, mean))),
            );
            let controls = self.controls.map(|mean| value(quantity, mean));
            add(2, "controls", controls);
            let quartiles = self.quartiles.filter(|_| finished.is_some());
            let quartiles = quartiles.map(|[low, _, high]| {
                format!("{}..{}", value(quantity, low), value(quantity, high))
            });
            add(3, "quartiles", quartiles);
            let baseline = baseline.filter(|_| quantity == Quantity::Reward);
            add(
                4,
                if short { "base" } else { "baseline" },
                baseline.map(|(_, baseline)| format::reward(baseline)),
            );
            if let Some((strategy, mean)) = &reference {
                add(5, strategy, Some(value(quantity, *mean)));
            }
            groups.extend(self.others(name));
            groups
        };
        most(of(false), of(true), width)
    }

    /// The mean of the episode of each other run, which is named where it is not that of this run.
    fn others(&self, name: &str) -> Vec<(usize, Row)> {
        let own = Some(self.episode).filter(|_| !self.is_beyond);
        let group = |other: &Reached| {
            let number = others::number(other.place).to_owned();
            let mut row = vec![(Role::OtherRun(other.place), number)];
            if own != Some(other.episode) {
                row.push((Role::Dim, format!(" {name}{}", other.episode)));
            }
            row.push((Role::Text, format!(" {}", value(self.quantity, other.mean))));
            (2, row)
        };
        self.others.iter().map(group).collect()
    }
}

/// The long labels if all groups fit with them, otherwise the short ones.
fn most(long: Vec<(usize, Row)>, short: Vec<(usize, Row)>, width: usize) -> Row {
    let shown = long
        .iter()
        .map(|(_, row)| pieces_width(row))
        .filter(|columns| *columns > 0);
    let needed: usize = shown.map(|columns| columns + 2).sum();
    if needed <= width + 2 {
        join_ranked(long, "  ", width)
    } else {
        join_ranked(short, " ", width)
    }
}
