//! The best number of workers per device: measured with real workers, stored in the cache folder.

mod automatic;
mod cache;
mod crew;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use automatic::{Automatic, counts};
pub use cache::Cache;
pub use crew::{WorkerTrial, model_of};

use super::local::WorkerSettings;
use super::placement::Placement;
use super::watch::Deadlines;
use crate::config::{Decode, Options, resolve};
use crate::foundation::device::Device;
use crate::foundation::numbers::{count, counted};
use crate::space::{Architecture, Dna, decode::CHAIN};

/// Numbers of workers that are compared on a device.
pub const COUNTS: [usize; 4] = [1, 2, 4, 8];

/// Additional workers must bring at least this factor, because each one takes memory.
const WORTH_IT: f64 = 1.03;

/// The rate at which workers train small children on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Model of the GPU or CPU.
    pub model: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// CUDA version that libtorch was built for; `None` on the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<String>,
    /// CPU cores of the machine, which supply a GPU with work.
    pub cores: usize,
    /// Time of the measurement.
    pub measured: jiff::Timestamp,
    /// Ascending by number of workers.
    pub rates: Vec<Rate>,
    /// Device memory used by one worker before its first child, in bytes; `None` if NVML does not
    /// report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_bytes: Option<u64>,
}

/// Children per hour with this many workers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Number of workers.
    pub workers: usize,
    /// Children that they train per hour, all together.
    pub children_per_hour: f64,
}

impl Throughput {
    /// The smallest number of workers within 3 % of the fastest.
    pub fn best(&self) -> usize {
        let most = self
            .rates
            .iter()
            .map(|rate| rate.children_per_hour)
            .fold(0.0, f64::max);
        self.rates
            .iter()
            .find(|rate| rate.children_per_hour * WORTH_IT >= most)
            .map_or(1, |rate| rate.workers)
    }

    /// `1 worker 5,100, 2 workers 9,800`: children per hour, for use in a sentence.
    pub fn in_words(&self) -> String {
        let rate = |rate: &Rate| {
            format!(
                "{} {}",
                counted(rate.workers as u64, "worker"),
                count(rate.children_per_hour.round() as u64)
            )
        };
        self.rates.iter().map(rate).collect::<Vec<_>>().join(", ")
    }
}

/// Why a measurement failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// The measurement was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// A worker could not train, for this reason.
    #[error("{0}")]
    Failed(String),
}

/// The child used to measure a device: six layers from the space of the preset `demo`, for its
/// images.
///
/// # Errors
/// Never, unless the space's rules change.
pub fn small_child() -> Result<Architecture, MeasureError> {
    const GENES: [[u32; 4]; 6] = [
        [3, 8, 1, 1],
        [3, 8, 2, 1],
        [5, 8, 1, 2],
        [3, 8, 1, 1],
        [3, 8, 2, 1],
        [3, 8, 1, 1],
    ];
    let dna = Dna(GENES.map(|gene| gene.to_vec()).into());
    CHAIN
        .network(Decode::Literal, &dna, "small-child", [1, 28, 28], 10)
        .map_err(|error| MeasureError::Failed(error.to_string()))
}

/// Settings for workers on `device` that train as in the preset `demo`: the embedded images, two
/// epochs per child.
///
/// # Errors
/// Never, unless the preset is broken.
pub fn settings(
    device: Device,
    workers: usize,
    threads: usize,
) -> Result<WorkerSettings, MeasureError> {
    let demo =
        resolve(&Options::default()).map_err(|error| MeasureError::Failed(error.to_string()))?;
    let placement = Placement {
        devices: vec![device; workers],
        threads,
    };
    Ok(WorkerSettings {
        data: demo.data,
        child: demo.child,
        placement,
        sample: None,
        checkpoints: None,
        deadlines: Deadlines::default(),
    })
}

/// The default path for stored measurements; `None` without a home folder.
pub fn usual_place() -> Option<PathBuf> {
    crate::data::source::cache_home().map(|folder| folder.join("throughput.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn throughput(model: &str, rates: &[(usize, f64)]) -> Throughput {
        Throughput {
            model: model.to_owned(),
            libtorch: "2.11.0".to_owned(),
            cuda: Some("13.0".to_owned()),
            cores: 16,
            measured: jiff::Timestamp::UNIX_EPOCH,
            rates: rates
                .iter()
                .map(|&(workers, children_per_hour)| Rate {
                    workers,
                    children_per_hour,
                })
                .collect(),
            worker_bytes: None,
        }
    }

    #[test]
    fn the_best_number_is_the_smallest_that_is_about_as_fast_as_any() {
        assert_eq!(
            throughput("x", &[(1, 100.0), (2, 190.0), (4, 300.0), (8, 305.0)]).best(),
            4
        );
        assert_eq!(throughput("x", &[(1, 100.0), (2, 80.0)]).best(), 1);
        assert_eq!(
            throughput("x", &[(1, 100.0), (2, 190.0), (4, 300.0), (8, 320.0)]).best(),
            8
        );
        assert_eq!(throughput("x", &[]).best(), 1);
    }

    #[test]
    fn the_small_child_could_come_from_the_demo_search() {
        let child = small_child().unwrap();
        let demo = resolve(&Options::default()).unwrap();
        assert_eq!(
            (child.layers.len(), child.input),
            (demo.search.initial_depth, [1, 28, 28])
        );
        for layer in &child.layers {
            assert!(
                demo.space.kernels.contains(&(layer.kernel[0] as u32))
                    && demo.space.filters.contains(&(layer.filters as u32))
            );
        }
    }
}
