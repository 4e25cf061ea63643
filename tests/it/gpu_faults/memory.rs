//! Running out of device memory.

use super::*;

#[test]
fn a_small_child_that_runs_out_of_memory_even_in_a_new_process_is_excluded() {
    let workspace = Workspace::new();
    assert_ok(&workspace.search(
        "run",
        &[(
            "NAS_TUI_FAKE_CUDA_FAULT",
            &workspace.fault("out-of-memory", 200, 2),
        )],
    ));
    let events = workspace.events("run");
    let excluded = |event: &&Event| matches!(event, Event::ChildExcluded { child: 1, reason, .. } if reason.contains("CUDA out of memory"));
    assert_eq!(events.iter().filter(excluded).count(), 1, "{events:?}");
    assert_eq!(accuracies(&events).len(), 1);
}

#[test]
fn running_out_of_memory_during_validation_only_makes_its_batches_smaller() {
    let workspace = Workspace::new();
    assert_ok(&workspace.search(
        "whole",
        &[(
            "NAS_TUI_FAKE_CUDA_TRACE",
            workspace.path("trace").to_str().unwrap(),
        )],
    ));
    let kernels = workspace.kernels();
    // The last convolution of the second child belongs to its validation.
    let last = kernels
        .iter()
        .rposition(|name| name.contains("convolution") && !name.contains("backward"))
        .unwrap()
        + 1;
    assert_ok(&workspace.search(
        "short",
        &[(
            "NAS_TUI_FAKE_CUDA_FAULT",
            &workspace.fault("no-engine", last, 1),
        )],
    ));
    assert!(
        std::fs::read(workspace.path(&format!("marks-no-engine-{last}"))).unwrap() == b"x",
        "the fault happened"
    );
    let (whole, short) = (workspace.events("whole"), workspace.events("short"));
    assert_eq!(
        (accuracies(&whole), deaths(&short).len()),
        (accuracies(&short), 0)
    );
}

/// Kernels of the first step: before any statistics have changed; after those of the first layer
/// have; after all have, in the backward pass; when the gradient is assembled; and when the
/// optimiser allocates its memory.
fn moments_of_a_step(kernels: &[String]) -> [usize; 5] {
    let from = |start: usize, name: &str| {
        start
            + kernels[start..]
                .iter()
                .position(|kernel| kernel == name)
                .unwrap()
    };
    let first = from(0, "aten::convolution");
    let second_norm = from(
        from(first, "aten::native_batch_norm") + 1,
        "aten::native_batch_norm",
    );
    let backward = from(second_norm, "aten::convolution_backward");
    let optimizer = from(backward, "aten::addcmul");
    let gradient = optimizer
        - kernels[..optimizer]
            .iter()
            .rev()
            .position(|kernel| kernel == "aten::cat")
            .unwrap()
        - 1;
    [first, second_norm, backward, gradient, optimizer - 1]
}

#[test]
fn wherever_in_a_step_memory_runs_out_the_step_is_taken_exactly_once() {
    let workspace = Workspace::new();
    assert_ok(&workspace.train(
        "whole",
        &[(
            "NAS_TUI_FAKE_CUDA_TRACE",
            workspace.path("trace").to_str().unwrap(),
        )],
    ));
    let kernels = workspace.kernels();
    let weights: Vec<Vec<u8>> = moments_of_a_step(&kernels)
        .iter()
        .map(|place_of| {
            let run = format!("run-{place_of}");
            assert_ok(&workspace.train(
                &run,
                &[(
                    "NAS_TUI_FAKE_CUDA_FAULT",
                    &workspace.fault("out-of-memory", place_of + 1, 1),
                )],
            ));
            let reduced: Vec<usize> = workspace
                .events(&run)
                .iter()
                .filter_map(|event| {
                    if let Event::MicroBatchReduced { micro_batch, .. } = event {
                        Some(*micro_batch)
                    } else {
                        None
                    }
                })
                .collect();
            assert_eq!(reduced, [25], "{} at {place_of}", kernels[*place_of]);
            workspace.weights(&run)
        })
        .collect();
    assert!(
        weights.iter().all(|other| *other == weights[0]),
        "the same whatever the place"
    );
    assert_ne!(
        weights[0],
        workspace.weights("whole"),
        "halves have statistics of their own"
    );
}

#[test]
fn images_that_do_not_fit_into_the_devices_memory_stay_on_the_host() {
    let workspace = Workspace::new();
    let many = [
        "data.limit=4000",
        "recipes.cosine.epochs=1",
        "recipes.cosine.warmup_epochs=0",
        "recipes.cosine.batch_size=10",
    ];
    let train = |run: &str, more: &[&str], variables: &[(&str, &str)]| {
        let settings = [&TRAINING[..], &many, more].concat();
        workspace
            .command(
                &["train", "tiny.json", "--headless", "--run", run],
                &settings,
                variables,
            )
            .output()
            .unwrap()
    };
    assert_ok(&train("host", &["train.data_on_device=false"], &[]));
    // The images need three megabytes, a step with ten of them far less; accuracy is measured in
    // smaller batches.
    let output = train("short", &[], &[("NAS_TUI_FAKE_CUDA_MEMORY", "2500000")]);
    assert_ok(&output);
    let warned = |event: &Event| matches!(event, Event::Notice { level: Level::Warning, message } if message.contains("memory is too small for the images"));
    assert_eq!(
        workspace
            .events("short")
            .iter()
            .filter(|event| warned(event))
            .count(),
        1,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(workspace.weights("short"), workspace.weights("host"));
}
