//! Anchor points: how the controller decides skip connections (paper, section 3.3).
//!
//! `P(layer j is an input of layer i) = sigmoid(v^T tanh(W_prev h_j + W_curr h_i))`, where `h_j` is
//! the LSTM's top hidden state at the anchor point of layer `j`. The paper leaves some details
//! open. Here an anchor point is the last step of its layer, and its input is the layer's last
//! choice; the input of the next step is the mean of the hidden states at the anchors of the chosen
//! layers, or a learned vector if none is chosen.

use super::linear::{add_derivatives, add_product, add_scaled, dot};
use super::parameters::Part;

/// The parameters that compare two layers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    /// `W_prev`, `[H, H]`
    pub previous: Part,
    /// `W_curr`, `[H, H]`
    pub current: Part,
    /// `v`, `[1, H]`
    pub vector: Part,
}

impl Anchor {
    /// Logits of no and yes, with 0 for no, so that their softmax is the sigmoid. `earlier` and
    /// `current` are the hidden states `[H]` at the anchors of the two layers.
    pub fn logits(&self, values: &[f64], earlier: &[f64], current: &[f64]) -> Vec<f64> {
        let mixed = self.mixed(values, earlier, current);
        vec![0.0, dot(self.vector.of(values), &mixed)]
    }

    /// `tanh(W_prev h_j + W_curr h_i)`
    fn mixed(&self, values: &[f64], earlier: &[f64], current: &[f64]) -> Vec<f64> {
        let mut mixed = vec![0.0; earlier.len()];
        add_product(&mut mixed, self.previous.of(values), earlier);
        add_product(&mut mixed, self.current.of(values), current);
        mixed.iter().map(|sum| sum.tanh()).collect()
    }

    /// The derivatives of the logit of yes, multiplied by `slope`: with respect to the parameters,
    /// added to `gradient`; and with respect to the two hidden states, returned.
    pub fn derivatives(
        &self,
        values: &[f64],
        slope: f64,
        [earlier, current]: [&[f64]; 2],
        gradient: &mut [f64],
    ) -> [Vec<f64>; 2] {
        let mixed = self.mixed(values, earlier, current);
        let vector = self.vector.of(values).iter();
        let of_sums = vector.zip(&mixed);
        let of_sums: Vec<f64> = of_sums
            .map(|(weight, mixed)| slope * weight * (1.0 - mixed * mixed))
            .collect();
        add_scaled(self.vector.of_mut(gradient), &mixed, slope);
        [(self.previous, earlier), (self.current, current)].map(|(matrix, hidden)| {
            let mut of_hidden = vec![0.0; hidden.len()];
            let of_matrix = matrix.of_mut(gradient);
            add_derivatives(
                &of_sums,
                (matrix.of(values), of_matrix),
                (hidden, &mut of_hidden),
            );
            of_hidden
        })
    }
}
