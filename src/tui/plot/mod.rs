//! Parts of a plot in characters: a grid of dots, and the axes that it shares with the figures of a
//! report.

mod grid;

pub use crate::foundation::axis::{Axis, LogAxis, ValueAxis, round_step};
pub use grid::{Dash, DotGrid, Series, braille};
