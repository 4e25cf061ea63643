//! Keys that are meant for the user's program, or for nobody.

use super::*;

#[test]
fn quitting_the_pager_with_a_signal_leaves_the_screen_alone() {
    let place = Place::new();
    let mut terminal = place.replay("./pager");
    terminal.keys("V");
    terminal.wait_for("PAGER");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.keys("\x1c");
    terminal.wait_for("TOLD-TO-QUIT");
    assert!(place.shown().exists());
    terminal.keys("q");
    terminal.wait_for("REPLAY ENDED");
    assert!(!place.shown().exists());
    leave(&mut terminal);
}

#[test]
fn a_key_pressed_twice_to_return_is_no_key_of_the_screen() {
    let place = Place::new();
    let mut terminal = place.replay("cat");
    terminal.keys("O");
    terminal.wait_for("press any key to return");
    terminal.keys("qq");
    terminal.wait_for("REPLAY ENDED");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.keys("?");
    terminal.wait_for("pause or resume the run");
    terminal.keys("\x1b");
    terminal.wait_until("screen without help", |contents| {
        !contents.contains("pause or resume the run")
    });
    leave(&mut terminal);
}
