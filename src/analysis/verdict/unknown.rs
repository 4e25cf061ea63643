//! Why nothing can be said of what a run has learned: not yet, or not any more. The longest form comes first.

/// Controls needed for a lift, see [`PolicyLift::of`].
const FEWEST_CONTROLS: usize = 3;

/// Of a run that may still get enough controls.
pub fn awaiting(controls: usize) -> Vec<String> {
    let missing =
        format!("not yet: needs {FEWEST_CONTROLS} controls after episode 1, has {controls}");
    vec![
        format!("Does it learn? {missing}"),
        format!("Does it learn? not yet: {controls} of {FEWEST_CONTROLS} controls"),
        missing,
        format!("not yet: {controls} of {FEWEST_CONTROLS} controls"),
        "too early".to_owned(),
    ]
}

/// Of a run without controls that may still get enough episodes.
pub fn too_early(have: usize) -> Vec<String> {
    let missing = "not yet: needs 3 finished episodes";
    vec![
        format!("Does it learn? {missing}, has {have}"),
        format!("Does it learn? not yet: {have} of 3 episodes"),
        format!("{missing}, has {have}"),
        format!("not yet: {have} of 3 episodes"),
        "too early".to_owned(),
    ]
}

/// Of a run that has ended without enough controls: none will come.
pub fn no_lift(controls: usize) -> Vec<String> {
    let had = format!("{controls} of {FEWEST_CONTROLS}");
    let word = if controls == 1 { "control" } else { "controls" };
    let why = format!("unknown: only {controls} {word} after episode 1, needs {FEWEST_CONTROLS}");
    vec![
        format!("Does it learn? {why}"),
        format!("Does it learn? unknown: {had} controls"),
        why,
        format!("unknown: {had} controls"),
        "unknown".to_owned(),
    ]
}

/// Of a run without controls that has ended with too few episodes.
pub fn no_trend(had: usize) -> Vec<String> {
    let word = if had == 1 { "episode" } else { "episodes" };
    let why = format!("unknown: only {had} {word}, needs 3");
    vec![
        format!("Does it learn? {why}"),
        format!("Does it learn? unknown: {had} of 3 episodes"),
        why,
        format!("unknown: {had} of 3 episodes"),
        "unknown".to_owned(),
    ]
}
