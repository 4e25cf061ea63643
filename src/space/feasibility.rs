//! Which choices can still be built: how large a map the layers to come need.
//!
//! The output of a convolution, `(size + 2 padding - kernel) / stride + 1`, never shrinks when its
//! input or its padding grows or its kernel or stride shrinks. So if any completion of a child
//! exists, then the one that takes the smallest kernel, the smallest stride and the largest padding
//! for everything undecided exists too, and it is enough to ask what that one needs. This is exact,
//! and costs one step per layer, whatever the number of choices.

use super::decision::{Decision, DecisionKind};
use super::decode::{Expressed, Genome};

/// Size of a convolution's output along one axis; none where the kernel does not fit the padded
/// input.
pub fn output_size(size: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize> {
    let padded = size.saturating_add(padding.saturating_mul(2));
    Some(
        padded
            .checked_sub(kernel)?
            .checked_div(stride)?
            .saturating_add(1),
    )
}

/// Smallest input for which [`output_size`] is at least `output` (from 1), and at least 1.
fn input_size(output: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    let padded = (output - 1).saturating_mul(stride).saturating_add(kernel);
    padded.saturating_sub(padding.saturating_mul(2)).max(1)
}

/// Smallest `[height, width]` that each layer of a child must read, so that the layers after it can
/// be built.
#[derive(Debug, Clone)]
pub struct Requirements {
    genome: Genome,
    /// The gene that shrinks its input least.
    roomiest: Vec<u32>,
    /// By number of layers that follow: what they need to read. None at all need 1x1, for the
    /// classifier.
    after: Vec<[usize; 2]>,
}

impl Requirements {
    /// The requirements of children of `depth` layers.
    pub fn new(genome: Genome, decisions: &[Decision], depth: usize) -> Requirements {
        let roomiest = roomiest_gene(decisions);
        let layer = genome.express(&roomiest);
        let mut after = vec![[1, 1]];
        for remaining in 0..depth {
            after.push(layer_input(&layer, after[remaining]));
        }
        Requirements {
            genome,
            roomiest,
            after,
        }
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.after.len() - 1
    }

    /// What the first layer must read if everything is still undecided.
    pub fn of_network(&self) -> [usize; 2] {
        self.after[self.depth()]
    }

    /// What layer `layer` (from 1) must read once the first values of its gene are `decided`.
    pub fn of_layer(&self, layer: usize, decided: &[u32]) -> [usize; 2] {
        let mut gene = self.roomiest.clone();
        gene[..decided.len()].copy_from_slice(decided);
        layer_input(
            &self.genome.express(&gene),
            self.after[self.depth() - layer],
        )
    }

    /// The layer of the space that shrinks its input least.
    pub fn roomiest_layer(genome: Genome, decisions: &[Decision]) -> Expressed {
        genome.express(&roomiest_gene(decisions))
    }
}

fn layer_input(layer: &Expressed, output: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|axis| {
        input_size(
            output[axis],
            layer.kernel[axis],
            layer.stride[axis],
            layer.padding[axis],
        )
    })
}

fn roomiest_gene(decisions: &[Decision]) -> Vec<u32> {
    let roomiest = |decision: &Decision| {
        let choices = decision.choices.iter().copied();
        let choice = if decision.kind == DecisionKind::Padding {
            choices.max()
        } else {
            choices.min()
        };
        choice.expect("Space::new refuses empty lists")
    };
    decisions.iter().map(roomiest).collect()
}
