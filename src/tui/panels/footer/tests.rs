//! The line being typed, and messages about it.

use super::*;
use crate::tui::sample;

#[test]
fn the_end_of_a_long_line_is_visible_whatever_its_characters() {
    for part in ["x", "größe ", "猫", "👩 "] {
        let line = TextLine::new(Purpose::Filter, &format!("{}!", part.repeat(60)));
        let drawn = sample::drawn((40, 1), false, |painter| draw_line(&line, painter));
        assert!(drawn.ends_with('!'), "{drawn}");
    }
}

#[test]
fn a_message_without_room_beside_the_line_is_whole_above_it() {
    let mut line = TextLine::new(Purpose::Columns, "");
    let names = "child episode accuracy reward params macs layers time energy entropy";
    line.problem = Some(names.to_owned());
    let drawn = sample::drawn((40, 4), false, |painter| {
        Footer::Typed(&line).draw_above(painter);
    });
    let rows: Vec<&str> = drawn.lines().map(str::trim).collect();
    assert_eq!(rows[1..3].join(" "), names, "{drawn}");
    line.problem = None;
    line.doubt = Some(names.to_owned());
    let drawn = sample::drawn((40, 4), false, |painter| {
        Footer::Typed(&line).draw_above(painter);
    });
    assert!(drawn.contains("child episode"), "{drawn}");
    line.problem = Some("short".to_owned());
    let drawn = sample::drawn((40, 4), false, |painter| {
        Footer::Typed(&line).draw_above(painter);
    });
    assert!(drawn.trim().is_empty(), "{drawn}");
}

#[test]
fn only_what_fits_before_the_cursor_is_shown() {
    assert_eq!(end_of("abc", 3), "abc");
    assert_eq!(end_of("abc", 2), "bc");
    assert_eq!(end_of("猫猫猫", 5), "猫猫");
    assert_eq!(end_of("猫", 1), "");
    assert_eq!(end_of("", 0), "");
}

#[test]
fn a_message_leaves_all_of_the_line_in_view_that_it_is_about() {
    let mut line = TextLine::new(Purpose::Filter, "aacc>0.7 & params<1e6");
    line.doubt = Some("at 1: there is no `aacc`; did you mean acc?".to_owned());
    for width in 60..90 {
        let drawn = sample::drawn((width, 2), false, |painter| {
            Footer::Typed(&line).draw_above(painter);
            draw_line(
                &line,
                &mut painter.part(ratatui::layout::Rect::new(0, 1, width, 1)),
            );
        });
        assert!(drawn.contains("aacc>0.7 & params<1e6"), "{width}: {drawn}");
        assert_eq!(drawn.matches("did you mean acc?").count(), 1, "{drawn}");
    }
}
