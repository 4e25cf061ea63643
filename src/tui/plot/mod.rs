//! A plot in characters: a frame of axes, a grid of dots that it shows, and what is counted along
//! it. The axes are those of a report's figures too.

mod frame;
mod grid;
mod span;

pub use crate::foundation::axis::{ValueAxis, percent, plain, round_step};
pub use frame::{Frame, Framing, LabelRow, scaled};
pub use grid::{Dash, DotGrid, Series};
pub use span::Span;
