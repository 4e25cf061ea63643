//! `workers.count = "auto"` on a GPU: uses an earlier measurement or makes one now.

use std::path::Path;
use std::time::Duration;

use super::cache::{Cache, CacheKey};
use super::{COUNTS, MeasureError, Throughput, WorkerTrial, crew, usual_place};
use crate::child::libtorch;
use crate::event::Level;
use crate::foundation::device::Device;
use crate::foundation::host::cores;
use crate::foundation::numbers::counted;
use crate::telemetry;

/// Measuring time for each number of workers.
const WINDOW: Duration = Duration::from_millis(1500);
/// Device memory that a worker may need before its first child if that has not been measured: for
/// libtorch's kernels and cuDNN's.
const WORKER: u64 = 1 << 30;

/// Decides how many workers share a GPU.
pub struct Automatic<'a> {
    /// This program.
    pub program: &'a Path,
    /// Estimated maximum device memory for training one child, in bytes.
    pub child_bytes: u64,
    /// Receives the results and any problems.
    pub log: &'a dyn Fn(Level, String),
    /// Whether the measurement must end at once.
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Automatic<'_> {
    /// Number of workers for `device`: the fastest number that its free memory allows.
    pub fn workers(&self, device: Device) -> usize {
        let Some(throughput) = self.throughput(device) else {
            return 1;
        };
        let best = throughput.best();
        match self.fitting(device, &throughput) {
            Some(fitting) if fitting < best => {
                let text = format!(
                    "{device}: its free memory is enough for {fitting} of the {best} workers that would be fastest"
                );
                (self.log)(Level::Warning, text);
                fitting
            }
            _ => best,
        }
    }

    fn throughput(&self, device: Device) -> Option<Throughput> {
        let libtorch = libtorch::version_in_words();
        let key = CacheKey {
            model: crew::model_of(device),
            libtorch,
            cuda: crew::cuda_of(device),
            cores: cores(),
        };
        let cache = usual_place().map(Cache::at);
        match cache.as_ref().map(|cache| cache.find(&key)) {
            Some(Ok(Some(kept))) => {
                let day = kept.measured.strftime("%Y-%m-%d");
                let count = counted(kept.best() as u64, "worker");
                let text = format!("{device}: {count}, as measured on {day} for {}", key.model);
                (self.log)(Level::Info, text);
                return Some(kept);
            }
            Some(Err(error)) => (self.log)(
                Level::Warning,
                format!("{error}: earlier measurements are lost"),
            ),
            Some(Ok(None)) | None => {}
        }
        (self.log)(
            Level::Info,
            format!(
                "measuring how many workers are fastest on {device} ({}): this takes some seconds",
                key.model
            ),
        );
        let measured = match self.measure(device) {
            Ok(measured) => measured,
            Err(MeasureError::Interrupted) => return None,
            Err(MeasureError::Failed(reason)) => {
                let text = format!(
                    "{device}: how many workers are fastest could not be measured ({reason}): using one; set workers.count"
                );
                (self.log)(Level::Warning, text);
                return None;
            }
        };
        let (model, words, best) = (&measured.model, measured.in_words(), measured.best());
        let best = counted(best as u64, "worker");
        (self.log)(
            Level::Info,
            format!("{device}: measured on {model}, children per hour: {words}; so {best}"),
        );
        if let Some(Err(error)) = cache.map(|cache| cache.keep(&measured)) {
            (self.log)(
                Level::Warning,
                format!("the measurement could not be saved for the next run: {error}"),
            );
        }
        Some(measured)
    }

    fn measure(&self, device: Device) -> Result<Throughput, MeasureError> {
        let counts = counts(device);
        let most = counts.last().copied().unwrap_or(1);
        WorkerTrial::start(self.program, device, most, self.interrupted)?.throughput(
            &counts,
            WINDOW,
            |_| {},
        )
    }

    /// Number of workers that fit in the free memory of `device`; `None` if unknown.
    fn fitting(&self, device: Device, throughput: &Throughput) -> Option<usize> {
        let each = throughput
            .worker_bytes
            .unwrap_or(WORKER)
            .saturating_add(self.child_bytes)
            .max(1);
        Some(
            usize::try_from(free(device)? / each)
                .unwrap_or(usize::MAX)
                .max(1),
        )
    }
}

/// Numbers of workers to compare on `device`: on a GPU as many as fit in its free memory, on the
/// CPU up to one per core.
pub fn counts(device: Device) -> Vec<usize> {
    let most = match device {
        Device::Cpu => cores(),
        Device::Cuda(_) => free(device).map_or(usize::MAX, |free| {
            usize::try_from(free / WORKER).unwrap_or(usize::MAX).max(1)
        }),
    };
    let mut counts: Vec<usize> = COUNTS.into_iter().filter(|&count| count <= most).collect();
    if device == Device::Cpu && counts.last().is_some_and(|&last| last < most) {
        counts.push(most);
    }
    counts
}

fn free(device: Device) -> Option<u64> {
    match device {
        Device::Cpu => None,
        Device::Cuda(number) => telemetry::cuda::memory(number).map(|(free, _)| free),
    }
}
