use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn printed(code: i32, output: &str, errors: &str) -> Result<Printed, String> {
    Ok(Printed {
        status: ExitStatus::from_raw(code << 8),
        output: output.to_owned(),
        errors: errors.to_owned(),
    })
}

#[test]
fn only_slurms_own_refusal_is_one() {
    let read = |code, output, errors| read_submission(printed(code, output, errors));
    assert_eq!(read(0, "4711\n", ""), Submission::Accepted("4711".into()));
    assert_eq!(
        read(0, "4711;cluster\n", ""),
        Submission::Accepted("4711".into())
    );
    let refusal = "sbatch: error: Batch job submission failed: Invalid account";
    assert!(matches!(read(1, "", refusal), Submission::Refused(_)));
    // As printed by Slurm 22.05 whose controller was killed.
    let silence = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)";
    assert!(matches!(read(1, "", silence), Submission::Unknown(_)));
    let late =
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation";
    assert!(matches!(read(1, "", late), Submission::Unknown(_)));
    assert!(matches!(read(0, "", ""), Submission::Unknown(_)));
}

#[test]
fn of_an_answer_for_each_task_only_what_failed_is_told() {
    let told = |code, errors| complaint("scontrol", &printed(code, "", errors).unwrap());
    assert_eq!(told(0, "34_1: No error\n"), None);
    // As printed by Slurm 22.05 for two tasks of an array, one of which had ended.
    let ended = "34_1: No error\n34_2: Job has already finished\n";
    assert_eq!(told(1, ended), None);
    let refused = "34_1: No error\n34_2: Access/permission denied\n";
    let expected = "scontrol: 34_2: Access/permission denied".to_owned();
    assert_eq!(told(1, refused), Some(expected));
    assert!(told(1, "").unwrap().contains("without a reason"));
}

#[test]
fn a_list_is_read_and_foreign_lines_are_passed_over() {
    let names = BTreeMap::from([("nas-r.7".to_owned(), 7)]);
    let mut listed = BTreeMap::new();
    let output = "1|3|nas-r.7|PENDING|JobArrayTaskLimit\n1|0|nas-r.7|RUNNING|None\n2|0|other|RUNNING|None\nslurm: hello\n";
    read_list(output, &names, &mut listed);
    assert_eq!(listed.len(), 2);
    let task = &listed[&TaskId { batch: 7, index: 3 }];
    assert_eq!(
        (task.job.as_str(), task.state.as_str(), task.reason.as_str()),
        ("1", "PENDING", "JobArrayTaskLimit")
    );
}

#[test]
fn jobs_are_cancelled_by_their_numbers_together_and_by_their_names_one_by_one() {
    let texts =
        |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
    let requests = cancel(&texts(&["7", "9"]), &texts(&["nas-r.3", "nas-r.4"]));
    let arguments = requests.into_iter().map(|request| match request {
        Request::Tell {
            program: "scancel",
            arguments,
        } => arguments,
        other => panic!("{other:?}"),
    });
    let expected = [&["7", "9"][..], &["--name=nas-r.3"], &["--name=nas-r.4"]];
    assert!(arguments.eq(expected.map(texts)));
    assert!(cancel(&[], &[]).is_empty());
}

#[test]
fn limits_are_read_from_slurms_own_words() {
    let config = "Configuration data as of 2026\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n";
    assert_eq!(
        read_limits(config),
        Limits {
            array: 1_001,
            jobs: 10_000
        }
    );
    assert_eq!(read_limits("MaxArraySize = many"), DEFAULT_LIMITS);
}

#[test]
fn the_script_quotes_what_a_shell_would_read() {
    let config = crate::config::resolve(&crate::config::Options::default())
        .unwrap()
        .slurm;
    let text = script(&config, Path::new("/a b/nas'tui"), Path::new("/run"), 3);
    assert_eq!(
        text,
        "#!/bin/sh\nexec '/a b/nas'\\''tui' slurm-task '/run' 3\n"
    );
}
