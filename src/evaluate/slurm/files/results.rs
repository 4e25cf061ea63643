//! Results of children: what is in them, and which can be believed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::config::ChildConfig;
use crate::evaluate::ChildJob;
use crate::evaluate::protocol::FromWorker;
use crate::evaluate::validity::{self, Assignment};
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
    /// Whether its training ended before the last epoch because a user asked for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// Whether the machine may be to blame for the failure rather than the child.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// Duration in seconds, excluding pauses.
    pub seconds: f64,
    /// Energy used for it, in watt-hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_wh: Option<f64>,
}

impl ResultFile {
    /// Whether it is the result of a training of `job` that nothing ended before its time.
    pub fn is_whole(&self, job: &ChildJob, epochs: usize) -> bool {
        let Outcome::Trained { valid_accuracies } = &self.outcome else {
            return false;
        };
        !self.skipped && (valid_accuracies.len() >= epochs || job.stop.is_some())
    }

    /// Whether the child of `job` ends with it, which is trained for at most `epochs` epochs, if the user
    /// has (or has not) asked in this session for the end of its training. A failure for which a machine
    /// may be to blame is only believed when it is the last that the child may have.
    pub fn is_end(
        &self,
        job: &ChildJob,
        epochs: usize,
        is_skip_wanted: bool,
        is_last: bool,
    ) -> bool {
        match self.outcome {
            Outcome::Failed { .. } => !self.doubtful || is_last,
            Outcome::Trained { .. } | Outcome::Excluded { .. } => {
                is_skip_wanted || self.is_whole(job, epochs)
            }
        }
    }
}

/// A mark of everything that a child's outcome depends on, so that no result of other settings is
/// taken for its own.
pub fn digest(job: &ChildJob, child: &ChildConfig, fingerprint: &str) -> io::Result<String> {
    let text = serde_json::to_string(&(job, child, fingerprint))?;
    Ok(format!("{:016x}", fnv(text.bytes())))
}

/// Read the result of a training of `epochs` epochs, and check that it makes sense.
///
/// # Errors
/// If it cannot be read, or what it says is impossible.
pub fn read_result(path: &Path, epochs: usize) -> io::Result<ResultFile> {
    let result: ResultFile = serde_json::from_str(&input::text(path, input::TEXT)?)?;
    let impossible = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
    let finished = FromWorker::Finished {
        child: result.child,
        outcome: result.outcome.clone(),
        seconds: result.seconds,
    };
    let assignment = Assignment {
        worker: 0,
        child: Some(result.child),
        epochs,
        may_end_early: true,
    };
    if let Err(nonsense) = validity::check(&finished, &assignment) {
        return impossible(format!("its task {nonsense}"));
    }
    match result.energy_wh {
        Some(energy) if !energy.is_finite() || energy < 0.0 => {
            impossible(format!("its task reported {energy} Wh"))
        }
        _ if result.v != VERSION => impossible(format!("version {} of the file", result.v)),
        _ => Ok(result),
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
