//! What a session begins with: the cluster's limits, what earlier sessions have left, and the rules.

use std::io;
use std::time::Duration;

use crate::child::libtorch;
use crate::config::Config;
use crate::evaluate::Ready;
use crate::evaluate::slurm::commands::{self, Limits};
use crate::evaluate::slurm::files::{Folder, Known};
use crate::evaluate::slurm::scheduler::Rules;
use crate::event::{Compute, DataDescription};

/// The cluster's limits.
///
/// # Errors
/// If there is no Slurm here, or its commands do not all speak with the same cluster.
pub(super) fn limits() -> Result<Limits, String> {
    if std::env::var_os("SBATCH_CLUSTERS").is_some() {
        let message = "SBATCH_CLUSTERS is set, which only sbatch follows: unset it, and run the search on a login node of the cluster";
        return Err(message.to_owned());
    }
    commands::limits().map_err(|error| {
        format!("{error}. With workers.evaluator = \"slurm\", run the search where Slurm's commands are, such as a login node")
    })
}

/// The name of the run, the batches of earlier sessions, and the number of the last one.
pub(super) fn earlier(folder: &Folder) -> io::Result<(String, Vec<Known>, u64)> {
    let (name, is_copy) = folder.run_name()?;
    let (mut known, last) = folder.open_batches()?;
    if is_copy {
        // The tasks are those of the run that was copied, which waits for them.
        for Known { batch, .. } in known.drain(..) {
            folder.close(batch)?;
        }
    }
    Ok((name, known, last))
}

/// Children that are trained at a time, each on one GPU.
pub(super) fn children_at_a_time(config: &Config) -> usize {
    let slurm = &config.slurm;
    let of_a_task = slurm.gpus_per_task.clamp(1, slurm.children_per_task);
    config.workers.count.unwrap_or(1) * of_a_task
}

pub(super) fn ready(config: &Config, data: &DataDescription, threads: usize) -> Ready {
    let device = match config.slurm.gpus_per_task {
        0 => "cpu (slurm)",
        _ => "gpu (slurm)",
    };
    Ready {
        data: data.clone(),
        workers: children_at_a_time(config),
        compute: Some(Compute {
            threads,
            device: device.to_owned(),
            libtorch: libtorch::version_in_words(),
        }),
    }
}

pub(super) fn rules(config: &Config, limits: Limits) -> Rules {
    Rules {
        count: config.workers.count.unwrap_or(1),
        children_per_task: config.slurm.children_per_task,
        grace: Duration::from_secs(config.slurm.grace_seconds),
        attempts: config.slurm.attempts,
        most_in_array: limits.array.max(1),
        // Of all users' jobs, no more than half are to be one run's.
        most_tasks: (limits.jobs / 2).max(1),
    }
}

/// CPU threads of each training: as set, or as many CPUs as the options ask for, or 1. Not what a node
/// happens to have: the same number everywhere gives the same results everywhere.
pub(super) fn threads(config: &Config) -> usize {
    let asked = || cpus_per_task(&config.slurm.options);
    config.workers.threads.or_else(asked).unwrap_or(1).max(1)
}

/// The value of `--cpus-per-task=N`, `-cN`, or of either with N as an option of its own. Of several the
/// last one counts, as it does for sbatch.
fn cpus_per_task(options: &[String]) -> Option<usize> {
    const NAMES: [&str; 2] = ["--cpus-per-task", "-c"];
    let separate = options
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| NAMES.contains(&&*pair[0]))
        .map(|(index, pair)| (index, &*pair[1]));
    let joined = options.iter().enumerate().filter_map(|(index, option)| {
        let value = option.strip_prefix("--cpus-per-task=");
        let short = || option.strip_prefix("-c").filter(|value| !value.is_empty());
        Some((index, value.or_else(short)?))
    });
    let last = separate.chain(joined).max_by_key(|(index, _)| *index)?;
    last.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn a_run_may_have_half_of_the_jobs_that_the_cluster_can_have_and_at_least_one() {
        let config = crate::config::resolve(&crate::config::Options::default()).unwrap();
        for (jobs, most) in [(10_000, 5_000), (3, 1), (1, 1)] {
            let rules = super::rules(&config, Limits { array: 1_001, jobs });
            assert_eq!((rules.most_tasks, rules.most_in_array), (most, 1_001));
        }
    }

    #[test]
    fn the_threads_of_a_training_are_the_cpus_that_the_options_ask_for() {
        for (options, threads) in [
            (&["--mem=16G"][..], 1),
            (&["--cpus-per-task=4"], 4),
            (&["-c4"], 4),
            (&["-c 4"], 4),
            (&["-c", "4", "--mem=16G"], 4),
            (&["--partition", "gpu", "--cpus-per-task", "4"], 4),
            (&["--cpus-per-task=4", "-c", "8"], 8),
            (&["-c"], 1),
            (&["--constraint=a100"], 1),
        ] {
            let mut config = crate::config::resolve(&crate::config::Options::default()).unwrap();
            config.workers.threads = None;
            config.slurm.options = options.iter().map(|option| (*option).to_owned()).collect();
            assert_eq!(super::threads(&config), threads, "{options:?}");
            config.workers.threads = Some(2);
            assert_eq!(super::threads(&config), 2);
        }
    }
}
