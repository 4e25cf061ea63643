//! What was found: plain data, fit to be pasted into an issue. No text in it names a user, a host
//! or a path.

use serde::Serialize;

use super::environment::Environment;
use super::task::{Form, Numbers};
use crate::evaluate::throughput::Rate;
use crate::foundation::device::Device;
use crate::foundation::fault;

/// Characters of a reason: the beginning says it.
const LONGEST_REASON: usize = 400;

/// What every check found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// No check has failed.
    pub passed: bool,
    /// How long it all took.
    pub seconds: f64,
    /// What the figures depend on.
    pub environment: Environment,
    /// The CPU, then each GPU.
    pub devices: Vec<DeviceReport>,
}

/// What the checks found on one device.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceReport {
    /// The device.
    pub device: Device,
    /// Its model.
    pub model: String,
    /// Whether it computes what the CPU computes.
    pub agreement: Vec<Agreement>,
    /// How fast it trains.
    pub speed: Vec<Speed>,
    /// How many workers it feeds best.
    pub workers: Workers,
    /// How soon training on it pauses.
    pub pause: Pause,
    /// Whether training goes on after its memory has run out.
    pub out_of_memory: OutOfMemory,
    /// Whether NVML and CUDA mean the same GPU.
    pub numbering: Numbering,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not as it should be: the reason.
    Failed(String),
    /// It means nothing here: why.
    Skipped(String),
}

/// Losses of a few training steps, compared with those of the CPU.
#[derive(Debug, Clone, Serialize)]
pub struct Agreement {
    /// What was computed, and how.
    #[serde(flatten)]
    pub form: Form,
    /// The device's losses, one for each step.
    pub losses: Vec<f64>,
    /// The CPU's.
    pub reference: Vec<f64>,
    /// Largest relative difference of two losses; `None` if they could not be had.
    pub difference: Option<f64>,
    /// Largest difference that is taken for rounding.
    pub tolerance: f64,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Training images per second.
#[derive(Debug, Clone, Serialize)]
pub struct Speed {
    /// What was computed, and how.
    #[serde(flatten)]
    pub form: Form,
    /// Images of a batch.
    pub batch: usize,
    /// What was measured.
    pub images_per_second: Option<f64>,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Small children per hour, by workers on the device.
#[derive(Debug, Clone, Serialize)]
pub struct Workers {
    /// Children an hour by number of workers.
    pub rates: Vec<Rate>,
    /// The number of workers that is best.
    pub best: Option<usize>,
    /// `workers.count = "auto"` will take the best number from the cache folder.
    pub kept: bool,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Time from the request until every worker stands still, in the middle of training.
#[derive(Debug, Clone, Serialize)]
pub struct Pause {
    /// Workers at work.
    pub workers: usize,
    /// Pauses that were measured.
    pub pauses: usize,
    /// Half of the pauses took at most this.
    pub median_seconds: Option<f64>,
    /// The longest pause.
    pub worst_seconds: Option<f64>,
    /// No pause may take longer.
    pub limit_seconds: f64,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A batch that was too large on purpose, and the step after it.
#[derive(Debug, Clone, Serialize)]
pub struct OutOfMemory {
    /// Bytes of the tensor that did not fit, and bytes that were there.
    pub asked_bytes: Option<u64>,
    /// Bytes that were there.
    pub limit_bytes: Option<u64>,
    /// What libtorch said.
    pub error: Option<String>,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether NVML's GPU of a number is libtorch's device of that number.
#[derive(Debug, Clone, Serialize)]
pub struct Numbering {
    /// Place on the PCI bus, as CUDA says.
    pub cuda_bus: Option<String>,
    /// Place on the PCI bus, as NVML says.
    pub nvml_bus: Option<String>,
    /// How it came out.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl DeviceReport {
    /// Every check's verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
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

    /// No check has failed.
    pub fn passed(&self) -> bool {
        !self
            .verdicts()
            .any(|verdict| matches!(verdict, Verdict::Failed(_)))
    }
}

impl Verdict {
    /// A failure: its reason without stack frames, advice for libtorch's developers, and paths of
    /// this machine.
    pub fn failed(reason: &str) -> Verdict {
        let words = fault::in_words(reason);
        let end = words.find(" Search for `").unwrap_or(words.len());
        Verdict::Failed(
            without_paths(&words[..end])
                .chars()
                .take(LONGEST_REASON)
                .collect(),
        )
    }

    /// A check that means nothing here, for this reason.
    pub fn skipped(reason: &str) -> Verdict {
        Verdict::Skipped(reason.to_owned())
    }
}

impl Numbers {
    /// How far losses may be from those of the CPU, relatively, over the first steps.
    ///
    /// In f32 only the order of sums differs, and the way that a convolution is computed. On a CPU
    /// the small child's second loss differs by 1.7e-5 between 1, 2 and 3 threads, the fourth by
    /// 2.9e-4: hence two steps alone, and a factor of ten. TF32 rounds the factors of a product to
    /// 10 bits (5e-4), bf16 to 7 and the activations with them (4e-3); a loss is a mean over many
    /// of these roundings, and bf16 was 5e-4 off on a CPU. The limits leave a factor of ten, and
    /// are less than what another seed changes (1e-2).
    pub fn tolerance(self) -> f64 {
        match self {
            Numbers::F32 => 2e-4,
            Numbers::Tf32 => 2e-3,
            Numbers::Bf16 => 5e-3,
        }
    }
}

/// `text` with nothing left of absolute paths but their last part.
pub fn without_paths(text: &str) -> String {
    let shortened = |word: &str| {
        let start = word
            .find('/')
            .filter(|&start| word[start + 1..].contains('/'))?;
        // What is relative is no path of this machine; `//` is not one either.
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
    fn a_path_keeps_its_last_part_alone() {
        let text = "cannot open (/opt/x/data/x.bin): 1/2 images/s, see /a/b";
        assert_eq!(
            without_paths(text),
            "cannot open (.../x.bin): 1/2 images/s, see .../b"
        );
    }

    #[test]
    fn a_reason_is_for_people_and_not_for_the_developers_of_libtorch() {
        let text = "Internal torch error: CUDA error: no kernel image\nSearch for `cudaErrorX' in https://a.b/c for more information.\n\
                    CUDA kernel errors might be asynchronously reported\nException raised from f at /a/b.cpp:1\nframe #0: g";
        assert_eq!(
            Verdict::failed(text),
            Verdict::Failed("CUDA error: no kernel image".to_owned())
        );
    }

    #[test]
    fn a_device_passes_unless_a_check_has_failed() {
        let skipped = || Verdict::skipped("no GPU");
        let report = |verdict| DeviceReport {
            device: Device::Cpu,
            model: "x".to_owned(),
            agreement: Vec::new(),
            speed: Vec::new(),
            workers: Workers {
                rates: Vec::new(),
                best: None,
                kept: false,
                verdict: skipped(),
            },
            pause: Pause {
                workers: 1,
                pauses: 0,
                median_seconds: None,
                worst_seconds: None,
                limit_seconds: 1.0,
                verdict: Verdict::Passed,
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
            report(Verdict::Passed).passed() && !report(Verdict::failed("it crashed")).passed()
        );
    }
}
