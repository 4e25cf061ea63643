//! `nas-tui doctor`: whether this machine is ready for a search, and how to fix what is missing.

mod libtorch;
mod machine;
mod terminal;
#[cfg(feature = "torch")]
mod train;

use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::Value;

use super::data::{DataStatus, listed};
use super::{print, print_pretty_json};
use crate::config::DeviceChoice;

/// Report libtorch and its devices, NVML, data sets, terminal, disk, CPU and memory, each with a
/// remedy.
///
/// Exit status 1 if a search cannot run here at all.
///
/// With --train it trains instead, for about a minute on each device, and reports whether that
/// works correctly and how fast it is. The report names no user, host or path, so it can be pasted
/// into an issue. A small child and NASCNN15 take the same first steps on every device, from the
/// same seed, and their losses are compared with those of the CPU in f32: relative differences up
/// to 2e-4 are attributed to rounding in f32, up to 2e-3 in TF32 (factors of 10 bits) and 5e-3 in
/// bf16 (7 bits; another seed changes 1e-2). It then measures training images per second; small
/// children per hour with 1, 2, 4 and 8 workers (on a GPU the best number is saved for
/// workers.count = "auto"); and the time until all workers have paused after a request (5 s at
/// most). Finally it trains a batch too large for the memory (of the GPU; on the CPU, for what the
/// process is allowed), which must fail without affecting the next step, and checks that NVML and
/// libtorch number the GPUs alike. Exit status 1 if any of these checks fails.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Train on each device and report the results; takes about a minute per device
    #[arg(long)]
    train: bool,

    /// With --train: only this device, cpu or cuda:N [default: the CPU and every GPU]
    #[arg(
        long,
        value_name = "DEVICE",
        requires = "train",
        default_value_t,
        hide_default_value = true
    )]
    device: DeviceChoice,

    /// Print JSON: {usable, findings: [{topic, status, text, remedy, details}]}, status one of ok,
    /// note, warning, failure. With --train: {passed, seconds, environment, devices: [{device,
    /// model, agreement [{network, memory, numbers, losses, reference, difference, tolerance}],
    /// speed [{network, memory, numbers, batch, images_per_second}], workers {rates [{workers,
    /// children_per_hour}], best, kept}, pause {workers, pauses, median_seconds, worst_seconds,
    /// limit_seconds}, out_of_memory {asked_bytes, limit_bytes, error}, numbering {cuda_bus,
    /// nvml_bus}}]}; each check has a status, one of passed, failed, skipped, and for the last two
    /// a reason
    #[arg(long)]
    json: bool,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct CheckResult {
    topic: &'static str,
    status: CheckStatus,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// The figures behind the text.
    details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum CheckStatus {
    Ok,
    /// Missing, but needed only for some purposes.
    Note,
    Warning,
    /// A search cannot run.
    Failure,
}

impl CheckResult {
    fn ok(topic: &'static str, text: impl Into<String>, details: Value) -> Self {
        CheckResult {
            topic,
            status: CheckStatus::Ok,
            text: text.into(),
            remedy: None,
            details,
        }
    }

    fn with(
        topic: &'static str,
        status: CheckStatus,
        text: impl Into<String>,
        remedy: impl Into<String>,
        details: Value,
    ) -> Self {
        CheckResult {
            topic,
            status,
            text: text.into(),
            remedy: Some(remedy.into()),
            details,
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    if args.train {
        return train(args);
    }
    let gpu = machine::gpus();
    let mut findings = libtorch::findings(gpu.driver.as_ref());
    findings.push(gpu.finding);
    findings.extend(data_sets());
    findings.extend(terminal::findings(
        &terminal::TerminalFacts::of_this_process(),
    ));
    findings.extend(machine::findings());
    let failures: Vec<&CheckResult> = findings
        .iter()
        .filter(|finding| finding.status == CheckStatus::Failure)
        .collect();
    if args.json {
        let report = serde_json::json!({ "usable": failures.is_empty(), "findings": findings });
        print_pretty_json(&report)?;
    } else {
        print(&findings.iter().map(line).collect::<String>())?;
    }
    anyhow::ensure!(
        failures.is_empty(),
        "a search cannot run here: {}",
        failures[0].text
    );
    Ok(())
}

#[cfg(feature = "torch")]
fn train(args: &Args) -> anyhow::Result<()> {
    train::run(args.device, args.json)
}

#[cfg(not(feature = "torch"))]
fn train(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!(
        "cannot train on {}: this program was built without libtorch (as a viewer)",
        args.device
    )
}

fn line(finding: &CheckResult) -> String {
    let mark = match finding.status {
        CheckStatus::Ok => "ok",
        CheckStatus::Note => "note",
        CheckStatus::Warning => "warning",
        CheckStatus::Failure => "failure",
    };
    let remedy = finding
        .remedy
        .as_ref()
        .map_or(String::new(), |remedy| format!("{:18} -> {remedy}\n", ""));
    format!("{mark:<8} {:<9} {}\n{remedy}", finding.topic, finding.text)
}

fn data_sets() -> Vec<CheckResult> {
    let finding = |data: super::data::Listed| {
        let details = serde_json::json!({ "name": data.name, "place": data.place });
        match (data.status, data.place, data.remedy) {
            (DataStatus::Found, place, _) => CheckResult::ok(
                "data",
                format!("{}: {}", data.name, place.unwrap_or_default()),
                details,
            ),
            (DataStatus::NeedsFolder, ..) => CheckResult::ok(
                "data",
                format!("{}: images of your own, folder:DIR", data.name),
                details,
            ),
            (DataStatus::Missing, _, remedy) => CheckResult::with(
                "data",
                CheckStatus::Note,
                format!("{}: not found", data.name),
                remedy.unwrap_or_default(),
                details,
            ),
        }
    };
    listed().into_iter().map(finding).collect()
}
