//! Why nothing can be said of what a run has learned: not yet, or not any more. The longest form comes first.

use crate::foundation::numbers::counted;

/// Controls needed for a lift, see [`PolicyLift::of`].
const FEWEST_CONTROLS: usize = 3;
/// Finished episodes needed for a trend.
const FEWEST_EPISODES: usize = 3;

/// Of a run that may still get enough controls.
pub fn awaiting(controls: usize) -> Vec<String> {
    let forms = in_too_few_episodes(controls).unwrap_or_else(|| {
        [
            format!("needs {FEWEST_CONTROLS} controls after episode 1, has {controls}"),
            format!("{}, needs {FEWEST_CONTROLS}", that_count(controls)),
        ]
    });
    in_forms("not yet", forms, "too early")
}

/// Of a run without controls that may still get enough episodes.
pub fn too_early(have: usize) -> Vec<String> {
    let why = format!("needs {FEWEST_EPISODES} finished episodes, has {have}");
    let brief = format!("needs {FEWEST_EPISODES} episodes, has {have}");
    in_forms("not yet", [why, brief], "too early")
}

/// Of a run that has ended without enough controls: none will come.
pub fn no_lift(controls: usize) -> Vec<String> {
    let had = counted(controls as u64, "control");
    let forms = in_too_few_episodes(controls).unwrap_or_else(|| {
        [
            format!("only {had} after episode 1, needs {FEWEST_CONTROLS}"),
            format!("{}, needed {FEWEST_CONTROLS}", that_count(controls)),
        ]
    });
    in_forms("unknown", forms, "unknown")
}

/// What the text at the end of a search says in place of a lift.
pub fn without_lift() -> String {
    format!(
        "policy against random: unknown, needs {FEWEST_CONTROLS} controls after episode 1, in at least 2 episodes"
    )
}

/// Why enough controls are still no lift: those of one episode, or beside single children, have no trend or no spread
/// to be compared with.
fn in_too_few_episodes(controls: usize) -> Option<[String; 2]> {
    let why = "needs controls in 2 episodes after episode 1, of at least 2 children each";
    (controls >= FEWEST_CONTROLS)
        .then(|| [why.to_owned(), "needs controls in 2 episodes".to_owned()])
}

/// Of a run without controls that has ended with too few episodes.
pub fn no_trend(had: usize) -> Vec<String> {
    let episodes = counted(had as u64, "episode");
    let why = format!("only {episodes}, needs {FEWEST_EPISODES}");
    let brief = format!("needed {FEWEST_EPISODES} episodes, had {had}");
    in_forms("unknown", [why, brief], "unknown")
}

/// Controls of the first episode do not count: the policy had learned nothing.
fn that_count(controls: usize) -> String {
    let verb = if controls == 1 { "counts" } else { "count" };
    format!("{} {verb}", counted(controls as u64, "control"))
}

/// The answer and its reason, at length and in brief, first with the question; last a word.
fn in_forms(answer: &str, [why, brief]: [String; 2], word: &str) -> Vec<String> {
    vec![
        format!("Does it learn? {answer}: {why}"),
        format!("Does it learn? {brief}"),
        format!("{answer}: {brief}"),
        word.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_controls_in_too_few_episodes_are_not_said_to_be_too_few() {
        for forms in [awaiting(4), no_lift(4)] {
            assert!(
                forms[0].contains("needs controls in 2 episodes"),
                "{forms:?}"
            );
            assert!(
                !forms.iter().any(|form| form.contains("needs 3")),
                "{forms:?}"
            );
        }
        assert!(awaiting(2)[0].contains("needs 3 controls after episode 1, has 2"));
    }
}
