//! The rows of the children in training, while their figures come and go.

use super::*;

/// Where each of two workers is in the panel, as often as both train; the layout of networks, where the panel is the first.
fn rows_of_workers(width: u16, height: u16) -> Vec<[usize; 2]> {
    let records = journal();
    let mut app = app_with(&records[..1], Size::new(width, height), plain());
    press(&mut app, "4");
    let mut rows = Vec::new();
    for record in &records[1..200] {
        app.take(record);
        let busy = &app.live.search().by_worker;
        let (Some(first), Some(second)) = (busy.get(&0), busy.get(&1)) else {
            continue;
        };
        let names = [(0, first.child), (1, second.child)];
        app.refresh();
        let screen = text(&app);
        rows.push(names.map(|(worker, child)| {
            let name = format!("{worker} child {child:<3} ");
            let row = screen.lines().position(|line| line.contains(&name));
            row.unwrap_or_else(|| panic!("{name}:\n{screen}"))
        }));
    }
    assert!(rows.len() > 50, "{}", rows.len());
    rows
}

#[test]
fn an_epoch_in_progress_and_one_that_has_ended_are_told_apart_in_as_many_columns() {
    let records = journal();
    let mut app = app_with(&records[..1], Size::new(80, 24), plain());
    press(&mut app, "4");
    let shown = |app: &mut App, child: u64| {
        app.refresh();
        let screen = text(app);
        let name = format!("0 child {child:<3} ");
        let row = screen.lines().find(|line| line.contains(&name));
        row.map(str::to_owned)
    };
    let mut rows = [None, None];
    for record in &records[1..60] {
        app.take(record);
        let place = match &record.event {
            Event::ChildStarted { child, .. } => Some((0, *child)),
            Event::ChildEpoch(epoch) if epoch.epoch == 1 => Some((1, epoch.child)),
            _ => None,
        };
        if let Some((place, child)) = place {
            rows[place] = shown(&mut app, child).or(rows[place].take());
        }
    }
    let [before, after] = rows.map(Option::unwrap);
    assert!(before.ends_with(" in epoch 1/3"), "{before}");
    assert!(after.ends_with(" 1/3 epochs"), "{after}");
    let bar = |row: &str| row.chars().filter(|mark| ['━', '─'].contains(mark)).count();
    assert_eq!(bar(&before), bar(&after));
}

#[test]
fn rows_of_children_in_training_stay_where_they_are_when_figures_come() {
    for (width, height, rows_each) in [(80, 24, 2), (120, 40, 2), (200, 50, 1)] {
        for [first, second] in rows_of_workers(width, height) {
            assert_eq!(second - first, rows_each, "{width}x{height}");
        }
    }
}
