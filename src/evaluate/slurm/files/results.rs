//! Results of children: what is in them, and which can be believed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::config::ChildConfig;
use crate::evaluate::ChildJob;
use crate::foundation::hash::fnv;
use crate::foundation::input;
use crate::reward::Outcome;

/// The result of a child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultFile {
    /// Version of these files.
    pub v: u32,
    /// Number of the child.
    pub child: u64,
    /// [`digest`] of what was trained.
    pub digest: String,
    /// Name of the attempt that trained it.
    pub attempt: String,
    /// Where it was trained.
    pub node: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// Duration in seconds, excluding pauses.
    pub seconds: f64,
    /// Energy used for it, in watt-hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<f64>,
}

/// A mark of everything that a child's outcome depends on, so that no result of other settings is
/// taken for its own.
pub fn digest(job: &ChildJob, child: &ChildConfig, fingerprint: &str) -> io::Result<String> {
    let text = serde_json::to_string(&(job, child, fingerprint))?;
    Ok(format!("{:016x}", fnv(text.bytes())))
}

/// Read a result and check that it makes sense.
///
/// # Errors
/// If it cannot be read, or what it says is impossible.
pub fn read_result(path: &Path) -> io::Result<ResultFile> {
    let result: ResultFile = serde_json::from_str(&input::text(path, input::TEXT)?)?;
    let sound = |accuracy: &f64| (0.0..=1.0).contains(accuracy);
    let is_sound = match &result.outcome {
        Outcome::Trained { valid_accuracies } => {
            !valid_accuracies.is_empty() && valid_accuracies.iter().all(sound)
        }
        Outcome::Failed { .. } | Outcome::Excluded { .. } => true,
    };
    let seconds = result.seconds.is_finite() && result.seconds >= 0.0;
    let energy = result
        .energy_wh
        .is_none_or(|energy| energy.is_finite() && energy >= 0.0);
    match is_sound && seconds && energy && result.v == VERSION {
        true => Ok(result),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it contains impossible values",
        )),
    }
}

/// A random name, as of RFC 9562, version 4.
///
/// # Errors
/// If the system has no random numbers.
pub fn uuid() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-"))
}
