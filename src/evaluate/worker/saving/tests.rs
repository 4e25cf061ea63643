use super::*;
use crate::config::{Options, resolve};
use crate::data;
use crate::event::{TrainingEpoch, TrainingProgress};
use crate::space::{Architecture, Layer};
use crate::train::{Control, Next, StateOf, TrainingData, train_child};

/// Takes the state of a training before its second batch, and ends it.
struct TakingState(Option<ChildState>, usize);

impl Control for TakingState {
    fn between_batches(
        &mut self,
        state: StateOf<'_>,
    ) -> anyhow::Result<(Next, std::time::Duration)> {
        if self.1 == 1 {
            self.0 = Some(state()?);
            anyhow::bail!("taken");
        }
        self.1 += 1;
        Ok((Next::GoOn, std::time::Duration::ZERO))
    }

    fn progress(&mut self, _progress: TrainingProgress) -> anyhow::Result<()> {
        Ok(())
    }

    fn epoch(&mut self, _epoch: TrainingEpoch) -> anyhow::Result<()> {
        Ok(())
    }
}

fn job(filters: usize) -> ChildJob {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    ChildJob {
        child: 12,
        seed: 7,
        architecture: Architecture {
            name: "one".to_owned(),
            input: [1, 8, 8],
            classes: 4,
            layers: vec![layer],
            output: vec![1],
        },
        stop: None,
    }
}

fn config() -> crate::config::Config {
    let mut config = resolve(&Options::default()).unwrap();
    (config.child.epochs, config.child.batch_size) = (3, 16);
    config
}

fn saving(folder: &Path, job: &ChildJob, config: &ChildConfig, threads: usize) -> Saving {
    Saving::new(folder, job, config, "c0ffee", (threads, Device::Cpu))
}

/// A child of six filters, saved in the folder after its first batch of two.
fn saved(folder: &Path) -> ChildState {
    let config = config();
    let images = data::noise([1, 8, 8], 4, 32, 8);
    let data = TrainingData::new(images, &config.data, Device::Cpu, true).unwrap();
    let mut control = TakingState(None, 0);
    let job = job(6);
    let (network, child) = (&job.architecture, &config.child);
    train_child(network, job.seed, &data, child, None, None, &mut control).unwrap_err();
    let state = control.0.unwrap();
    let saving = saving(folder, &job, child, 1);
    saving.write(state.clone(), 2.5).unwrap();
    state
}

fn find(folder: &Path, job: &ChildJob, threads: usize) -> Result<Option<ChildState>, String> {
    saving(folder, job, &config().child, threads).find(job, 3, 2)
}

#[test]
fn a_child_is_found_as_it_was_saved_with_the_time_it_took() {
    let folder = tempfile::tempdir().unwrap();
    assert!(find(folder.path(), &job(6), 1).unwrap().is_none());
    let state = saved(folder.path());
    let mut again = saving(folder.path(), &job(6), &config().child, 1);
    let found = again.find(&job(6), 3, 2).unwrap().unwrap();
    assert_eq!((found.place.epoch, found.place.batch), (1, 1));
    assert_eq!(found.place, state.place);
    assert_eq!(found.fit.into_blocks(), state.fit.into_blocks());
    assert_eq!(again.seconds(), 2.5);
}

#[test]
fn a_checkpoint_of_other_settings_another_network_or_another_number_of_threads_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    for (job, threads) in [(job(8), 1), (job(6), 2)] {
        let reason = find(folder.path(), &job, threads).unwrap_err();
        assert!(reason.ends_with("it is of another training"), "{reason}");
    }
    let mut child = config().child;
    child.learning_rate *= 2.0;
    let mut other = saving(folder.path(), &job(6), &child, 1);
    assert!(other.find(&job(6), 3, 2).is_err());
}

#[test]
fn a_state_that_cannot_be_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let state = saved(folder.path());
    let own = saving(folder.path(), &job(6), &config().child, 1);
    for (epoch, batch) in [(0, 1), (2, 1), (1, 3), (4, 0)] {
        let mut state = state.clone();
        (state.place.epoch, state.place.batch) = (epoch, batch);
        own.write(state, 1.0).unwrap();
        let reason = find(folder.path(), &job(6), 1).unwrap_err();
        assert!(reason.contains("cannot be in such a state"), "{reason}");
    }
    let (fit, _) = FitState::from_blocks(Default::default());
    own.write(ChildState { fit, ..state }, 1.0).unwrap();
    assert!(find(folder.path(), &job(6), 1).is_err(), "without tensors");
}

#[test]
fn a_damaged_checkpoint_is_not_used_wherever_the_damage_is() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let path = path(folder.path(), 12);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut torn = whole.clone();
        torn[at] ^= 0x10;
        std::fs::write(&path, &torn).unwrap();
        let found = find(folder.path(), &job(6), 1);
        assert!(found.is_err(), "a bit of byte {at} is wrong");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(find(folder.path(), &job(6), 1).is_err(), "cut at {at}");
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(find(folder.path(), &job(6), 1).unwrap().is_some());
}
