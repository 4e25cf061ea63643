//! A search whose children are trained by a Slurm cluster: what runs, where, in which attempt, and what
//! waits in the queue.

use super::*;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// The recorded run up to its middle, as a cluster would have trained it: some children are in their second
/// attempt, some wait in the queue.
fn of_cluster() -> Vec<Record> {
    let all = journal();
    let mut records = half(&all).to_vec();
    for record in &mut records {
        match &mut record.event {
            Event::RunStarted(run) => run.device = Some("cpu (slurm)".to_owned()),
            Event::ChildStarted {
                child,
                worker,
                host,
                task,
                attempt,
                ..
            } => {
                *host = Some(format!("gpu-a100-{:03}", *worker + 17));
                *task = Some(format!("4711_{child}"));
                *attempt = 1 + u32::from(*child % 2 == 0);
            }
            _ => {}
        }
    }
    records
}

/// The same, after the cluster has put every child in training back into its queue.
fn all_in_queue() -> Vec<Record> {
    let mut records = of_cluster();
    let last = records.last().cloned().unwrap();
    let mut state = RunState::default();
    records.iter().for_each(|record| state.apply(record));
    for training in state.search().by_worker.values() {
        let event = Event::ChildRetried {
            child: training.child,
            reason: "its Slurm task 4711_1 waits in the queue again".to_owned(),
        };
        records.push(Record {
            seq: last.seq.map(|seq| seq + 1),
            event,
            ..last.clone()
        });
    }
    records
}

fn app(records: &[Record], width: u16, height: u16) -> App {
    app_with(records, Size::new(width, height), plain())
}

#[test]
fn queue_node_and_attempt_are_shown_at_the_usual_sizes() {
    for (width, height) in SIZES {
        let app = app(&of_cluster(), width, height);
        assert_snapshot!(format!("slurm_{width}x{height}"), text(&app));
    }
}

#[test]
fn all_children_in_training_and_in_the_queue_are_in_the_layout_of_networks() {
    for (width, height) in SIZES {
        let mut app = app(&of_cluster(), width, height);
        press(&mut app, "4");
        assert_snapshot!(format!("slurm_network_{width}x{height}"), text(&app));
    }
}

#[test]
fn the_queue_is_shown_beside_children_that_take_all_rows() {
    for (width, height, keys) in [(80, 24, "5"), (80, 24, "4"), (120, 40, ""), (200, 50, "")] {
        let mut app = app(&of_cluster(), width, height);
        press(&mut app, keys);
        let screen = text(&app);
        assert!(screen.contains("running 2  queue 6  nodes 2"), "{screen}");
        assert!(screen.contains("in the queue: child 59-64"), "{screen}");
        for child in ["child 57 ", "child 58 "] {
            assert!(screen.contains(child), "{screen}");
        }
    }
    let app = app(&of_cluster(), 80, 24);
    assert!(text(&app).contains("running 2  queue 6"), "in the header");
}

#[test]
fn children_scroll_above_a_queue_that_stays_in_view() {
    let mut records = of_cluster();
    for record in &mut records {
        if let Event::RunStarted(run) = &mut record.event {
            run.workers = 40;
        }
    }
    let mut app = app(&records, 60, 20);
    press(&mut app, "5");
    let screen = text(&app);
    assert!(screen.contains("in the queue: child 59-64"), "{screen}");
    app.view.focus = nas_tui::tui::PanelId("workers");
    press(&mut app, "f");
    assert!(text(&app).contains("in the queue: child 59-64"));
}

#[test]
fn the_inspector_tells_node_task_and_attempt_of_a_child_in_training() {
    let mut app = app(&of_cluster(), 80, 24);
    press(&mut app, "\n");
    assert_snapshot!("slurm_inspector_80x24", text(&app));
}

#[test]
fn children_that_the_cluster_has_put_back_are_in_the_queue_and_nowhere_else() {
    let mut app = app(&all_in_queue(), 80, 24);
    press(&mut app, "4");
    assert_snapshot!("slurm_all_in_queue_80x24", text(&app));
}

#[test]
fn a_long_name_of_a_node_is_shown_without_its_domain_and_leaves_room_for_loss_and_accuracy() {
    let mut records = of_cluster();
    for record in &mut records {
        if let Event::ChildStarted { host, .. } = &mut record.event {
            *host = Some("compute-node-with-gpus-0017.physics.example.org".to_owned());
        }
    }
    let mut app = app(&records, 60, 24);
    press(&mut app, "4");
    let screen = text(&app);
    let (training, dna) = screen.split_once(" DNA child").unwrap();
    assert!(
        training.contains("on compute-node-with-gpus-0017 attempt"),
        "{screen}"
    );
    assert!(!screen.contains("physics"), "{screen}");
    assert!(
        dna.contains("loss 1.440") && dna.contains("valid 50.5 %"),
        "{screen}"
    );
}
