//! Nodes, daemons, the controller and the engine are killed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;

use super::*;

/// Two episodes of 32 children of two layers on the embedded images.
const SMALL: [&str; 14] = [
    "data.limit=600",
    "data.validation=200",
    "search.episodes=2",
    "search.children_per_episode=32",
    "search.controls=0",
    "search.initial_depth=2",
    "search.depth_step=0",
    "search.reuse=never",
    "space.filters=[8,16]",
    "child.epochs=20",
    "child.batch_size=25",
    "reward.last_epochs=1",
    "workers.threads=1",
    "workers.device=cpu",
];

const CHILDREN: usize = 64;

const PER_TASK: [&str; 1] = ["slurm.children_per_task=4"];

/// What the same search gives with workers of this machine.
fn control() -> BTreeMap<u64, (u32, Vec<f64>)> {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("control");
    Search::start(&run, &[&SMALL, &["workers.count=2"]], None).end();
    ends(&records(&run))
}

/// The jobs of the batches that the journal says are to be submitted.
fn intended(run: &Path) -> Vec<String> {
    let records = records(run).into_iter();
    let jobs = records.filter_map(|record| match record.event {
        Event::BatchIntended { job, .. } => Some(job),
        _ => None,
    });
    jobs.collect()
}

fn check(run: &Path) {
    static CONTROL: OnceLock<BTreeMap<u64, (u32, Vec<f64>)>> = OnceLock::new();
    let control = CONTROL.get_or_init(control);
    let ends = ends(&records(run));
    assert_eq!(ends.len(), CHILDREN, "nothing is lost");
    assert!(
        ends.values().all(|(times, _)| *times == 1),
        "nothing is counted twice"
    );
    assert_eq!(ends, *control, "the same accuracies as on this machine");
}

/// Kill a node that trains a child, so that this child loses its task: one that was just done when the
/// node died proves nothing.
fn kill_a_node_at_work(search: &mut Search) -> InTraining {
    loop {
        let victim = search.in_training(1, None);
        fault(&["kill-node", &victim.node]);
        if !has_result(&search.run, victim.child) {
            return victim;
        }
        fault(&["start-daemon", &victim.node]);
    }
}

#[test]
fn a_search_survives_the_loss_of_nodes_daemons_and_the_controller() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("faults");
    let mut search = Search::start(&run, &[&SMALL, &SLURM, &PER_TASK], None);
    let killed = kill_a_node_at_work(&mut search);
    eprintln!(
        "killed the node {}, which trained child {}",
        killed.node, killed.child
    );
    search.wait_for("notice of the lost child", |records| {
        let mut events = records.iter().map(|record| &record.event);
        events.find(|event| matches!(event, Event::ChildRetried { child, .. } if *child == killed.child)).cloned()
    });
    let deserted = search.in_training(1, Some(&killed.node));
    fault(&["kill-daemon", &deserted.node]);
    eprintln!(
        "killed the daemon of {}, which trained child {}",
        deserted.node, deserted.child
    );
    search.wait_for("result of its child", |records| {
        ends(records).get(&deserted.child).cloned()
    });
    search.in_training(1, None);
    fault(&["kill-controller"]);
    eprintln!("killed the controller");
    // Longer than the time between two questions to it.
    std::thread::sleep(Duration::from_secs(20));
    fault(&["start-controller"]);
    fault(&["start-daemon", &killed.node]);
    fault(&["start-daemon", &deserted.node]);
    search.end();
    check(&run);
}

/// An `sbatch` that submits and then kills the engine before it can know.
fn killing_sbatch(folder: &Path, times: u32) -> PathBuf {
    let path = folder.join("bin");
    fs::create_dir_all(&path).unwrap();
    let real =
        String::from_utf8(Command::new("which").arg("sbatch").output().unwrap().stdout).unwrap();
    let count = folder.join("killed");
    let text = format!(
        "#!/bin/bash\nout=$({} \"$@\") || exit 1\necho x >> {count}\nif [ $(wc -l < {count}) -le {times} ]; then kill -9 $PPID; fi\necho \"$out\"\n",
        real.trim(),
        count = count.display()
    );
    let file = path.join("sbatch");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn an_engine_killed_between_sbatch_and_its_record_finds_its_job_by_name() {
    if !slurm_runs() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("killed-engine");
    let path = killing_sbatch(folder.path(), 1);
    let mut search = Search::start(&run, &[&SMALL, &SLURM, &PER_TASK], Some(&path));
    assert!(!search.child.wait().unwrap().success());
    assert_eq!(intended(&run).len(), 1, "the journal has the intent");
    let manifest = run.join("slurm/batches/1/manifest.jsonl");
    assert!(manifest.is_file() && !run.join("slurm/batches/1/job").is_file());
    // Results arrive while no engine runs.
    let results = || {
        fs::read_dir(run.join("slurm/inbox"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("result-"))
    };
    let begin = Instant::now();
    while results().count() < 8 {
        assert!(begin.elapsed() < Duration::from_secs(200), "no results");
        std::thread::sleep(Duration::from_millis(200));
    }
    Search::start(&run, &[], None).end();
    check(&run);
    let batches = fs::read_dir(run.join("slurm/batches")).unwrap().count();
    assert_eq!(intended(&run).len(), batches);
    assert_eq!(
        batches, 2,
        "one array for each episode: nothing was submitted twice"
    );
}
