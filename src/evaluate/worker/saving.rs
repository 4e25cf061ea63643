//! Saving a child whose training can be ended at any time, so that another process can go on with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tch::Device;

use super::pipes::ToParent;
use crate::config::ChildConfig;
use crate::evaluate::ChildJob;
use crate::evaluate::protocol::FromWorker;
use crate::event::Level;
use crate::foundation::durable::write_atomically_among_others;
use crate::foundation::hash::fnv;
use crate::foundation::sealed;
use crate::train::{ChildPlace, ChildState, FitState};

/// If children are saved, SIGTERM does not end this process from here on. A cluster sends it to all processes of a task that it
/// ends; the one that started this one then asks for a pause, in which the child is saved.
pub(super) fn outlive_termination(checkpoints: Option<&Path>) -> io::Result<()> {
    if checkpoints.is_none() {
        return Ok(());
    }
    let told = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, told).map(drop)
}

/// The path of a child's checkpoint.
pub fn path(folder: &Path, child: u64) -> PathBuf {
    folder.join(format!("{child}.safetensors"))
}

/// Where a child is saved.
pub(super) struct Saving {
    path: PathBuf,
    mark: String,
    /// Seconds that earlier processes have spent on the child.
    seconds: f64,
}

/// The contents of the file besides the tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Mark of what is trained, and how.
    mark: String,
    /// Seconds spent on the child so far, without pauses.
    seconds: f64,
    place: ChildPlace,
}

impl Saving {
    /// For a child trained on this data by so many threads on this device: the same training, to the
    /// last bit, if each of these is the same.
    pub(super) fn new(
        folder: &Path,
        job: &ChildJob,
        config: &ChildConfig,
        fingerprint: &str,
        (threads, device): (usize, Device),
    ) -> Saving {
        let what = (job, config, fingerprint, threads, device.is_cuda());
        // Plain data: it can always be written as JSON.
        let text = serde_json::to_string(&what).unwrap_or_default();
        Saving {
            path: path(folder, job.child),
            mark: format!("{:016x}", fnv(text.bytes())),
            seconds: 0.0,
        }
    }

    /// Seconds that earlier processes have spent on the child.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The state in which an earlier process left the training of `job`, of so many epochs and batches in
    /// each; the reason if there is one that cannot be used.
    pub(super) fn find(
        &mut self,
        job: &ChildJob,
        epochs: usize,
        batches: usize,
    ) -> Result<Option<ChildState>, String> {
        let loaded = sealed::load::<Header>(&self.path);
        let Some((header, blocks)) = loaded.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let refused = |why| Err(format!("{}: {why}", self.path.display()));
        if header.mark != self.mark {
            return refused("it is of another training");
        }
        let (fit, others) = FitState::from_blocks(blocks);
        let state = ChildState {
            place: header.place,
            fit,
        };
        if !others.is_empty() || !state.is_possible(&job.architecture, epochs, batches) {
            return refused("this training cannot be in such a state");
        }
        self.seconds = header.seconds.max(0.0);
        Ok(Some(state))
    }

    /// Save the child; if that fails, it is told, and the training goes on.
    ///
    /// # Errors
    /// If the parent cannot be reached.
    pub(super) fn save(
        &self,
        state: ChildState,
        seconds: f64,
        output: &ToParent,
    ) -> anyhow::Result<()> {
        match self.write(state, seconds) {
            Ok(()) => Ok(()),
            Err(error) => output.send(&FromWorker::Log {
                level: Level::Warning,
                message: format!("the child in training could not be saved: {error}"),
            }),
        }
    }

    fn write(&self, ChildState { place, fit }: ChildState, seconds: f64) -> io::Result<()> {
        let header = Header {
            mark: self.mark.clone(),
            seconds,
            place,
        };
        let bytes = sealed::encode(&header, &fit.into_blocks())?;
        write_atomically_among_others(&self.path, &bytes)
    }
}

#[cfg(test)]
mod tests;
