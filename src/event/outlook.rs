//! What the children of a search will cost, as far as the space tells before any is trained.

use serde::{Deserialize, Serialize};

/// What the children of a search will cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostOutlook {
    /// Depths of the search in ascending order, from the first to the last; not every one if there
    /// are many.
    pub depths: Vec<DepthCost>,
    /// Multiply-accumulates for one image of the costliest child found, or their limit.
    pub largest_macs: u64,
}

/// What uniform children of one depth cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DepthCost {
    /// Number of layers.
    pub depth: usize,
    /// Number of the first child that has it, from 1.
    pub first_child: u64,
    /// Mean multiply-accumulates for one image of children drawn uniformly.
    pub macs: u64,
}

impl CostOutlook {
    /// Number of layers of a child, by its number: a depth holds until the next one begins.
    pub fn depth_of(&self, child: f64) -> Option<f64> {
        let mut depths = self.depths.iter().rev();
        let here = depths.find(|at| at.first_child as f64 <= child);
        here.map(|at| at.depth as f64)
    }

    /// Mean multiply-accumulates of uniform children of a depth.
    pub fn macs_at(&self, depth: f64) -> Option<f64> {
        let known = (self.depths.iter()).map(|at| (at.depth as f64, at.macs as f64));
        interpolated(known, depth)
    }
}

/// The value at `x` between points in ascending order; beyond them that of the first or last.
fn interpolated(points: impl Iterator<Item = (f64, f64)> + Clone, x: f64) -> Option<f64> {
    let above = points.clone().find(|(at, _)| *at >= x);
    let below = points.filter(|(at, _)| *at <= x).last();
    match (below, above) {
        (Some((from, low)), Some((to, high))) if to > from => {
            Some(low + (high - low) * (x - from) / (to - from))
        }
        (below, above) => below.or(above).map(|(_, value)| value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlook() -> CostOutlook {
        let at = |depth, first_child, macs| DepthCost {
            depth,
            first_child,
            macs,
        };
        CostOutlook {
            depths: vec![at(6, 1, 100), at(7, 17, 200), at(9, 49, 600)],
            largest_macs: 5_000,
        }
    }

    #[test]
    fn a_depth_holds_until_the_next_begins() {
        let depths = [1.0, 16.9, 17.0, 33.0, 49.0, 500.0].map(|child| outlook().depth_of(child));
        assert_eq!(depths, [6.0, 6.0, 7.0, 7.0, 9.0, 9.0].map(Some));
    }

    #[test]
    fn the_cost_of_a_depth_between_two_is_interpolated() {
        let costs = [2.0, 6.5, 8.0, 12.0].map(|depth| outlook().macs_at(depth));
        assert_eq!(costs, [100.0, 150.0, 400.0, 600.0].map(Some));
    }
}
