//! Anchor points: how the controller decides skip connections (paper, section 3.3).
//!
//! `P(layer j is an input of layer i) = sigmoid(v^T tanh(W_prev h_j + W_curr h_i))`, where `h_j` is
//! the LSTM's top hidden state at the anchor point of layer `j`. The paper leaves some details
//! open. Here an anchor point is the last step of its layer, and its input is the layer's last
//! choice; the input of the next step is the mean of the hidden states at the anchors of the chosen
//! layers, or a learned vector if none is chosen.

use tch::{Kind, Tensor};

use super::policy::KIND;

/// The parameters that compare two layers.
#[derive(Debug)]
pub(super) struct Anchor {
    /// `W_prev`, `[H, H]`
    previous: Tensor,
    /// `W_curr`, `[H, H]`
    current: Tensor,
    /// `v`, `[1, H]`
    vector: Tensor,
}

impl Anchor {
    pub fn new(hidden: i64, uniform: &mut impl FnMut(&[i64]) -> Tensor) -> Anchor {
        Anchor {
            previous: uniform(&[hidden, hidden]),
            current: uniform(&[hidden, hidden]),
            vector: uniform(&[1, hidden]),
        }
    }

    /// Every parameter with its name in PyTorch.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        [
            ("w_prev.weight", &self.previous),
            ("w_curr.weight", &self.current),
            ("v.weight", &self.vector),
        ]
        .into_iter()
    }

    /// Logits `[N, 2]` of no and yes, with 0 for no, so that their softmax is the sigmoid.
    /// `earlier` and `current` are the hidden states `[N, H]` at the anchors of the two layers.
    pub fn logits(&self, earlier: &Tensor, current: &Tensor) -> Tensor {
        let none = None::<&Tensor>;
        let mixed = earlier.linear(&self.previous, none) + current.linear(&self.current, none);
        let yes = mixed.tanh().linear(&self.vector, none);
        Tensor::cat(&[yes.zeros_like(), yes], 1)
    }
}

/// The LSTM's input after the anchor of layer `i`, `[B, H]`: for each child the mean of the hidden
/// states at the chosen layers' anchors, or `nothing`, `[1, H]`, if none is chosen. `taken` is `[B,
/// i - 1]` of zeros and ones; `anchors` are the states `[B, H]` of layers 1 to `i - 1`.
pub(super) fn after_anchor(taken: &Tensor, anchors: &[&Tensor], nothing: &Tensor) -> Tensor {
    let children = taken.size()[0];
    if anchors.is_empty() {
        return nothing.expand([children, -1], false);
    }
    let number = taken.sum_dim_intlist(1, true, None::<Kind>);
    let share = (taken / number.clamp_min(1.0)).unsqueeze(1);
    let mean = share.bmm(&Tensor::stack(anchors, 1)).squeeze_dim(1);
    let is_nothing = number.eq(0.0).to_kind(KIND);
    mean + is_nothing * nothing
}
