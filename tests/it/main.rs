//! Integration tests: the crate and its program from outside. One binary, with one module per
//! subject.

mod architectures;
mod bad_input;
#[cfg(feature = "torch")]
mod bench_search;
mod cifar10_1;
mod committed_files;
#[cfg(feature = "torch")]
mod cuda_build;
mod data_corpus;
mod data_fetch;
#[cfg(feature = "torch")]
mod detach;
#[cfg(feature = "torch")]
mod device_traffic;
#[cfg(feature = "torch")]
mod devices;
#[cfg(feature = "torch")]
mod disturbed;
#[cfg(feature = "torch")]
mod docs;
#[cfg(feature = "torch")]
mod doctor_train;
#[cfg(feature = "torch")]
mod evaluate;
mod example_training;
mod export;
#[cfg(feature = "torch")]
mod fake_cuda;
mod fake_nvml;
mod faulty_workers;
#[cfg(feature = "torch")]
mod flooding;
mod fuzz_cases;
mod gpu_faults;
mod inspect;
mod journal_docs;
#[cfg(feature = "torch")]
mod kills;
mod notes;
#[cfg(feature = "torch")]
mod numerics;
mod opened;
mod other_runs;
mod python;
mod reference;
mod report;
#[cfg(feature = "torch")]
mod reproduction;
mod rooms;
mod run_state;
mod sample;
mod screen;
mod screen_docs;
#[cfg(feature = "torch")]
mod screen_pty;
mod scripts;
#[cfg(feature = "torch")]
mod search_runs;
#[cfg(feature = "torch")]
mod slurm;
#[cfg(feature = "torch")]
mod slurm_task;
mod space;
#[cfg(feature = "torch")]
mod studies;
#[cfg(feature = "torch")]
mod tables;
mod telemetry;
mod terminal;
#[cfg(feature = "torch")]
mod training;
mod training_list;
mod training_screen;
mod training_summary;
#[cfg(feature = "torch")]
mod weights;
#[cfg(feature = "torch")]
mod workers;

/// A network with weights drawn from `seed`. libtorch has one generator per process, which tests
/// may share.
#[cfg(feature = "torch")]
fn seeded_network(
    architecture: &nas_tui::space::Architecture,
    plan: nas_tui::child::Plan,
    seed: i64,
) -> nas_tui::child::Network {
    static GENERATOR: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = GENERATOR
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    tch::manual_seed(seed);
    nas_tui::child::Network::new(architecture, plan, tch::Device::Cpu).unwrap()
}
