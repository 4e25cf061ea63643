//! The inspector: viewing and editing one child.

use super::*;

#[test]
fn an_edited_child_in_training_is_labelled_as_edited() {
    let mut app = running(120, 40);
    let training = app
        .live
        .search_mut()
        .unwrap()
        .by_worker
        .get_mut(&0)
        .expect("worker 0 trains");
    let candidate = training.candidate.as_mut().expect("it was sampled");
    candidate.origin = nas_tui::state::CandidateOrigin::Edited { parent: 12 };
    press(&mut app, "\t\tf");
    assert_eq!(
        text(&app).matches("edited from child 12").count(),
        2,
        "{}",
        text(&app)
    );
}

#[test]
fn any_child_of_the_run_is_reached_by_arrow_keys_and_escape_follows_the_training_again() {
    let mut app = running(80, 24);
    let shown = app.shown_child().expect("a child is in training");
    press(&mut app, "4h");
    assert_eq!(app.shown_child(), Some(shown - 1));
    press(&mut app, "hh");
    assert_eq!(app.shown_child(), Some(shown - 3));
    press(&mut app, "l\x1b");
    assert_eq!(app.shown_child(), Some(shown));
}

#[test]
fn the_inspector_has_its_pages_and_closes_again() {
    let mut app = running(80, 24);
    let before = text(&app);
    press(&mut app, "b");
    for page in ["[Costs]", "[Curves]", "[Relatives]", "[Edit]", "[Graph]"] {
        press(&mut app, "\t");
        assert!(text(&app).contains(page), "{page}");
    }
    press(&mut app, "\x1b");
    assert_eq!(text(&app), before);
}

#[test]
fn an_edited_child_is_sent_for_training_with_its_parent() {
    let mut app = running(80, 24);
    press(&mut app, "b\t\t\t\t");
    // Whichever end of its options the first value is at, one of the two keys changes it.
    press(&mut app, "+");
    let is_largest = text(&app).contains("largest option");
    press(&mut app, if is_largest { "-" } else { "" });
    let Effect::Send(Command::Train { parent, dna }) = press(&mut app, "t") else {
        panic!("{}", text(&app))
    };
    assert_eq!(
        Some(parent),
        app.live
            .search()
            .outcomes
            .best
            .as_ref()
            .map(|best| best.child)
    );
    assert_ne!(
        Some(&dna),
        app.live
            .search()
            .outcomes
            .best
            .as_ref()
            .map(|best| &best.dna)
    );
}

#[test]
fn the_inspected_child_is_copied_and_saved() {
    let mut app = running(80, 24);
    let child = app
        .live
        .search()
        .outcomes
        .best
        .as_ref()
        .expect("a child has ended")
        .child;
    press(&mut app, "b");
    let Effect::Copy(code) = press(&mut app, "C") else {
        panic!("not copied")
    };
    assert!(
        code.contains("import torch") && text(&app).contains(&format!("child-{child}.py copied"))
    );
    let Effect::Save(files) = press(&mut app, "w") else {
        panic!("not saved")
    };
    assert_eq!(files.len(), 3);
}

#[test]
fn accuracy_and_reward_of_the_best_child_are_distinguished() {
    let app = running(80, 24);
    let best = app
        .live
        .search()
        .outcomes
        .best
        .clone()
        .expect("a child has ended");
    let text = text(&app);
    assert!(
        text.contains(&format!(
            " of 55 (optimistic) {:.2} %",
            best.accuracy * 100.0
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("reward {:.4}", best.reward)),
        "{text}"
    );
}
