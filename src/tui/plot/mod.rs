//! Parts of a plot in characters: a grid of dots, and axes with round values.

mod axis;
mod grid;

pub use axis::{Axis, LogAxis, ValueAxis, round_step};
pub use grid::{Dash, DotGrid, Series, braille};
