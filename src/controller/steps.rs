//! Which decisions are made at each step of the LSTM: one per step, except at an anchor point,
//! where all connections of a layer are decided.
//!
//! The decisions of a layer depend only on its number, so the steps of a shallower child are the
//! first steps of a deeper one.

use tch::Tensor;

use super::policy::KIND;
use crate::event::Choice;
use crate::strategy::Sample;

/// The steps of the deepest child of a batch.
pub(super) struct Steps {
    steps: Vec<LstmStep>,
    /// For each choice: its step and, for a connection, the earlier layer (from 1).
    choices: Vec<(usize, Option<usize>)>,
    /// For each layer: the step of its anchor. Empty in a space without skip connections.
    anchors: Vec<usize>,
}

/// One step of the LSTM.
#[derive(Debug, Clone, Copy)]
enum LstmStep {
    /// Position of the one choice that is made.
    Choice(usize),
    Anchor(AnchorStep),
}

/// The connections of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnchorStep {
    /// Number of the layer, from 1.
    pub layer: usize,
    /// Position of the first connection; there is one for each earlier layer.
    first: usize,
}

impl Steps {
    pub fn new(
        samples: &[&Sample],
        has_anchors: bool,
        is_connection: impl Fn(&Choice) -> bool,
    ) -> Steps {
        let deepest = samples.iter().max_by_key(|sample| sample.choices.len());
        let choices = deepest.map_or(&[][..], |sample| &sample.choices);
        let mut all = Steps {
            steps: Vec::with_capacity(choices.len()),
            choices: Vec::with_capacity(choices.len()),
            anchors: Vec::new(),
        };
        let mut place = 0;
        for layer in choices.chunk_by(|one, next| one.layer == next.layer) {
            let sizes = layer.iter().filter(|choice| !is_connection(choice)).count();
            for _ in 0..sizes {
                all.choices.push((all.steps.len(), None));
                all.steps.push(LstmStep::Choice(place));
                place += 1;
            }
            if has_anchors {
                let step = all.steps.len();
                all.anchors.push(step);
                all.steps.push(LstmStep::Anchor(AnchorStep {
                    layer: all.anchors.len(),
                    first: place,
                }));
                let connections = layer.len() - sizes;
                all.choices
                    .extend((1..=connections).map(|earlier| (step, Some(earlier))));
                place += connections;
            }
        }
        all
    }

    /// Number of steps.
    pub fn count(&self) -> usize {
        self.steps.len()
    }

    /// The step of the choice at position `place`.
    pub fn of_choice(&self, place: usize) -> usize {
        self.choices[place].0
    }

    /// The step of the anchor of the earlier layer that the connection at position `place` comes
    /// from.
    pub fn earlier(&self, place: usize) -> Option<usize> {
        self.choices[place].1.map(|layer| self.of_anchor(layer))
    }

    /// The step of a layer's anchor (from 1).
    pub fn of_anchor(&self, layer: usize) -> usize {
        self.anchors[layer - 1]
    }

    /// The choice made at a step; `None` at an anchor and after the child's end.
    pub fn choice_at<'a>(&self, step: usize, sample: &'a Sample) -> Option<&'a Choice> {
        match self.steps[step] {
            LstmStep::Choice(place) => sample.choices.get(place),
            LstmStep::Anchor(_) => None,
        }
    }

    /// The previous step, if it is an anchor.
    pub fn anchor_before(&self, step: usize) -> Option<AnchorStep> {
        match self.steps[step.checked_sub(1)?] {
            LstmStep::Choice(_) => None,
            LstmStep::Anchor(anchor) => Some(anchor),
        }
    }

    /// Which connections each child chose at an anchor, `[B, i - 1]` of zeros and ones.
    pub fn taken(&self, anchor: AnchorStep, samples: &[&Sample]) -> Tensor {
        let places = anchor.first..anchor.first + anchor.layer - 1;
        let width = places.len() as i64;
        let bits: Vec<f64> = samples
            .iter()
            .flat_map(|sample| {
                let choices = &sample.choices;
                let bit =
                    |place: usize| choices.get(place).map_or(0.0, |choice| choice.index as f64);
                places.clone().map(bit)
            })
            .collect();
        let bits = Tensor::from_slice(&bits).to_kind(KIND);
        bits.reshape([samples.len() as i64, width])
    }
}
