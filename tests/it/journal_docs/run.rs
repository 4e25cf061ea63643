//! The events of a run, its workers and its episodes.

use nas_tui::config::{Decode, MacsPenalty};
use nas_tui::event::{
    CostOutlook, DataDescription, DepthCost, EpisodeFinished, Event, FinishReason, GpuLoad,
    ImageSet, Level, MachineLoad, Reference, ReferenceEpisode, RunStarted,
};
use nas_tui::space::{Head, decode};

use super::text;

pub fn data() -> DataDescription {
    DataDescription {
        spec: text(),
        images: Some(ImageSet {
            input: [1, 28, 28],
            classes: vec![text()],
            train: 1,
            validation: 1,
        }),
        fingerprint: text(),
    }
}

pub fn run_started() -> Event {
    Event::RunStarted(RunStarted {
        run: text(),
        preset: text(),
        strategy: text(),
        seed: 1,
        version: text(),
        host: text(),
        pid: 1,
        libtorch: Some(text()),
        episodes: 1,
        children_per_episode: 1,
        controls: 1,
        reuse_limit: Some(2),
        asynchronous: true,
        child_epochs: 1,
        child_batch_size: Some(1),
        reward_power: 1.0,
        reward_last_epochs: 1,
        reward_penalty: Some(MacsPenalty {
            target: 1_000_000,
            exponent: -0.07,
        }),
        workers: 1,
        threads: Some(1),
        device: Some(text()),
        data: data(),
        heads: vec![Head {
            kind: decode::KERNEL,
            options: vec![1],
        }],
        decode: Decode::Literal,
        outlook: Some(Box::new(CostOutlook {
            depths: vec![DepthCost {
                depth: 1,
                first_child: 1,
                macs: 1,
            }],
            largest_macs: 1,
        })),
        reference: Some(Box::new(Reference {
            run: text(),
            strategy: text(),
            episodes: vec![ReferenceEpisode {
                episode: 1,
                mean_reward: 0.0,
                mean_accuracy: Some(0.0),
                rewards: vec![0.0],
            }],
            not_comparable: Some(text()),
        })),
    })
}

pub fn run_resumed() -> Event {
    Event::RunResumed {
        host: text(),
        pid: 1,
        version: text(),
        next_child: Some(1),
        epoch: Some(1),
        micro_batch: Some(2),
    }
}

pub fn worker_started() -> Event {
    Event::WorkerStarted {
        worker: 0,
        pid: Some(1),
        device: text(),
        host: Some(text()),
    }
}

pub fn worker_died() -> Event {
    Event::WorkerDied {
        worker: 0,
        reason: text(),
    }
}

pub fn episode_started() -> Event {
    Event::EpisodeStarted {
        episode: 1,
        depth: 6,
        baseline: Some(0.0),
    }
}

pub fn episode_finished() -> Event {
    Event::EpisodeFinished(EpisodeFinished {
        episode: 1,
        mean_reward: 0.0,
        mean_accuracy: Some(0.0),
        best_accuracy: Some(0.0),
        baseline: Some(0.0),
        next_baseline: Some(0.0),
        advantages: vec![0.0],
        entropy: Some(0.0),
        max_entropy: Some(0.0),
        loss: Some(0.0),
        gradient_norm: Some(0.0),
        repeats: 0,
        failures: 0,
        excluded: 1,
        staleness: Some(0.5),
        seconds: 0.0,
    })
}

pub fn episode_excluded() -> Event {
    Event::EpisodeExcluded {
        episode: 1,
        children: 1,
        seconds: 0.0,
    }
}

pub fn checkpoint_saved() -> Event {
    Event::CheckpointSaved {
        episode: 1,
        next_child: 1,
    }
}

pub fn heartbeat() -> Event {
    Event::Heartbeat {
        load: Some(MachineLoad {
            seconds: 60.0,
            busy: Some(0.5),
            gpus: vec![GpuLoad {
                index: 0,
                utilization: Some(0.5),
                joules: Some(1.0),
            }],
        }),
    }
}

pub fn notice() -> Event {
    Event::Notice {
        level: Level::Info,
        message: text(),
    }
}

pub fn storage_blocked() -> Event {
    Event::StorageBlocked {
        after: 1,
        reason: text(),
    }
}

pub fn run_finished() -> Event {
    Event::RunFinished {
        reason: FinishReason::Completed,
        children: 1,
        epochs: Some(1),
        wall_seconds: 0.0,
    }
}
