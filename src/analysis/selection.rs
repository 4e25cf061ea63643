//! Selection optimism: the best accuracy of a search is the highest of many on one set of
//! validation images, so part of it is luck. Said in the same words wherever it stands.
//!
//! Without a number: how much of it is luck depends on the noise of a single training, which a
//! search that trains each network once does not tell (`nas-tui reliability` measures it, and
//! `nas-tui rank` trains the best ones again).

use crate::event::Found;
use crate::foundation::numbers::{count, counted};
use crate::state::Counts;

/// What stands by a table with the best accuracies of runs.
pub const BEST_IS_OPTIMISTIC: &str =
    "Best accuracy: the best of many by one noisy validation, and so optimistic";

/// The choice of the best child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Number of children among which the best was chosen.
    pub children: usize,
}

impl Selection {
    /// The choice among the children of a search so far.
    pub fn of(counts: &Counts) -> Selection {
        Selection {
            children: counts.compared(),
        }
    }

    /// `best of 160 by validation: optimistic`; `None` if there was no choice.
    pub fn words(self) -> Option<String> {
        (self.children > 1).then(|| format!("best of {} by validation: optimistic", self.children))
    }

    /// After the word best: `of 160 (optimistic)`.
    pub fn briefest(self) -> Option<String> {
        (self.children > 1).then(|| format!("of {} (optimistic)", self.children))
    }

    /// The same as a sentence, with the reason.
    pub fn sentence(self) -> String {
        format!(
            "The best accuracy is the highest of {} children on one set of validation images: because it was \
             chosen for being the highest, it is likely to be lower on other images and in another training. Its interval covers the chance of the images, but not that of the choice.",
            count(self.children as u64)
        )
    }
}

/// Which child of which search a network is, how it was chosen, and what its accuracy there is of.
pub fn found_in_words(found: &Found) -> String {
    let children = found.best_of.unwrap_or(0);
    let selection = Selection { children }.words();
    format!(
        "child {} of {}{}; {} on {} images",
        found.child,
        found.run,
        selection.map_or(String::new(), |words| format!(", {words}")),
        counted(found.child_epochs as u64, "epoch"),
        count(found.train_images as u64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_and_a_failure_are_no_choice() {
        let counts = Counts {
            sampled: 12,
            repeats: 2,
            failures: 3,
            excluded: 1,
            ..Counts::default()
        };
        let selection = Selection::of(&counts);
        assert_eq!(
            selection.words().as_deref(),
            Some("best of 6 by validation: optimistic")
        );
        assert!(
            selection
                .sentence()
                .starts_with("The best accuracy is the highest of 6 children")
        );
        assert_eq!(Selection { children: 1 }.words(), None);
    }
}
