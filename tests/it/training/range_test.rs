//! `nas-tui train --range-test`.

use super::*;

#[test]
fn a_range_test_prints_a_table_writes_every_batch_and_leaves_no_run() {
    let workspace = Workspace::new();
    let arguments = ["train", "tiny.json", "--range-test", "--csv", "range.csv"];
    let set = [&TINY[..], &["recipes.cosine.batch_size=10"]].concat();
    let output = workspace.nas_tui(&arguments, &set).output().unwrap();
    assert_ok(&output);
    let table = text(&output.stdout);
    assert!(
        table.starts_with("range test of tiny, recipe cosine, seed 1: ")
            && table.contains("suggested learning_rate (the peak of one_cycle): ")
            && table.contains("not which peak trains best"),
        "{table}"
    );
    let csv = fs::read_to_string(workspace.path("range.csv")).unwrap();
    let mut rows = csv.lines();
    assert_eq!(rows.next(), Some("batch,learning_rate,loss,running_loss"));
    let rates: Vec<f64> = rows
        .map(|row| row.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(rates.len() > 5 && rates.is_sorted() && rates[0] == 1e-3);
    assert!(!workspace.path("runs").exists());
    let again = workspace.nas_tui(&arguments, &set).output().unwrap();
    assert_eq!(text(&again.stdout), table, "seeded like a training");
}

#[test]
fn a_range_test_of_a_few_batches_is_refused() {
    let workspace = Workspace::new();
    let arguments = ["train", "tiny.json", "--range-test"];
    let output = workspace.nas_tui(&arguments, &TINY).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(
        error.contains("at least 20 batches") && error.contains("only 6"),
        "{error}"
    );
}
