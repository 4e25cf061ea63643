//! Slurm's commands: how they are called and how their answers are read. An answer that does not come in
//! time, or cannot be understood, is no answer.

mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::process::{Printed, run};
use super::scheduler::{Answer, Listed, Submission, TaskId};
use crate::config::SlurmConfig;

/// Most arguments of one call.
const MOST_NAMED: usize = 500;
/// What `squeue` is asked about each task: its array, its index, name, state, node, and why it waits.
const FIELDS: &str = "%F|%K|%j|%T|%N|%r";
/// Slurm's limits, if it does not tell them.
const DEFAULT_LIMITS: Limits = Limits {
    array: 1_001,
    jobs: 10_000,
};

/// Limits of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `MaxArraySize`: most tasks of an array.
    pub array: usize,
    /// `MaxJobCount`: most jobs of all users.
    pub jobs: usize,
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|word| (*word).to_owned()).collect()
}

/// Something to be asked of Slurm.
#[derive(Debug)]
pub enum Request {
    /// Submit a batch.
    Submit { batch: u64, arguments: Vec<String> },
    /// The state of all tasks of these batches: their names, and Slurm's numbers of those known.
    List {
        names: BTreeMap<String, u64>,
        jobs: BTreeMap<u64, String>,
    },
    /// A command whose answer does not matter.
    Tell {
        program: &'static str,
        arguments: Vec<String>,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum Reply {
    /// Of [`Request::Submit`].
    Submitted { batch: u64, answer: Submission },
    /// Of [`Request::List`].
    Listed(Answer),
    /// A command failed.
    Failed {
        /// For the log.
        reason: String,
        /// Whether Slurm may not have heard it.
        is_doubtful: bool,
    },
}

/// Carry a request out.
pub fn carry_out(request: Request) -> Option<Reply> {
    match request {
        Request::Submit { batch, arguments } => {
            let answer = read_submission(run("sbatch", &arguments));
            Some(Reply::Submitted { batch, answer })
        }
        Request::List { names, jobs } => Some(Reply::Listed(list(&names, &jobs))),
        Request::Tell { program, arguments } => match run(program, &arguments) {
            Ok(printed) => complaint(program, &printed).map(|reason| Reply::Failed {
                is_doubtful: is_doubtful(&reason),
                reason,
            }),
            Err(reason) => Some(Reply::Failed {
                reason,
                is_doubtful: true,
            }),
        },
    }
}

/// What Slurm has to say against a command. It answers for each task of an array if one could not be told,
/// and names those too that were told, or that had ended before: neither is a failure.
fn complaint(program: &str, printed: &Printed) -> Option<String> {
    const HARMLESS: [&str; 4] = [
        "No error",
        "already finished",
        "already completing or completed",
        "no longer pending",
    ];
    if printed.status.success() {
        return None;
    }
    let is_harmless = |line: &&str| HARMLESS.iter().any(|words| line.contains(words));
    let lines = printed.errors.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let against: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !is_harmless(line))
        .collect();
    match (lines.is_empty(), against.is_empty()) {
        (true, _) => Some(format!(
            "{program} failed ({}) without a reason",
            printed.status
        )),
        (false, true) => None,
        (false, false) => Some(format!("{program}: {}", against.join("; "))),
    }
}

/// Whether these words of Slurm's say that the controller has not answered.
fn is_doubtful(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    [
        "contact",
        "timed out",
        "timeout",
        "communication",
        "connect",
        "transport",
        "socket",
        "message",
    ]
    .iter()
    .any(|word| words.contains(word))
}

/// A refusal is one only if the controller was not asked, or has said so; after any other failure the job
/// may exist. What `sbatch` prints besides is a site's own text, which may say anything.
fn read_submission(printed: Result<Printed, String>) -> Submission {
    let printed = match printed {
        Ok(printed) => printed,
        Err(reason) if reason.contains("cannot be run") => return Submission::Refused(reason),
        Err(reason) => return Submission::Unknown(reason),
    };
    let job = printed.output.trim().split(';').next().unwrap_or_default();
    if !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit()) {
        return Submission::Accepted(job.to_owned());
    }
    const VERDICT: &str = "Batch job submission failed:";
    let lines = printed.errors.lines();
    let mut verdicts = lines.filter_map(|line| line.split_once(VERDICT));
    let is_doubtful = verdicts
        .next_back()
        .is_some_and(|(_, words)| is_doubtful(words));
    let reason = printed.errors.trim().replace('\n', "; ");
    match printed.status.code() {
        Some(code) if code != 0 && !reason.is_empty() && !is_doubtful => {
            Submission::Refused(reason)
        }
        _ => Submission::Unknown(format!("sbatch: {reason}")),
    }
}

/// Arguments of `sbatch` for an array of `tasks` tasks.
pub fn submission(
    config: &SlurmConfig,
    name: &str,
    tasks: usize,
    throttle: usize,
    avoid: &[String],
    folder: &Path,
) -> Vec<String> {
    let output = folder.join("task-%a.out");
    let mut arguments = words(&["--parsable", "-J", name]);
    arguments.push(format!(
        "--array=0-{}%{}",
        tasks.saturating_sub(1),
        throttle.max(1)
    ));
    if config.gpus_per_task > 0 {
        arguments.push(format!("--gres=gpu:{}", config.gpus_per_task));
    }
    arguments.extend(words(&["--requeue", "--open-mode=append"]));
    arguments.push(format!("--signal=B:USR1@{}", config.signal_seconds));
    arguments.push(format!("--output={}", output.display()));
    arguments.extend(config.options.iter().cloned());
    // Of several such options the last one counts: it holds the user's nodes too.
    if let Some(nodes) = excluded(config, avoid).filter(|_| !avoid.is_empty()) {
        arguments.push(format!("--exclude={nodes}"));
    }
    arguments.push(folder.join("task.sh").display().to_string());
    arguments
}

/// The nodes that are excluded by the user's options and those to avoid, in Slurm's notation. `None` if the
/// user's are in a file: no list can be joined to it.
pub fn excluded(config: &SlurmConfig, avoid: &[String]) -> Option<String> {
    let own = config.options.iter().rev().find_map(|option| {
        let nodes = option.strip_prefix("--exclude=");
        nodes.or_else(|| option.strip_prefix("-x"))
    });
    if own.is_some_and(|nodes| nodes.contains('/')) {
        return None;
    }
    let own = own.filter(|nodes| !nodes.is_empty());
    let nodes: Vec<&str> = own
        .into_iter()
        .chain(avoid.iter().map(String::as_str))
        .collect();
    Some(nodes.join(","))
}

/// The script of a batch: the user's own lines, the first of which that fails ends the task, then the
/// program in the shell's place, so that Slurm's signal reaches it.
pub fn script(config: &SlurmConfig, program: &Path, folder: &Path, batch: u64) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let setup: String = config
        .setup
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let strict = if setup.is_empty() { "" } else { "set -e\n" };
    format!(
        "#!/bin/sh\n{strict}{setup}exec {} slurm-task {} {batch}\n",
        quoted(program),
        quoted(folder)
    )
}

/// One `squeue` for all batches.
fn list(names: &BTreeMap<String, u64>, jobs: &BTreeMap<u64, String>) -> Answer {
    let mut listed = BTreeMap::new();
    let all: Vec<&String> = names.keys().collect();
    for some in all.chunks(MOST_NAMED) {
        let chosen: Vec<&str> = some.iter().map(|name| name.as_str()).collect();
        let name = format!("--name={}", chosen.join(","));
        // Of hidden partitions too.
        let arguments = [
            "-h",
            "-r",
            "--all",
            "-t",
            "all",
            name.as_str(),
            "-o",
            FIELDS,
        ];
        match run("squeue", &words(&arguments)) {
            Ok(printed) if printed.status.success() => {
                read_list(&printed.output, names, &mut listed)
            }
            _ => return Answer::Unknown,
        }
    }
    // Slurm forgets jobs some time after their end, and an empty answer can also be a fault. Only an
    // explicit denial is taken for one.
    let silent = |job: &&String| !listed.values().any(|found: &Listed| found.job == **job);
    let silent: Vec<String> = jobs.values().filter(silent).cloned().collect();
    let is_denied = |job: &String| {
        let printed = run("scontrol", &words(&["show", "job", job]));
        printed.is_ok_and(|printed| printed.errors.contains("Invalid job id"))
    };
    if listed.is_empty() {
        let denied = match silent.first() {
            Some(job) => is_denied(job),
            None => is_up(),
        };
        if !denied {
            return Answer::Unknown;
        }
    }
    Answer::Tasks(listed)
}

/// Whether the controller says that it works.
fn is_up() -> bool {
    let printed = run("scontrol", &words(&["ping"]));
    printed.is_ok_and(|printed| printed.status.success() && printed.output.contains("is UP"))
}

fn read_list(output: &str, names: &BTreeMap<String, u64>, listed: &mut BTreeMap<TaskId, Listed>) {
    for line in output.lines() {
        let mut fields = line.splitn(6, '|');
        let mut field = || fields.next().map(str::trim);
        let (Some(job), Some(index), Some(name), Some(state), Some(node), Some(reason)) =
            (field(), field(), field(), field(), field(), field())
        else {
            continue;
        };
        let (Some(batch), Ok(index)) = (names.get(name), index.parse()) else {
            continue;
        };
        let found = Listed {
            job: job.to_owned(),
            state: state.to_owned(),
            reason: reason.to_owned(),
            node: node.to_owned(),
        };
        listed.insert(
            TaskId {
                batch: *batch,
                index,
            },
            found,
        );
    }
}

/// The cluster's limits.
///
/// # Errors
/// If Slurm is not installed here.
pub fn limits() -> Result<Limits, String> {
    match run("scontrol", &words(&["show", "config"])) {
        Ok(printed) if printed.status.success() => Ok(read_limits(&printed.output)),
        Err(error) if error.contains("cannot be run") => Err(error),
        _ => Ok(DEFAULT_LIMITS),
    }
}

fn read_limits(config: &str) -> Limits {
    let value = |key: &str| {
        let mut pairs = config.lines().filter_map(|line| line.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
        value
            .trim()
            .parse::<usize>()
            .ok()
            .filter(|value| *value > 0)
    };
    Limits {
        array: value("MaxArraySize").unwrap_or(DEFAULT_LIMITS.array),
        jobs: value("MaxJobCount").unwrap_or(DEFAULT_LIMITS.jobs),
    }
}

/// Tasks in Slurm's notation: `7_1,7_3`, at most [`MOST_NAMED`] in one text.
pub fn named(jobs: &BTreeMap<u64, String>, tasks: &[TaskId]) -> Vec<String> {
    let tasks: BTreeSet<&TaskId> = tasks.iter().collect();
    let name = |id: &&TaskId| Some(format!("{}_{}", jobs.get(&id.batch)?, id.index));
    tasks.iter().filter_map(name).collect()
}

/// Requests that tell Slurm something about each of these tasks.
pub fn tell(program: &'static str, verb: &[&str], tasks: &[String]) -> Vec<Request> {
    let request = |some: &[String]| {
        let mut arguments = words(verb);
        match program {
            "scancel" => arguments.extend(some.iter().cloned()),
            _ => arguments.push(some.join(",")),
        }
        Request::Tell { program, arguments }
    };
    tasks.chunks(MOST_NAMED).map(request).collect()
}

/// Requests that cancel these jobs: `scancel` takes several numbers, but only one name.
pub fn cancel(numbers: &[String], names: &[String]) -> Vec<Request> {
    let by_name = names.iter().map(|name| Request::Tell {
        program: "scancel",
        arguments: vec![format!("--name={name}")],
    });
    let mut requests = tell("scancel", &[], numbers);
    requests.extend(by_name);
    requests
}

/// The path of the program on the nodes.
///
/// # Errors
/// If the path of the running program cannot be found.
pub fn program(config: &SlurmConfig) -> std::io::Result<PathBuf> {
    config
        .program
        .clone()
        .map_or_else(std::env::current_exe, Ok)
}

#[cfg(test)]
mod tests;
