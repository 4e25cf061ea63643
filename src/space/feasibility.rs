//! Which options are feasible: a forward pass over the shapes of a child's maps.
//!
//! The output of a layer never shrinks when its inputs grow. So if any completion of a child
//! exists, then so does the one that takes the option leaving the most room (smallest kernel and
//! stride, largest padding) for everything undecided, and it is enough to follow that one to the
//! child's end. This is exact, and costs one step per layer, whatever the number of options.

use super::Space;

/// Size of a convolution's output along one axis; `None` if the kernel does not fit the padded
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

/// Smallest input (at least 1) for which [`output_size`] is at least `output` (from 1).
pub fn input_size(output: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    let padded = (output - 1).saturating_mul(stride).saturating_add(kernel);
    padded.saturating_sub(padding.saturating_mul(2)).max(1)
}

/// Shapes of the maps of a child's complete layers, and the roomiest genes of its open ones.
#[derive(Debug, Clone)]
pub struct Shapes {
    /// `[C, H, W]` of the image and of every complete layer.
    built: Vec<[usize; 3]>,
    /// By layer: the gene that leaves the most room.
    roomiest: Vec<Vec<u32>>,
}

impl Shapes {
    /// For a child of `depth` layers without any choices yet.
    pub fn new(space: &Space, depth: usize) -> Shapes {
        let gene = |layer: usize| {
            let heads = space.layer_heads(layer).into_iter();
            heads
                .map(|head| space.family().roomiest(&space.heads()[head]))
                .collect()
        };
        Shapes {
            built: vec![space.input()],
            roomiest: (1..=depth).map(gene).collect(),
        }
    }

    /// Whether the child can be completed if the next layer's gene starts with `decided`.
    pub fn fits(&self, space: &Space, decided: &[u32]) -> bool {
        let mut shapes = self.built.clone();
        let open = &self.roomiest[self.built.len() - 1..];
        open.iter().enumerate().all(|(index, roomiest)| {
            let mut gene = roomiest.clone();
            if index == 0 {
                gene[..decided.len()].copy_from_slice(decided);
            }
            let output = space.family().output(space.decoding(), &shapes, &gene);
            shapes.extend(output);
            output.is_some()
        })
    }

    /// Add a layer with this complete gene, which must fit.
    pub fn push(&mut self, space: &Space, gene: &[u32]) {
        let output = space.family().output(space.decoding(), &self.built, gene);
        self.built
            .push(output.expect("a feasible option has an output"));
    }
}
