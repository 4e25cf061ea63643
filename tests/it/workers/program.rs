//! Workers of the program itself.

use super::*;

/// `nas-tui bench` with the children of `file`, on noise.
fn bench(file: &Path, images: &str) -> Command {
    let mut command = Command::new(program());
    command
        .args([
            "bench",
            "--json",
            "--workers",
            "1",
            "--images",
            images,
            "--children",
        ])
        .arg(file);
    command
}

fn children_file(folder: &Path) -> PathBuf {
    let file = folder.join("children.json");
    let child = Architecture {
        input: [2, 12, 12],
        classes: 3,
        ..architecture(4)
    };
    std::fs::write(&file, serde_json::to_string(&[child]).unwrap()).unwrap();
    file
}

#[test]
fn output_of_libraries_on_standard_output_never_reaches_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    // oneDNN reports every primitive it runs on standard output.
    let output = bench(&children_file(folder.path()), "256")
        .env("ONEDNN_VERBOSE", "1")
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("onednn_verbose"), "{stderr}");
    let lines: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[0]["child"], &lines[1]["children"]),
        (2, &0.into(), &1.into()),
        "{stdout}"
    );
}

#[test]
fn workers_die_with_a_parent_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = bench(&children_file(folder.path()), "9000000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let worker = loop {
        if let Some(&worker) = children_of(parent.id()).first() {
            break worker;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    };
    parent.kill().unwrap();
    parent.wait().unwrap();
    while is_running(worker) {
        assert!(Instant::now() < deadline, "worker {worker} lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processes whose parent is `pid`, whichever of its threads started them.
pub fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children =
        tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    children
        .flat_map(|list| {
            list.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// A zombie that its new parent has not collected does not count.
fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
