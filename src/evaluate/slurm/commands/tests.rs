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
    // A site's own text may say anything.
    let site = "sbatch: error: Please contact support@site, or send a message\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy";
    assert!(matches!(read(1, "", site), Submission::Refused(_)));
    let before_it_was_asked = "sbatch: error: No partition specified. Contact support";
    assert!(matches!(
        read(1, "", before_it_was_asked),
        Submission::Refused(_)
    ));
}

#[test]
fn an_order_that_slurm_may_not_have_heard_is_told_from_one_that_it_has_refused() {
    assert!(is_doubtful(
        "scontrol: slurm_update error: Unable to contact slurm controller (connect failure)"
    ));
    assert!(!is_doubtful("scontrol: 34_2: Access/permission denied"));
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
    let output = "1|3|nas-r.7|PENDING||JobArrayTaskLimit\n1|0|nas-r.7|RUNNING|n1|None\n2|0|other|RUNNING|n1|None\nslurm: hello\n";
    read_list(output, &names, &mut listed);
    assert_eq!(listed.len(), 2);
    let task = &listed[&TaskId { batch: 7, index: 3 }];
    assert_eq!(
        (task.job.as_str(), task.state.as_str(), task.reason.as_str()),
        ("1", "PENDING", "JobArrayTaskLimit")
    );
    let running = &listed[&TaskId { batch: 7, index: 0 }];
    assert_eq!((task.node.as_str(), running.node.as_str()), ("", "n1"));
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

fn settings() -> SlurmConfig {
    crate::config::resolve(&crate::config::Options::default())
        .unwrap()
        .slurm
}

#[test]
fn a_task_ends_with_the_first_line_of_its_setup_that_fails() {
    let mut config = settings();
    config.setup = vec!["module load cuda".to_owned()];
    let text = script(&config, Path::new("/nas-tui"), Path::new("/run"), 3);
    assert!(
        text.starts_with("#!/bin/sh\nset -e\nmodule load cuda\nexec "),
        "{text}"
    );
}

#[test]
fn nodes_to_avoid_are_added_to_those_that_the_user_excludes() {
    let avoid = ["n7".to_owned()];
    let last = |option: &str, avoid: &[String]| {
        let mut config = settings();
        config.options = vec![option.to_owned()];
        let arguments = submission(&config, "nas-r.1", 2, 1, avoid, Path::new("/run"));
        // The last one is the script.
        arguments[arguments.len() - 2].clone()
    };
    for option in ["--exclude=n[1-3]", "-xn[1-3]"] {
        assert_eq!(last(option, &avoid), "--exclude=n[1-3],n7");
        assert_eq!(last(option, &[]), option);
    }
    assert_eq!(last("--partition=gpu", &avoid), "--exclude=n7");
    let file = "--exclude=/cluster/bad_nodes";
    assert_eq!(last(file, &avoid), file, "a file cannot be added to");
}

#[test]
fn the_script_quotes_what_a_shell_would_read() {
    let config = settings();
    let text = script(&config, Path::new("/a b/nas'tui"), Path::new("/run"), 3);
    assert_eq!(
        text,
        "#!/bin/sh\nexec '/a b/nas'\\''tui' slurm-task '/run' 3\n"
    );
}
