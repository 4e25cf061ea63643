//! A plot in characters: a frame of axes, a grid of dots, and the range of its horizontal axis. The
//! axes are shared with the figures of reports.

mod even;
mod even_log;
mod frame;
mod grid;
mod span;

pub use crate::foundation::axis::{ValueAxis, percent, plain, round_step};
pub use frame::{Frame, Framing, LabelRow, scaled};
pub use grid::{Dash, DotGrid, PlotSeries};
pub use span::Span;
