//! No panel of a training is cut where it has as many rows as it says that it needs.

use super::*;

/// Whether a panel's title ends with a position as `1-7 of 9`.
fn is_cut(title: &str) -> bool {
    let words: Vec<&str> = title.split_whitespace().collect();
    let is_number = |word: &str| {
        word.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let mut windows = words.windows(3);
    windows.any(|words| words[1] == "of" && is_number(words[0]) && is_number(words[2]))
}

/// What a row of the screen shows in these columns.
fn row(frame: &Buffer, area: Rect) -> String {
    let columns = area.left()..area.right();
    columns.map(|x| frame[(x, area.y)].symbol()).collect()
}

#[test]
fn no_panel_of_a_training_is_cut_if_it_has_the_rows_that_it_needs() {
    let (mut seen, mut cut) = (0, 0);
    let runs = [
        example::running(0),
        example::running(18),
        example::finished(),
    ];
    for events in runs {
        let mut app = app(&events, 80, 24);
        for (width, height) in (60..=200)
            .step_by(20)
            .flat_map(|width| (15..=60).step_by(9).map(move |height| (width, height)))
        {
            app.view.size = Size::new(width, height);
            for layout in ["1", "2", "3", "4", "5", "\tf", "f\tf"] {
                press(&mut app, layout);
                let frame = draw(&app);
                for (panel, area) in app.areas().expect("large enough").panels {
                    let needs = app.scene().need(panel, area.width);
                    let Some(needs) = needs else { continue };
                    let is_cut = is_cut(&row(&frame, area));
                    let has_room = area.height >= needs;
                    assert!(!(is_cut && has_room), "{panel:?} {needs}\n{}", text(&app));
                    (seen, cut) = (seen + usize::from(has_room), cut + usize::from(is_cut));
                }
            }
        }
    }
    assert!(seen > 100 && cut > 10, "{seen} {cut}");
}
