//! What the screen answers to keys that mean nothing here, and that it offers none that would do nothing.

use ratatui::layout::Size;

use super::App;
use super::at_hand_tests::told;
use super::hints_tests::{footer, frame};
use super::list_tests::{app, press, read_all};
use crate::link::LinkStatus;

fn shown(app: &App) -> String {
    frame(app).join("\n")
}

#[test]
fn a_key_of_the_inspector_says_elsewhere_how_to_open_it() {
    let mut app = app();
    press(&mut app, "w");
    assert_eq!(told(&app), "open a child in the inspector first: Enter");
}

#[test]
fn an_edited_child_is_not_asked_for_where_it_could_not_be_trained() {
    let mut app = app();
    app.take_link(LinkStatus::Ended);
    press(&mut app, "b\t\t\t\tt");
    assert!(
        !told(&app).contains("change a value first"),
        "{}",
        told(&app)
    );
    let final_reason = told(&app).to_owned();
    read_all(&mut app);
    press(&mut app, "+t");
    assert_eq!(told(&app), final_reason);
}

#[test]
fn scrolling_is_offered_in_the_inspector_only_where_not_all_rows_fit() {
    let mut app = app();
    app.view.size = Size::new(100, 30);
    press(&mut app, "b");
    read_all(&mut app);
    press(&mut app, "\t");
    assert!(shown(&app).contains("[Costs]") && !footer(&app).contains("scroll"));
    app.view.size = Size::new(80, 15);
    assert!(footer(&app).contains("scroll"), "{}", footer(&app));
    press(&mut app, "\t\t");
    assert!(footer(&app).contains("choose"), "{}", footer(&app));
}

#[test]
fn a_comparison_of_nothing_offers_no_child_no_note_and_no_scrolling() {
    let mut app = app();
    app.view.size = Size::new(120, 40);
    app.take_link(LinkStatus::Ended);
    press(&mut app, "c");
    for word in ["child", "scroll", "note"] {
        assert!(!footer(&app).contains(word), "{}", footer(&app));
    }
    press(&mut app, "cmjjmc");
    read_all(&mut app);
    assert!(footer(&app).contains("child") && footer(&app).contains("note"));
    assert!(!footer(&app).contains("scroll"), "{}", footer(&app));
    app.view.size = Size::new(80, 15);
    assert!(footer(&app).contains("scroll"), "{}", footer(&app));
}

#[test]
fn the_front_says_why_it_is_empty_and_how_many_it_shows() {
    let mut app = app();
    app.view.size = Size::new(100, 30);
    press(&mut app, "p");
    assert!(shown(&app).contains("Accuracy against MACs 95 of 96 children"));
    press(&mut app, "/failed\n");
    let failed = shown(&app);
    assert!(
        failed.contains("Accuracy against MACs 0 of 96 children")
            && failed.contains(
                "none of the children shown was proposed by the search and has an accuracy"
            ),
        "{failed}"
    );
    assert!(!footer(&app).contains("front"), "{}", footer(&app));
    press(&mut app, "/ & acc>0\n");
    assert!(shown(&app).contains("the filter shows none of the 96 children"));
}

#[test]
fn a_list_of_no_children_offers_only_what_changes_that() {
    let mut app = app();
    app.take_link(LinkStatus::Ended);
    app.view.size = Size::new(120, 40);
    assert!(footer(&app).contains("mark") && footer(&app).contains("note"));
    press(&mut app, "/acc>99%\n");
    for word in ["child ", "mark", "note"] {
        assert!(!footer(&app).contains(word), "{}", footer(&app));
    }
    assert!(footer(&app).contains("filter"), "{}", footer(&app));
}

#[test]
fn keys_of_a_list_without_children_leave_the_chosen_child_alone() {
    let mut app = app();
    press(&mut app, "jj/acc>99%\n");
    let chosen = app.shown_child();
    for keys in ["s", "S", "r", "j", "cj", "ck", "p", "j"] {
        press(&mut app, keys);
        assert_eq!(app.shown_child(), chosen, "{keys}");
    }
}

#[test]
fn scrolling_a_comparison_of_nothing_chooses_no_child() {
    let mut app = app();
    let live = app.shown_child();
    press(&mut app, "cjjk");
    assert_eq!(app.shown_child(), live);
}

#[test]
fn all_differences_of_the_selected_relative_can_be_read() {
    let mut app = app();
    press(&mut app, "b");
    read_all(&mut app);
    press(&mut app, "\t\t\t");
    for _ in 0..10 {
        let rows = frame(&app);
        let first = rows
            .iter()
            .position(|row| row.contains("in child "))
            .unwrap();
        let table = rows
            .iter()
            .position(|row| row.contains("relation"))
            .unwrap();
        assert!(
            rows[first..table].iter().all(|row| !row.contains('…')),
            "{rows:#?}"
        );
        press(&mut app, "j");
    }
}
