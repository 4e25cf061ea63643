//! The findings as plain data, fit to be pasted into an issue: no text names a user, a host or a
//! path.

use serde::Serialize;

use super::environment::Environment;
use super::task::{Numbers, ProbeForm};
use crate::evaluate::throughput::Rate;
use crate::foundation::device::Device;
use crate::foundation::fault;

/// Maximum length of a reason; its beginning tells enough.
const LONGEST_REASON: usize = 400;

/// The results of all checks.
#[derive(Debug, Clone, Serialize)]
pub struct SelftestReport {
    /// Whether no check has failed.
    pub passed: bool,
    /// Duration in seconds.
    pub seconds: f64,
    /// What the figures depend on.
    pub environment: Environment,
    /// The CPU, then each GPU.
    pub devices: Vec<DeviceReport>,
}

/// The results of the checks on one device.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceReport {
    /// The device.
    pub device: Device,
    /// Its model.
    pub model: String,
    /// Whether it computes the same as the CPU.
    pub agreement: Vec<Agreement>,
    /// How fast it trains.
    pub speed: Vec<Speed>,
    /// The number of workers that is fastest.
    pub workers: WorkersCheck,
    /// How quickly training on it pauses.
    pub pause: PauseCheck,
    /// Whether training continues after running out of memory.
    pub out_of_memory: OutOfMemory,
    /// Whether NVML and CUDA mean the same GPU.
    pub numbering: Numbering,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum CheckOutcome {
    /// As it should be.
    Passed,
    /// Not as it should be, for this reason.
    Failed(String),
    /// Not applicable, for this reason.
    Skipped(String),
}

/// Losses of a few training steps, compared with those of the CPU.
#[derive(Debug, Clone, Serialize)]
pub struct Agreement {
    /// What was computed, and how.
    #[serde(flatten)]
    pub form: ProbeForm,
    /// The device's losses, one per step.
    pub losses: Vec<f64>,
    /// The CPU's losses.
    pub reference: Vec<f64>,
    /// Largest relative difference of two losses; `None` if they are not available.
    pub difference: Option<f64>,
    /// Largest difference attributed to rounding.
    pub tolerance: f64,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

/// Training images per second.
#[derive(Debug, Clone, Serialize)]
pub struct Speed {
    /// What was computed, and how.
    #[serde(flatten)]
    pub form: ProbeForm,
    /// Number of images in a batch.
    pub batch: usize,
    /// The measured rate.
    pub images_per_second: Option<f64>,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

/// Small children trained per hour, by number of workers on the device.
#[derive(Debug, Clone, Serialize)]
pub struct WorkersCheck {
    /// Children per hour by number of workers.
    pub rates: Vec<Rate>,
    /// The best number of workers.
    pub best: Option<usize>,
    /// Whether the best number was saved in the cache folder for `workers.count = "auto"`.
    pub kept: bool,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

/// Time from the request until every worker has paused in the middle of training.
#[derive(Debug, Clone, Serialize)]
pub struct PauseCheck {
    /// Number of workers.
    pub workers: usize,
    /// Number of pauses measured.
    pub pauses: usize,
    /// Median time, in seconds.
    pub median_seconds: Option<f64>,
    /// Longest time, in seconds.
    pub worst_seconds: Option<f64>,
    /// Maximum time allowed, in seconds.
    pub limit_seconds: f64,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

/// A batch that was too large on purpose, and the step after it.
#[derive(Debug, Clone, Serialize)]
pub struct OutOfMemory {
    /// Bytes of the tensor that did not fit.
    pub asked_bytes: Option<u64>,
    /// Bytes available.
    pub limit_bytes: Option<u64>,
    /// The error of libtorch.
    pub error: Option<String>,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

/// Whether NVML and libtorch mean the same GPU by the same number.
#[derive(Debug, Clone, Serialize)]
pub struct Numbering {
    /// PCI bus id according to CUDA.
    pub cuda_bus: Option<String>,
    /// PCI bus id according to NVML.
    pub nvml_bus: Option<String>,
    /// The result of the check.
    #[serde(flatten)]
    pub verdict: CheckOutcome,
}

impl DeviceReport {
    /// Every check's verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = &CheckOutcome> {
        let single = [
            &self.workers.verdict,
            &self.pause.verdict,
            &self.out_of_memory.verdict,
            &self.numbering.verdict,
        ];
        let agreement = self.agreement.iter().map(|agreement| &agreement.verdict);
        agreement
            .chain(self.speed.iter().map(|speed| &speed.verdict))
            .chain(single)
    }

    /// Whether no check has failed.
    pub fn passed(&self) -> bool {
        !self
            .verdicts()
            .any(|verdict| matches!(verdict, CheckOutcome::Failed(_)))
    }
}

impl CheckOutcome {
    /// A failure: its reason without stack frames, advice for libtorch's developers, and paths of
    /// this machine.
    pub fn failed(reason: &str) -> CheckOutcome {
        let words = fault::in_words(reason);
        let end = words.find(" Search for `").unwrap_or(words.len());
        CheckOutcome::Failed(
            without_paths(&words[..end])
                .chars()
                .take(LONGEST_REASON)
                .collect(),
        )
    }

    /// A check that is not applicable, for this reason.
    pub fn skipped(reason: &str) -> CheckOutcome {
        CheckOutcome::Skipped(reason.to_owned())
    }
}

impl Numbers {
    /// Largest relative difference allowed between losses and those of the CPU, over the first
    /// steps.
    ///
    /// In f32 only the order of sums and the convolution algorithm differ. On a CPU the small
    /// child's second loss differs by 1.7e-5 between 1, 2 and 3 threads and the fourth by 2.9e-4:
    /// hence only two steps, and a factor of ten. TF32 rounds the factors of a product to 10 bits
    /// (5e-4), bf16 rounds them and the activations to 7 (4e-3); a loss is a mean over many of
    /// these roundings, and bf16 differed by 5e-4 on a CPU. The limits leave a factor of ten, and
    /// are smaller than the effect of another seed (1e-2).
    pub fn tolerance(self) -> f64 {
        match self {
            Numbers::F32 => 2e-4,
            Numbers::Tf32 => 2e-3,
            Numbers::Bf16 => 5e-3,
        }
    }
}

/// `text` with every absolute path reduced to its last part.
pub fn without_paths(text: &str) -> String {
    let shortened = |word: &str| {
        let start = word
            .find('/')
            .filter(|&start| word[start + 1..].contains('/'))?;
        // Relative paths do not identify this machine; `//` is not a path either.
        let before = word[..start].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '.' || letter == ':') {
            return None;
        }
        Some(format!(
            "{}.../{}",
            &word[..start],
            word.rsplit('/').next().unwrap_or_default()
        ))
    };
    text.split(' ')
        .map(|word| shortened(word).unwrap_or_else(|| word.to_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_part_of_a_path_is_kept() {
        let text = "cannot open (/opt/x/data/x.bin): 1/2 images/s, see /a/b";
        assert_eq!(
            without_paths(text),
            "cannot open (.../x.bin): 1/2 images/s, see .../b"
        );
    }

    #[test]
    fn a_reason_is_written_for_users_not_for_libtorchs_developers() {
        let text = "Internal torch error: CUDA error: no kernel image\nSearch for `cudaErrorX' in https://a.b/c for more information.\n\
                    CUDA kernel errors might be asynchronously reported\nException raised from f at /a/b.cpp:1\nframe #0: g";
        assert_eq!(
            CheckOutcome::failed(text),
            CheckOutcome::Failed("CUDA error: no kernel image".to_owned())
        );
    }

    #[test]
    fn a_device_passes_unless_a_check_has_failed() {
        let skipped = || CheckOutcome::skipped("no GPU");
        let report = |verdict| DeviceReport {
            device: Device::Cpu,
            model: "x".to_owned(),
            agreement: Vec::new(),
            speed: Vec::new(),
            workers: WorkersCheck {
                rates: Vec::new(),
                best: None,
                kept: false,
                verdict: skipped(),
            },
            pause: PauseCheck {
                workers: 1,
                pauses: 0,
                median_seconds: None,
                worst_seconds: None,
                limit_seconds: 1.0,
                verdict: CheckOutcome::Passed,
            },
            out_of_memory: OutOfMemory {
                asked_bytes: None,
                limit_bytes: None,
                error: None,
                verdict,
            },
            numbering: Numbering {
                cuda_bus: None,
                nvml_bus: None,
                verdict: skipped(),
            },
        };
        assert!(
            report(CheckOutcome::Passed).passed()
                && !report(CheckOutcome::failed("it crashed")).passed()
        );
    }
}
