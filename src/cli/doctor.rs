//! `nas-tui doctor`: what this machine offers a search, and what to do about what is missing.

mod libtorch;
mod machine;
mod terminal;

use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::Value;

use super::data::{Status as DataStatus, listed};
use super::print;

/// Report libtorch and its devices, NVML, data sets, terminal, disk, CPU and memory, each with a remedy.
///
/// Exit status 1 if a search cannot run here at all.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Print JSON: {usable, findings: [{topic, status, text, remedy, details}]}, status one of ok, note, warning, failure.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Finding {
    topic: &'static str,
    status: Status,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// The figures behind the text.
    details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// Missing, but only some uses need it.
    Note,
    Warning,
    /// A search cannot run.
    Failure,
}

impl Finding {
    fn ok(topic: &'static str, text: impl Into<String>, details: Value) -> Self {
        Finding { topic, status: Status::Ok, text: text.into(), remedy: None, details }
    }

    fn with(topic: &'static str, status: Status, text: impl Into<String>, remedy: impl Into<String>, details: Value) -> Self {
        Finding { topic, status, text: text.into(), remedy: Some(remedy.into()), details }
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let gpu = machine::gpus();
    let mut findings = libtorch::findings(gpu.driver.as_ref());
    findings.push(gpu.finding);
    findings.extend(data_sets());
    findings.extend(terminal::findings(&terminal::Terminal::of_this_process()));
    findings.extend(machine::findings());
    let failures: Vec<&Finding> = findings.iter().filter(|finding| finding.status == Status::Failure).collect();
    if args.json {
        let report = serde_json::json!({ "usable": failures.is_empty(), "findings": findings });
        print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    } else {
        print(&findings.iter().map(line).collect::<String>())?;
    }
    anyhow::ensure!(failures.is_empty(), "a search cannot run here: {}", failures[0].text);
    Ok(())
}

fn line(finding: &Finding) -> String {
    let mark = match finding.status {
        Status::Ok => "ok",
        Status::Note => "note",
        Status::Warning => "warning",
        Status::Failure => "failure",
    };
    let remedy = finding.remedy.as_ref().map_or(String::new(), |remedy| format!("{:18} -> {remedy}\n", ""));
    format!("{mark:<8} {:<9} {}\n{remedy}", finding.topic, finding.text)
}

fn data_sets() -> Vec<Finding> {
    let finding = |data: super::data::Listed| {
        let details = serde_json::json!({ "name": data.name, "place": data.place });
        match (data.status, data.place, data.remedy) {
            (DataStatus::Found, place, _) => Finding::ok("data", format!("{}: {}", data.name, place.unwrap_or_default()), details),
            (DataStatus::NeedsFolder, ..) => Finding::ok("data", format!("{}: images of your own, folder:DIR", data.name), details),
            (DataStatus::Missing, _, remedy) => {
                Finding::with("data", Status::Note, format!("{}: not found", data.name), remedy.unwrap_or_default(), details)
            }
        }
    };
    listed().into_iter().map(finding).collect()
}
