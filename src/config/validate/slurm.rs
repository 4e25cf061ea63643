//! The rules of `[slurm]`.

use super::super::slurm::{EvaluatorChoice, RawSlurm, SlurmConfig};
use super::{Checked, Config, together_with, violation, whole};

/// Options that the program sets itself: a second value would break its bookkeeping.
const OWN_OPTIONS: [&str; 12] = [
    "--array",
    "-a",
    "--job-name",
    "-J",
    "--parsable",
    "--requeue",
    "--no-requeue",
    "--open-mode",
    "--signal",
    "--output",
    "-o",
    "--wrap",
];

/// Options that have jobs of other clusters: `squeue`, `scancel` and `scontrol` would ask this one.
const FOREIGN_OPTIONS: [&str; 3] = ["--clusters", "--cluster", "-M"];

pub(super) fn slurm(raw: &RawSlurm) -> Checked<SlurmConfig> {
    let mut before = None;
    for option in &raw.options {
        if !is_value_of(before, option) {
            option_is_free(option)?;
        }
        before = Some(option);
    }
    if let Some(line) = raw.setup.iter().find(|line| line.contains(['\n', '\0'])) {
        return violation("slurm.setup", format!("{line:?}"), "must be single lines");
    }
    Ok(SlurmConfig {
        options: raw.options.clone(),
        setup: raw.setup.clone(),
        program: raw.program.clone(),
        gpus_per_task: whole("slurm.gpus_per_task", raw.gpus_per_task, 0, 64)?,
        children_per_task: whole("slurm.children_per_task", raw.children_per_task, 1, 1_000)?,
        poll_seconds: whole("slurm.poll_seconds", raw.poll_seconds, 15, 3_600)? as u64,
        grace_seconds: whole("slurm.grace_seconds", raw.grace_seconds, 10, 86_400)? as u64,
        signal_seconds: whole("slurm.signal_seconds", raw.signal_seconds, 5, 65_535)? as u64,
        attempts: whole("slurm.attempts", raw.attempts, 1, 100)? as u32,
        requeues: whole("slurm.requeues", raw.requeues, 0, 1_000)? as u32,
        cancel_on_stop: raw.cancel_on_stop,
    })
}

/// Whether `text` is the value of the option before it, as in `["--cpus-per-task", "4"]`.
fn is_value_of(before: Option<&String>, text: &str) -> bool {
    let is_open = |option: &String| {
        let is_long = option.starts_with("--") && !option.contains('=');
        is_long || (option.starts_with('-') && option.chars().count() == 2)
    };
    before.is_some_and(is_open) && !text.starts_with('-') && !text.contains(['\n', '\0'])
}

/// An option of the user's must be one, and not one of the program's own.
fn option_is_free(option: &str) -> Checked<()> {
    let name = option.split('=').next().unwrap_or(option);
    let short = || option.get(..2).filter(|_| !option.starts_with("--"));
    let is_own = |own: &str| own == name || short() == Some(own);
    if !option.starts_with('-') || option.contains(['\n', '\0']) {
        return violation(
            "slurm.options",
            format!("{option:?}"),
            "must be options of sbatch with their value, such as \"--partition=gpu\"",
        );
    }
    if OWN_OPTIONS.iter().any(|own| is_own(own)) {
        return violation(
            "slurm.options",
            format!("{option:?}"),
            "must not be an option that nas-tui sets itself (docs/SLURM.md lists them)",
        );
    }
    if FOREIGN_OPTIONS.iter().any(|foreign| is_own(foreign)) {
        return violation(
            "slurm.options",
            format!("{option:?}"),
            "must not name other clusters: run the search on a login node of the cluster that trains",
        );
    }
    Ok(())
}

/// A cluster has no cores to count: the number of tasks must be given, and a table needs none.
pub(super) fn cluster_fits(config: &Config) -> Checked<()> {
    if config.workers.evaluator != EvaluatorChoice::Slurm {
        return Ok(());
    }
    if config.search.table.is_some() {
        return together_with(
            "search.table",
            violation(
                "workers.evaluator",
                "slurm",
                "must be \"local\" in a search over a table, which trains nothing",
            ),
        );
    }
    if config.workers.count.is_none() {
        return together_with(
            "workers.evaluator",
            violation(
                "workers.count",
                "auto",
                "must be a number with workers.evaluator = \"slurm\": how many tasks may run at a time",
            ),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{EvaluatorChoice, Options, resolve};

    fn slurm(set: &[&str]) -> Result<crate::config::Config, String> {
        let set = ["workers.evaluator=slurm", "workers.count=4"]
            .iter()
            .chain(set);
        resolve(&Options {
            set: set.map(|text| (*text).to_owned()).collect(),
            ..Options::default()
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn options_of_the_user_are_taken_and_survive_a_file() {
        let separate =
            slurm(&["slurm.options=[\"--cpus-per-task\", \"4\", \"-A\", \"lab\"]"]).unwrap();
        assert_eq!(
            separate.slurm.options,
            ["--cpus-per-task", "4", "-A", "lab"]
        );
        assert!(slurm(&["slurm.options=[\"-A\", \"lab\", \"4\"]"]).is_err());
        let config = slurm(&["slurm.options=[\"--partition=gpu\", \"-A\"]"]).unwrap();
        assert_eq!(config.workers.evaluator, EvaluatorChoice::Slurm);
        assert_eq!(config.slurm.options, ["--partition=gpu", "-A"]);
        let again = crate::config::parse(&config.to_toml(), "written.toml").unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn options_that_the_program_sets_itself_are_refused() {
        for option in ["--array=0-3", "-J", "-Jname", "--signal=USR2", "-o"] {
            let error = slurm(&[&format!("slurm.options=[\"{option}\"]")]).unwrap_err();
            assert!(error.contains("slurm.options"), "{option}: {error}");
        }
    }

    #[test]
    fn options_that_send_jobs_to_another_cluster_are_refused() {
        for option in ["--clusters=big", "-M", "-Mbig"] {
            let error = slurm(&[&format!("slurm.options=[\"{option}\"]")]).unwrap_err();
            assert!(error.contains("other clusters"), "{option}: {error}");
        }
    }

    #[test]
    fn slurm_is_not_asked_more_often_than_every_fifteen_seconds() {
        let error = slurm(&["slurm.poll_seconds=14"]).unwrap_err();
        assert!(error.contains("from 15 to 3600"), "{error}");
    }

    #[test]
    fn the_number_of_tasks_must_be_given() {
        let error = slurm(&["workers.count=auto"]).unwrap_err();
        assert!(error.contains("how many tasks may run"), "{error}");
    }
}
