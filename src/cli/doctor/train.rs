//! `nas-tui doctor --train`: the report of [`crate::selftest`] as text.

use std::fmt::Write;
use std::time::Instant;

use anyhow::Context;

use crate::child;
use crate::cli::{OrBadInput, pretty_json, print, say};
use crate::foundation::device::{Device, DeviceChoice};
use crate::foundation::numbers::{bytes, count, counted};
use crate::selftest::report::{
    Agreement, CheckOutcome, DeviceReport, Numbering, OutOfMemory, PauseCheck, SelftestReport,
    Speed, WorkersCheck,
};
use crate::selftest::{self, environment::Environment};

/// Width of the report in columns.
const WIDTH: usize = 80;
/// Indentation of a failure's reason.
const INDENT: &str = "      ";

/// Check every device, or the one requested; progress goes to standard error.
pub fn run(choice: DeviceChoice, json: bool) -> anyhow::Result<()> {
    let (devices, warning) = devices(choice)?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let since = Instant::now();
    let tell = |what: &str| say(&format!("[{:3.0} s] {what}", since.elapsed().as_secs_f64()));
    warning.iter().for_each(|warning| tell(warning));
    let report = selftest::run(&program, &devices, &tell);
    print(&if json {
        pretty_json(&report)?
    } else {
        text(&report)
    })?;
    anyhow::ensure!(
        report.passed,
        "this machine does not train correctly: see the failures above"
    );
    Ok(())
}

/// The CPU comes first, because the others are compared with it.
fn devices(choice: DeviceChoice) -> anyhow::Result<(Vec<Device>, Option<String>)> {
    let chosen = child::device::chosen(choice).or_bad_input()?;
    let mut devices = chosen.devices;
    if choice == DeviceChoice::Auto && devices.iter().all(|device| device.is_cuda()) {
        devices.insert(0, Device::Cpu);
    }
    Ok((devices, chosen.warning))
}

fn text(report: &SelftestReport) -> String {
    let mut text = environment(&report.environment);
    for device in &report.devices {
        text += &format!("\n{}: {}\n", device.device, device.model);
        text += &describe(device);
    }
    let failed = report
        .devices
        .iter()
        .flat_map(DeviceReport::verdicts)
        .filter(|verdict| matches!(verdict, CheckOutcome::Failed(_)));
    let end = match failed.count() {
        0 => "No check has failed".to_owned(),
        1 => "1 check has FAILED".to_owned(),
        many => format!("{many} checks have FAILED"),
    };
    text + &format!("\n{end}; it took {:.0} s.\n", report.seconds)
}

fn environment(environment: &Environment) -> String {
    let Environment {
        version,
        system,
        kernel,
        architecture,
        libtorch,
        libtorch_cuda,
        cpu,
        cores,
        memory_bytes,
        ..
    } = environment;
    let unknown = || "unknown".to_owned();
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(unknown);
    let built = match libtorch_cuda {
        Some(cuda) => format!("for CUDA {cuda}"),
        None => "for the CPU".to_owned(),
    };
    let gpus = match &environment.gpus[..] {
        [] => "none that NVML names".to_owned(),
        gpus => gpus.join(", "),
    };
    let mut rows = vec![
        ("nas-tui", version.clone()),
        (
            "libtorch",
            format!("{}, built {built}", or_unknown(libtorch)),
        ),
        (
            "system",
            format!(
                "{}, {}, {architecture}",
                or_unknown(system),
                or_unknown(kernel)
            ),
        ),
        (
            "CPU",
            format!("{}, {}", or_unknown(cpu), counted(*cores as u64, "core")),
        ),
        ("memory", memory_bytes.map_or_else(unknown, bytes)),
        ("GPU", gpus),
    ];
    rows.extend(driver(environment).map(|driver| ("driver", driver)));
    rows.extend(
        environment
            .variables
            .iter()
            .map(|(name, value)| ("set", format!("{name}={value}"))),
    );
    rows.iter()
        .map(|(name, value)| format!("{name:<9}{value}\n"))
        .collect()
}

fn driver(environment: &Environment) -> Option<String> {
    let driver = environment.driver.as_ref()?;
    let cuda = environment
        .driver_cuda
        .as_ref()
        .map_or(String::new(), |cuda| format!(", runs CUDA up to {cuda}"));
    Some(format!("{driver}{cuda}"))
}

/// The results on one device. A reason shared by several checks is printed once.
fn describe(device: &DeviceReport) -> String {
    let text = describe_at_length(device);
    let reasons = device.verdicts().filter_map(|verdict| match verdict {
        CheckOutcome::Failed(reason) => Some(indented(reason)),
        _ => None,
    });
    let mut shortened = text;
    for reason in reasons.collect::<std::collections::BTreeSet<_>>() {
        if let Some((first, rest)) = shortened.split_once(&reason) {
            shortened = format!(
                "{first}{reason}{}",
                rest.replace(&format!("FAILED\n{reason}"), "FAILED again\n")
            );
        }
    }
    shortened
}

fn describe_at_length(device: &DeviceReport) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "  Losses of the first two training steps, compared with the CPU's in f32 (the\n  limit is ten times the observed effect of another number of threads)"
    );
    let _ = writeln!(
        text,
        "    {:<12}{:<9}{:<14}{:>7}  {:>7}  {:>7}",
        "network", "numbers", "memory", "threads", "off by", "limit"
    );
    device
        .agreement
        .iter()
        .for_each(|row| text += &agreement(row));
    if !device.speed.is_empty() {
        let _ = writeln!(text, "  Training images per second, one process");
        device.speed.iter().for_each(|row| text += &speed(row));
    }
    text += &workers(&device.workers);
    text += &pause(&device.pause);
    text += &out_of_memory(&device.out_of_memory);
    text += &numbering(&device.numbering);
    text
}

fn agreement(row: &Agreement) -> String {
    let Agreement {
        form,
        difference,
        tolerance,
        verdict,
        ..
    } = row;
    let off = difference.map_or("-".to_owned(), |difference| match difference {
        0.0 => "0".to_owned(),
        some => format!("{some:.1e}"),
    });
    let (network, numbers, memory) = (
        form.network.in_words(),
        form.numbers.in_words(),
        form.memory.in_words(),
    );
    let line = format!(
        "    {network:<12}{numbers:<9}{memory:<14}{:>7}  {off:>7}  {tolerance:>7.0e}",
        form.threads
    );
    line + "  " + &ending(verdict)
}

fn speed(row: &Speed) -> String {
    let Speed {
        form,
        batch,
        images_per_second,
        verdict,
    } = row;
    let speed = images_per_second.map_or("-".to_owned(), |speed| match speed {
        slow if slow < 100.0 => format!("{slow:.1}"),
        fast => count(fast.round() as u64),
    });
    let threads = counted(form.threads as u64, "thread");
    let what = format!(
        "{:<12}{:<9}batch of {batch}, {threads}",
        form.network.in_words(),
        form.numbers.in_words()
    );
    format!("    {what:<46}  {speed:>10}  {}", ending(verdict))
}

fn workers(found: &WorkersCheck) -> String {
    let head = "  Small children (2 epochs of 5,000 images) per hour, by workers on the device\n";
    if found.rates.is_empty() {
        return format!("{head}    {}", ending(&found.verdict));
    }
    let row = |rate: &crate::evaluate::throughput::Rate| {
        let mark = match (found.best == Some(rate.workers), found.kept) {
            (true, true) => "best, kept for auto",
            (true, false) => "best",
            (false, _) => "",
        };
        let what = counted(rate.workers as u64, "worker");
        let line = format!(
            "    {what:<38}  {:>10}  {mark}",
            count(rate.children_per_hour.round() as u64)
        );
        line.trim_end().to_owned() + "\n"
    };
    head.to_owned() + &found.rates.iter().map(row).collect::<String>()
}

fn pause(found: &PauseCheck) -> String {
    let text = match (found.median_seconds, found.worst_seconds) {
        (Some(median), Some(worst)) => format!(
            "{:.0} ms until {} still (worst of {}: {:.0} ms)",
            median * 1e3,
            match found.workers {
                1 => "1 worker stands".to_owned(),
                many => format!("{many} workers stand"),
            },
            found.pauses,
            worst * 1e3
        ),
        _ => "-".to_owned(),
    };
    row("Pause", &text, &found.verdict)
}

fn out_of_memory(found: &OutOfMemory) -> String {
    let text = match (found.asked_bytes, found.limit_bytes) {
        (Some(asked), Some(limit)) => {
            format!(
                "{} asked of {}: refused; the next step trained",
                bytes(asked),
                bytes(limit)
            )
        }
        _ => "-".to_owned(),
    };
    row("Out of memory", &text, &found.verdict)
}

fn numbering(found: &Numbering) -> String {
    let text = match (&found.cuda_bus, &found.nvml_bus) {
        (Some(cuda), Some(nvml)) => format!(
            "libtorch's at {}, NVML's at {}",
            cuda.to_lowercase(),
            nvml.to_lowercase()
        ),
        _ => String::new(),
    };
    row("GPU's number", &text, &found.verdict)
}

fn row(name: &str, text: &str, verdict: &CheckOutcome) -> String {
    match verdict {
        CheckOutcome::Skipped(_) => format!("  {name:<15}{}", ending(verdict)),
        _ => format!("  {name:<15}{text}  {}", ending(verdict)),
    }
}

fn ending(verdict: &CheckOutcome) -> String {
    match verdict {
        CheckOutcome::Passed => "ok\n".to_owned(),
        CheckOutcome::Skipped(reason) => format!("not tried: {reason}\n"),
        CheckOutcome::Failed(reason) => format!("FAILED\n{}", indented(reason)),
    }
}

/// `text` in lines of at most [`WIDTH`] columns, as far as its words allow.
fn indented(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => *line += &format!(" {word}"),
            _ => lines.push(format!("{INDENT}{word}")),
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests;
