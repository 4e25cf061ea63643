//! A child's DNA while it is edited by hand, and the network that would result.

use crate::space::{
    Architecture, ArchitectureError, Cost, Dna, Head, LayerCost, Space, SpaceError, head_of,
};
use crate::state::ChildRow;
use crate::tui::panels::scroll::Scroll;

/// A DNA being edited: the original, the current version, and the value under the cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    original: Dna,
    dna: Dna,
    /// Index of the layer, from 0.
    layer: usize,
    value: usize,
}

/// The result of an edited DNA.
#[derive(Debug, Clone)]
pub struct Build {
    /// Costs of the layers before the first that cannot be built.
    pub layers: Vec<LayerCost>,
    /// The network and its costs, or why it cannot be built.
    pub network: Result<(Architecture, Cost), SpaceError>,
}

impl Draft {
    /// A draft of `dna`; `None` if it has no values.
    pub fn of(dna: &Dna) -> Option<Draft> {
        let sound = !dna.0.is_empty() && dna.0.iter().all(|gene| !gene.is_empty());
        sound.then(|| Draft {
            original: dna.clone(),
            dna: dna.clone(),
            layer: 0,
            value: 0,
        })
    }

    /// The child's DNA.
    pub fn original(&self) -> &Dna {
        &self.original
    }

    /// The DNA with its edits.
    pub fn dna(&self) -> &Dna {
        &self.dna
    }

    /// Indices (from 0) of the layer and value under the cursor.
    pub fn cursor(&self) -> (usize, usize) {
        (self.layer, self.value)
    }

    /// Whether any value has been changed.
    pub fn is_edited(&self) -> bool {
        self.dna != self.original
    }

    /// Whether a value has been changed.
    pub fn differs(&self, layer: usize, value: usize) -> bool {
        let of = |dna: &Dna| dna.0.get(layer).and_then(|gene| gene.get(value)).copied();
        of(&self.dna) != of(&self.original)
    }

    /// Move the cursor to another layer, with `page` layers to a page; it stays on the table.
    pub fn scroll(&mut self, scroll: Scroll, page: usize) {
        self.go_to(scroll.among(self.layer, page, self.dna.0.len() - 1));
    }

    /// Move the cursor to a layer, or to the last one.
    pub fn go_to(&mut self, layer: usize) {
        self.layer = layer.min(self.dna.0.len() - 1);
        self.move_sideways(0);
    }

    /// Move the cursor to another value of its layer.
    pub fn move_sideways(&mut self, values: isize) {
        let last = self.dna.0[self.layer].len() - 1;
        self.value = self.value.saturating_add_signed(values).min(last);
    }

    /// Set the value under the cursor to the next larger (or smaller) option of its head. False if
    /// there is none.
    pub fn step(&mut self, heads: &[Head], larger: bool) -> bool {
        let current = self.current();
        let choices = || {
            head_of(heads, self.value)
                .into_iter()
                .flat_map(|(head, _)| head.options.iter().copied())
        };
        let next = if larger {
            choices().filter(|choice| *choice > current).min()
        } else {
            choices().filter(|choice| *choice < current).max()
        };
        if let Some(next) = next {
            self.dna.0[self.layer][self.value] = next;
        }
        next.is_some()
    }

    /// The value under the cursor.
    pub fn current(&self) -> u32 {
        self.dna.0[self.layer][self.value]
    }

    /// Undo all edits; the cursor stays in place.
    pub fn reset(&mut self) {
        self.dna = self.original.clone();
    }

    /// The DNA with another value under the cursor.
    pub fn with(&self, value: u32) -> Dna {
        let mut dna = self.dna.clone();
        dna.0[self.layer][self.value] = value;
        dna
    }

    /// The first child with exactly this DNA.
    pub fn twin<'a>(&self, rows: &'a [ChildRow]) -> Option<&'a ChildRow> {
        let genes = (&self.dna).into();
        rows.iter().find(|row| row.genes == genes)
    }
}

impl Build {
    /// Build `dna` in `space`, as far as possible.
    pub fn of(dna: &Dna, space: &Space) -> Build {
        let network = build(dna, space);
        let layers = match &network {
            Ok((_, cost)) => cost.layers.clone(),
            Err(_) => (1..dna.depth())
                .rev()
                .find_map(|depth| build(&Dna(dna.0[..depth].to_vec()), space).ok())
                .map_or_else(Vec::new, |(_, cost)| cost.layers),
        };
        Build { layers, network }
    }

    /// Index (from 0) of the layer that cannot be built.
    pub fn failing_layer(&self) -> Option<usize> {
        self.network.is_err().then_some(self.layers.len())
    }

    /// Why it cannot be built, in words.
    pub fn problem(&self) -> Option<String> {
        let error = self.network.as_ref().err()?;
        Some(match error {
            SpaceError::Architecture(ArchitectureError::KernelTooLarge {
                layer,
                kernel,
                input,
                padded,
            }) => {
                let by = |[height, width]: [usize; 2]| format!("{height}x{width}");
                let padding = if input == padded {
                    String::new()
                } else {
                    format!(", padded to {}", by(*padded))
                };
                format!(
                    "layer {layer} cannot be built: its {} kernel meets {}{padding}",
                    by(*kernel),
                    by(*input)
                )
            }
            error => error.to_string(),
        })
    }
}

fn build(dna: &Dna, space: &Space) -> Result<(Architecture, Cost), SpaceError> {
    let architecture = space.network(dna, "edited")?;
    let cost = Cost::of(&architecture)?;
    Ok((architecture, cost))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Decode;
    use crate::space::decode::{FILTERS, KERNEL, KERNEL_HEIGHT, KERNEL_WIDTH, PADDING, STRIDE};
    use crate::space::paper::SKIP;

    fn heads() -> Vec<Head> {
        let head = |kind, options: &[u32]| Head {
            kind,
            options: options.to_vec(),
        };
        vec![
            head(KERNEL, &[1, 7, 3]),
            head(FILTERS, &[8, 16]),
            head(STRIDE, &[1, 2]),
            head(PADDING, &[0, 1]),
        ]
    }

    fn space() -> Space {
        Space::restore(heads(), Decode::Literal, [1, 8, 8], 4).unwrap()
    }

    fn draft() -> Draft {
        Draft::of(&Dna(vec![
            vec![3, 8, 2, 1],
            vec![3, 8, 2, 1],
            vec![1, 8, 1, 0],
        ]))
        .unwrap()
    }

    #[test]
    fn a_value_steps_through_the_options_by_size_and_stops_at_the_ends() {
        let mut draft = draft();
        assert!(draft.step(&heads(), true));
        assert_eq!((draft.current(), draft.step(&heads(), true)), (7, false));
        assert!(draft.step(&heads(), false) && draft.step(&heads(), false));
        assert_eq!((draft.current(), draft.step(&heads(), false)), (1, false));
    }

    #[test]
    fn a_value_that_is_not_an_option_steps_to_the_nearest_one() {
        let mut draft = Draft::of(&Dna(vec![vec![5, 8, 1, 1]])).unwrap();
        draft.step(&heads(), false);
        assert_eq!(draft.current(), 3);
    }

    #[test]
    fn a_connection_can_be_removed() {
        let head = |kind, options: &[u32]| Head {
            kind,
            options: options.to_vec(),
        };
        let heads = vec![
            head(KERNEL_HEIGHT, &[1, 3]),
            head(KERNEL_WIDTH, &[1, 3]),
            head(FILTERS, &[8, 16]),
            head(SKIP, &[0, 1]),
        ];
        let space = Space::restore(heads.clone(), Decode::Literal, [1, 8, 8], 4).unwrap();
        let genes = vec![vec![3, 3, 8], vec![3, 3, 8, 1], vec![3, 3, 8, 0, 1]];
        let mut draft = Draft::of(&Dna(genes)).unwrap();
        draft.scroll(Scroll::By(1), 1);
        draft.move_sideways(9);
        assert!(draft.step(&heads, false));
        let network = space.network(draft.dna(), "x").unwrap();
        assert_eq!(
            (network.layers[1].inputs.as_slice(), network.output),
            (&[0][..], vec![1, 3])
        );
        // The cursor stays within the gene of a layer with fewer connections.
        draft.scroll(Scroll::By(-1), 1);
        assert_eq!(draft.cursor(), (0, 2));
    }

    #[test]
    fn an_edit_is_recognised_until_it_is_undone() {
        let mut draft = draft();
        draft.scroll(Scroll::By(1), 1);
        draft.move_sideways(1);
        draft.step(&heads(), true);
        assert!(draft.is_edited() && draft.differs(1, 1) && !draft.differs(0, 1));
        draft.reset();
        assert!(!draft.is_edited());
    }

    #[test]
    fn a_dna_that_cannot_be_built_names_the_layer_and_the_reason_and_keeps_the_shapes_before_it() {
        let mut draft = draft();
        draft.scroll(Scroll::By(2), 1);
        draft.step(&heads(), true);
        draft.step(&heads(), true);
        let outcome = Build::of(draft.dna(), &space());
        assert_eq!(
            (outcome.failing_layer(), outcome.layers.len()),
            (Some(2), 2)
        );
        assert_eq!(
            outcome.problem().unwrap(),
            "layer 3 cannot be built: its 7x7 kernel meets 2x2"
        );
    }

    proptest! {
        #[test]
        fn no_edit_panics_and_every_value_remains_an_option(steps in proptest::collection::vec((-2isize..3, -2isize..3, any::<bool>()), 0..60)) {
            let (mut draft, heads, space) = (draft(), heads(), space());
            for (layers, values, larger) in steps {
                draft.scroll(Scroll::By(layers), 1);
                draft.move_sideways(values);
                draft.step(&heads, larger);
                let outcome = Build::of(draft.dna(), &space);
                prop_assert_eq!(outcome.problem().is_some(), outcome.failing_layer().is_some());
                prop_assert!(outcome.layers.len() <= draft.dna().depth());
            }
            for gene in &draft.dna().0 {
                prop_assert!(gene.iter().zip(&heads).all(|(value, head)| head.options.contains(value)));
            }
        }
    }
}
