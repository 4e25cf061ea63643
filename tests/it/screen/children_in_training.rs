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
fn rows_of_children_in_training_stay_where_they_are_when_figures_come() {
    for (width, height, rows_each) in [(80, 24, 2), (120, 40, 2), (200, 50, 1)] {
        for [first, second] in rows_of_workers(width, height) {
            assert_eq!(second - first, rows_each, "{width}x{height}");
        }
    }
}
