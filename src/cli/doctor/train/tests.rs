use std::collections::BTreeMap;

use super::*;
use crate::evaluate::throughput::Rate;
use crate::selftest::task::{Memory, NetworkName, Numbers, ProbeForm};

fn agreement(
    network: NetworkName,
    numbers: Numbers,
    difference: Option<f64>,
    verdict: CheckOutcome,
) -> Agreement {
    let form = ProbeForm {
        network,
        memory: Memory::ChannelsLast,
        numbers,
        threads: 16,
    };
    let losses = vec![2.0; if difference.is_some() { 2 } else { 0 }];
    Agreement {
        form,
        reference: vec![2.0; 2],
        losses,
        difference,
        tolerance: numbers.tolerance(),
        verdict,
    }
}

fn broken() -> CheckOutcome {
    CheckOutcome::failed(
        "libtorch failed while preparing images: CUDA error: CUDA driver version is insufficient for CUDA runtime version",
    )
}

fn agreements() -> Vec<Agreement> {
    vec![
        agreement(
            NetworkName::SmallChild,
            Numbers::F32,
            Some(0.0),
            CheckOutcome::Passed,
        ),
        agreement(
            NetworkName::SmallChild,
            Numbers::Tf32,
            Some(1.34e-4),
            CheckOutcome::Passed,
        ),
        agreement(
            NetworkName::Nascnn15,
            Numbers::Bf16,
            Some(0.71),
            CheckOutcome::failed("losses differ by 7.1e-1, but rounding explains only 5e-3"),
        ),
        agreement(NetworkName::SmallChild, Numbers::F32, None, broken()),
        agreement(NetworkName::Nascnn15, Numbers::F32, None, broken()),
    ]
}

fn gpu() -> DeviceReport {
    let form = |network| ProbeForm {
        network,
        memory: Memory::Fastest,
        numbers: Numbers::Tf32,
        threads: 16,
    };
    let speed = |network, batch, speed| Speed {
        form: form(network),
        batch,
        images_per_second: Some(speed),
        verdict: CheckOutcome::Passed,
    };
    let rates = [(1, 15_200.4), (2, 29_911.0), (4, 51_004.0), (8, 50_930.0)];
    DeviceReport {
        device: Device::Cuda(0),
        model: "NVIDIA H100 80GB HBM3".to_owned(),
        agreement: agreements(),
        speed: vec![
            speed(NetworkName::SmallChild, 100, 41_234.5),
            speed(NetworkName::Nascnn15, 8, 2.84),
        ],
        workers: WorkersCheck {
            rates: rates
                .map(|(workers, children_per_hour)| Rate {
                    workers,
                    children_per_hour,
                })
                .into(),
            best: Some(4),
            kept: true,
            verdict: CheckOutcome::Passed,
        },
        pause: PauseCheck {
            workers: 4,
            pauses: 7,
            median_seconds: Some(0.0123),
            worst_seconds: Some(0.0497),
            limit_seconds: 5.0,
            verdict: CheckOutcome::Passed,
        },
        out_of_memory: OutOfMemory {
            asked_bytes: Some(98 << 30),
            limit_bytes: Some(79 << 30),
            error: Some("CUDA out of memory.".to_owned()),
            verdict: CheckOutcome::Passed,
        },
        numbering: Numbering {
            cuda_bus: Some("0000:3b:00.0".to_owned()),
            nvml_bus: Some("00000000:3B:00.0".to_owned()),
            verdict: CheckOutcome::Passed,
        },
    }
}

fn report() -> SelftestReport {
    let environment = Environment {
        version: "0.1.0+123456789".to_owned(),
        system: Some("Debian GNU/Linux 12 (bookworm)".to_owned()),
        kernel: Some("Linux 6.1.0-18-amd64".to_owned()),
        architecture: "x86_64".to_owned(),
        libtorch: Some("2.11.0".to_owned()),
        libtorch_cuda: Some("13.0".to_owned()),
        cpu: Some("AMD EPYC 9654 96-Core Processor".to_owned()),
        cores: 16,
        memory_bytes: Some(128 << 30),
        driver: Some("580.95.05".to_owned()),
        driver_cuda: Some("13.0".to_owned()),
        gpus: vec!["NVIDIA H100 80GB HBM3".to_owned()],
        variables: BTreeMap::from([("CUDA_DEVICE_ORDER".to_owned(), "PCI_BUS_ID".to_owned())]),
    };
    SelftestReport {
        passed: false,
        seconds: 61.4,
        environment,
        devices: vec![gpu()],
    }
}

#[test]
fn a_report_is_read_at_a_glance() {
    insta::assert_snapshot!(text(&report()));
}

#[test]
fn a_report_fits_80_columns() {
    for line in text(&report()).lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
    }
}
