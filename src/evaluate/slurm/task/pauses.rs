//! The pauses of a task's workers, whoever asks for them. Each has a number of its own, because a worker
//! answers a number only once: the numbers of users' pauses begin again with each session of the search,
//! which a task can outlive.

/// What the workers stand still for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To save their children.
    Save,
    /// For a user's pause, which has this number in the search.
    User(u64),
}

/// The pause in force, if there is one.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// Number of the latest pause, from 1.
    number: u64,
    /// Its purpose, until it has ended.
    purpose: Option<Purpose>,
}

impl Pauses {
    /// A pause that takes the place of any other: the number for the workers.
    pub(super) fn begin(&mut self, purpose: Purpose) -> u64 {
        self.number += 1;
        self.purpose = Some(purpose);
        self.number
    }

    /// The workers go on.
    pub(super) fn end(&mut self) {
        self.purpose = None;
    }

    /// Every worker stands still for pause `number`. Returns what for, unless that pause has ended or
    /// another has taken its place. A pause in which children are saved has reached its aim with this.
    pub(super) fn confirmed(&mut self, number: u64) -> Option<Purpose> {
        let purpose = self.purpose.filter(|_| number == self.number)?;
        if purpose == Purpose::Save {
            self.purpose = None;
        }
        Some(purpose)
    }

    /// Whether children are being saved in a pause of the task's own.
    pub(super) fn is_saving(&self) -> bool {
        self.purpose == Some(Purpose::Save)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pauses_have_the_same_number_even_if_the_search_repeats_one() {
        let mut pauses = Pauses::default();
        let mut numbers = Vec::new();
        for purpose in [
            Purpose::Save,
            Purpose::Save,
            Purpose::User(1),
            Purpose::User(1),
            Purpose::User(u64::MAX),
        ] {
            let number = pauses.begin(purpose);
            assert_eq!(pauses.confirmed(number), Some(purpose));
            assert!(!numbers.contains(&number), "{numbers:?}");
            numbers.push(number);
        }
    }

    #[test]
    fn children_are_being_saved_until_every_worker_has_confirmed_this_very_pause() {
        let mut pauses = Pauses::default();
        assert!(!pauses.is_saving());
        let first = pauses.begin(Purpose::Save);
        assert!(pauses.is_saving());
        assert_eq!(pauses.confirmed(first), Some(Purpose::Save));
        assert!(!pauses.is_saving());
        pauses.begin(Purpose::Save);
        assert_eq!(pauses.confirmed(first), None, "that was the first one");
        assert!(pauses.is_saving());
    }

    #[test]
    fn a_late_answer_to_a_save_does_not_end_the_users_pause_that_took_its_place() {
        let mut pauses = Pauses::default();
        let save = pauses.begin(Purpose::Save);
        let user = pauses.begin(Purpose::User(3));
        assert_eq!(pauses.confirmed(save), None);
        assert_eq!(pauses.confirmed(user), Some(Purpose::User(3)));
        pauses.end();
        assert_eq!(pauses.confirmed(user), None, "it has ended");
    }
}
