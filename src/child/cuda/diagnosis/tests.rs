use super::*;

/// A machine with two GPUs on which everything is in order, except that libtorch sees no device.
fn facts() -> Facts {
    let gpu = DriverGpu {
        mode: Some(ComputeMode::Default),
        ..DriverGpu::default()
    };
    let driver = Driver {
        version: Some("580.95.05".into()),
        cuda: Some(Version(13, 0)),
        gpus: vec![gpu.clone(), gpu],
        withheld: 0,
        visible: vec![Some(0), Some(1)],
    };
    Facts {
        library: Library::Loaded,
        devices: 0,
        error: None,
        built_for: Some(Version(13, 0)),
        has_driver_library: true,
        visible_devices: None,
        driver,
    }
}

fn error(code: i32) -> Option<CudaError> {
    Some(CudaError {
        code,
        text: "what CUDA says".into(),
    })
}

/// The cause, and reason and remedy as one text.
fn found(facts: &Facts) -> (Cause, String) {
    let diagnosis = diagnose(facts).expect("a reason");
    (diagnosis.cause, diagnosis.to_string())
}

#[test]
fn there_is_nothing_to_explain_if_devices_are_seen_or_there_is_no_gpu() {
    assert_eq!(
        diagnose(&Facts {
            devices: 1,
            ..facts()
        }),
        None
    );
    assert_eq!(
        diagnose(&Facts {
            driver: Driver::default(),
            ..facts()
        }),
        None
    );
}

#[test]
fn a_build_for_the_cpu_is_reported_whatever_else_is_wrong_with_cuda() {
    let (cause, text) = found(&Facts {
        library: Library::NotBuilt,
        built_for: None,
        error: error(INSUFFICIENT_DRIVER),
        ..facts()
    });
    assert_eq!(cause, Cause::CpuBuild);
    assert!(text.contains("make build KIND=cuda"), "{text}");
}

#[test]
fn a_library_that_was_not_loaded_is_reported_with_the_linkers_message() {
    let failed = |text: &str| {
        found(&Facts {
            library: Library::Failed(text.into()),
            ..facts()
        })
    };
    let (cause, text) = failed("libcudnn.so.9: cannot open shared object file");
    assert!(
        cause == Cause::NotLoaded
            && text.contains("libcudnn.so.9")
            && text.contains("reinstall it"),
        "{text}"
    );
    let (_, text) = failed("/lib/libm.so.6: version `GLIBC_2.28' not found");
    assert!(text.contains("C library is too old"), "{text}");
}

#[test]
fn a_driver_that_is_too_old_for_this_cuda_is_reported_with_both_versions() {
    let driver = Driver {
        version: Some("535.183.01".into()),
        cuda: Some(Version(12, 2)),
        ..facts().driver
    };
    let (cause, text) = found(&Facts {
        driver,
        error: error(INSUFFICIENT_DRIVER),
        ..facts()
    });
    assert_eq!(cause, Cause::DriverTooOld);
    let wanted = "driver 535.183.01, CUDA 12.2 is too old for this libtorch, which is built for CUDA 13.0; install driver 580 or newer";
    assert!(
        text.starts_with(wanted) && text.contains("NAS_TUI_TORCH_INDEX"),
        "{text}"
    );
}

#[test]
fn a_driver_is_new_enough_for_every_minor_version_of_its_cuda() {
    let driver = Driver {
        cuda: Some(Version(12, 2)),
        ..facts().driver
    };
    let (cause, _) = found(&Facts {
        driver,
        built_for: Some(Version(12, 8)),
        ..facts()
    });
    assert_eq!(cause, Cause::Other);
}

#[test]
fn a_container_without_the_drivers_library_is_distinguished_from_an_old_driver() {
    let (cause, text) = found(&Facts {
        has_driver_library: false,
        error: error(INSUFFICIENT_DRIVER),
        ..facts()
    });
    assert_eq!(cause, Cause::NoDriverLibrary);
    assert!(
        text.contains("libcuda.so.1") && text.contains("NVIDIA_DRIVER_CAPABILITIES"),
        "{text}"
    );
}

#[test]
fn an_empty_cuda_visible_devices_hides_every_gpu() {
    let (cause, text) = found(&Facts {
        visible_devices: Some(String::new()),
        library: Library::NotBuilt,
        ..facts()
    });
    assert_eq!(cause, Cause::Hidden);
    assert!(
        text.contains("is empty") && text.contains("unset it"),
        "{text}"
    );
}

#[test]
fn a_cuda_visible_devices_that_names_no_gpu_is_reported_with_the_available_numbers() {
    let naming = |value: &str, visible| {
        let driver = Driver {
            visible,
            ..facts().driver
        };
        found(&Facts {
            visible_devices: Some(value.into()),
            driver,
            ..facts()
        })
    };
    let (cause, text) = naming("7", vec![]);
    assert!(
        cause == Cause::Hidden
            && text.contains("=7 does not name a GPU")
            && text.contains("GPUs 0 to 1"),
        "{text}"
    );
    assert_eq!(naming("GPU-nowhere", vec![None]).0, Cause::Hidden);
    assert_eq!(naming("1", vec![Some(1)]).0, Cause::Other);
}

#[test]
fn for_gpus_not_passed_into_this_container_or_job_the_remedy_is_to_request_them() {
    let driver = Driver {
        gpus: vec![],
        withheld: 8,
        visible: vec![],
        ..facts().driver
    };
    let (cause, text) = found(&Facts {
        driver,
        library: Library::NotBuilt,
        ..facts()
    });
    assert_eq!(cause, Cause::Withheld);
    assert!(
        text.contains("8 GPUs are") && text.contains("--gpus all") && text.contains("--gres"),
        "{text}"
    );
}

#[test]
fn for_gpus_closed_to_all_processes_the_remedy_is_the_command_that_opens_them() {
    let mut facts = facts();
    facts
        .driver
        .gpus
        .iter_mut()
        .for_each(|gpu| gpu.mode = Some(ComputeMode::Prohibited));
    let (cause, text) = found(&facts);
    assert_eq!(cause, Cause::Prohibited);
    assert!(
        text.contains("all GPUs are in compute mode PROHIBITED")
            && text.contains("nvidia-smi -c DEFAULT"),
        "{text}"
    );
}

#[test]
fn for_a_gpu_used_exclusively_by_another_process_the_remedy_is_to_wait() {
    let mut facts = Facts {
        error: error(DEVICES_UNAVAILABLE),
        ..facts()
    };
    facts.driver.gpus.truncate(1);
    facts.driver.gpus[0].mode = Some(ComputeMode::Exclusive);
    let (cause, text) = found(&facts);
    assert_eq!(cause, Cause::Exclusive);
    assert!(
        text.contains("EXCLUSIVE_PROCESS and taken") && text.contains("wait"),
        "{text}"
    );
}

#[test]
fn a_visible_device_can_be_closed_to_some_or_all_processes() {
    let with = |mode| {
        let mut driver = facts().driver;
        driver.gpus[1] = DriverGpu {
            name: Some("NVIDIA L4".into()),
            mode: Some(mode),
            ..DriverGpu::default()
        };
        [0, 1].map(|number| concern(&driver, Some(Version(13, 0)), number))
    };
    assert_eq!(with(ComputeMode::Default), [None, None]);
    let [other, Some(exclusive)] = with(ComputeMode::Exclusive) else {
        panic!("it takes any process")
    };
    assert_eq!((other, exclusive.cause), (None, Cause::Exclusive));
    let reason = "cuda:1 (NVIDIA L4) is in compute mode EXCLUSIVE_PROCESS: it accepts one process at a time; set workers.count";
    assert!(exclusive.to_string().starts_with(reason), "{exclusive}");
    assert_eq!(
        with(ComputeMode::Prohibited)[1]
            .as_ref()
            .map(|found| found.cause),
        Some(Cause::Prohibited)
    );
}

#[test]
fn for_a_gpu_this_libtorch_does_not_support_the_remedy_is_a_build_that_does() {
    let mut driver = facts().driver;
    driver.gpus[0].capability = Some(Version(7, 0));
    driver.visible = vec![Some(1), Some(0)];
    assert_eq!(
        concern(&driver, Some(Version(13, 0)), 0),
        None,
        "cuda:0 is the second GPU here"
    );
    let found = concern(&driver, Some(Version(13, 0)), 1).expect("a concern");
    assert!(
        found.cause == Cause::GpuTooOld && found.remedy.contains("KIND=cuda12"),
        "{found}"
    );
    assert_eq!(concern(&driver, Some(Version(12, 6)), 1), None);
}

#[test]
fn gpus_in_mig_mode_without_instances_are_reported() {
    let mut facts = facts();
    facts.driver.gpus.iter_mut().for_each(|gpu| gpu.mig = true);
    let (cause, text) = found(&facts);
    assert_eq!(cause, Cause::NoInstance);
    assert!(
        text.contains("MIG mode") && text.contains("nvidia-smi mig"),
        "{text}"
    );
}

#[test]
fn other_errors_are_reported_in_cudas_words_with_known_remedies() {
    let text = |code| {
        found(&Facts {
            error: error(code),
            ..facts()
        })
        .1
    };
    assert!(
        text(SYSTEM_NOT_READY).contains("what CUDA says (error 802)")
            && text(SYSTEM_NOT_READY).contains("nvidia-fabricmanager")
    );
    assert!(text(DRIVER_MISMATCH).contains("restart the machine"));
    assert!(text(999).contains("dmesg"));
    assert!(found(&facts()).1.contains("gives no reason"));
}
