//! Which layers read the output of which others, found once for all passes: a network may have millions of
//! connections, and a pass asks for each layer.

use crate::space::Architecture;

/// The layers that read each layer, by layer number (0 is the image).
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// In order: the index of each layer that reads it, and where its channels begin among those that the
    /// reader reads.
    pub readers: Vec<Vec<(usize, i64)>>,
    /// The numbers of the layers whose first input it is.
    pub first_of: Vec<Vec<usize>>,
    /// Number of its channels.
    pub channels: Vec<i64>,
}

impl Connections {
    /// Those of `architecture`, which must be buildable.
    pub fn of(architecture: &Architecture) -> Connections {
        let channels = architecture.channels();
        let channels: Vec<i64> = channels.into_iter().map(|count| count as i64).collect();
        let mut readers = vec![Vec::new(); channels.len()];
        let mut first_of = vec![Vec::new(); channels.len()];
        for (index, layer) in architecture.layers.iter().enumerate() {
            let mut start = 0;
            for &input in &layer.inputs {
                readers[input].push((index, start));
                start += channels[input];
            }
            if let Some(&first) = layer.inputs.iter().min() {
                first_of[first].push(index + 1);
            }
        }
        Connections {
            readers,
            first_of,
            channels,
        }
    }
}

/// For each layer number, the last layer that reads it on a path to the classifier.
pub(super) fn last_readers(architecture: &Architecture) -> Vec<Option<usize>> {
    let classifier = architecture.layers.len() + 1;
    let mut last = vec![None; classifier];
    for &input in &architecture.output {
        last[input] = Some(classifier);
    }
    for (index, layer) in architecture.layers.iter().enumerate().rev() {
        if last[index + 1].is_some() {
            layer
                .inputs
                .iter()
                .for_each(|&input| last[input] = last[input].max(Some(index + 1)));
        }
    }
    last
}
