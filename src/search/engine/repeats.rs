//! Children with the same architecture: which of them are trained, and whose outcomes the others
//! take over (`search.reuse`).
//!
//! Everything follows from the children's numbers, never from the order in which workers finish: the
//! first `SearchConfig::trainings` children with an architecture train it. The outcome of each is
//! the mean over its own training and those of the ones before; if they have not all ended, it waits
//! for them. Later children take over the mean of all.

use super::{Crew, Effort, Halt, SearchEngine};
use crate::analysis::statistics::mean;
use crate::event::MeanOf;
use crate::search::episode::Child;
use crate::search::ledger::Ended;

impl SearchEngine<'_> {
    /// The end of a child's training: record it, and the ends of children that waited for it.
    pub(super) fn end_training(
        &mut self,
        crew: &mut Crew,
        number: u64,
        ended: Ended,
        effort: Effort,
    ) -> Result<(), Halt> {
        if self.child(number).is_none() || self.run.ledger().ended(number).is_some() {
            return Ok(());
        }
        self.held.insert(number, (ended, effort));
        self.tell_withheld(number)?;
        self.settle(crew, number)
    }

    /// Do what can be done for a child whose training has ended, and for those that waited for it.
    pub(super) fn settle(&mut self, crew: &mut Crew, number: u64) -> Result<(), Halt> {
        let Some(key) = self.child(number).map(|child| child.key.clone()) else {
            return Ok(());
        };
        self.proceed(crew, number)?;
        let same = self.run.ledger().same_network(&key).to_vec();
        same.into_iter()
            .try_for_each(|other| self.proceed(crew, other))
    }

    /// Do what can be done now for a child that has not ended: have it trained, or record its
    /// outcome.
    pub(super) fn proceed(&mut self, crew: &mut Crew, number: u64) -> Result<(), Halt> {
        let ledger = self.run.ledger();
        let open = self.child(number);
        let Some(child) = open.filter(|_| ledger.ended(number).is_none()).cloned() else {
            return Ok(());
        };
        let earlier = self.earlier_trainings(&child);
        let all_ended = earlier.iter().all(|other| ledger.ended(*other).is_some());
        let most = self.run.config.search.trainings();
        if self.is_withheld(number) {
            return Ok(());
        }
        if let Some((ended, effort)) = self.held.get(&number) {
            // A skipped child's outcome does not measure its architecture.
            let own = ended.accuracy().is_none() || ledger.is_skipped(number);
            if own || all_ended {
                let (ended, effort) = (ended.clone(), *effort);
                self.held.remove(&number);
                let earlier = if own { Vec::new() } else { earlier };
                let ended = self.averaged(ended, number, &earlier);
                self.record_end(&child, ended, effort)?;
            }
        } else if most.is_none_or(|most| earlier.len() < most) {
            if !self.submitted.contains(&number) {
                self.submit(&child, crew);
            }
        } else if all_ended {
            let ended = self.repeated(&earlier);
            self.record_end(&child, ended, Effort::default())?;
        }
        Ok(())
    }

    /// The lower-numbered children that train this one's architecture; none without reuse, and for a
    /// control.
    pub(super) fn earlier_trainings(&self, child: &Child) -> Vec<u64> {
        let most = self.run.config.search.trainings();
        let most = most.filter(|_| !child.is_control).unwrap_or(0);
        let same = self.run.ledger().same_network(&child.key).iter().copied();
        same.take_while(|other| *other < child.number)
            .take(most)
            .collect()
    }

    /// The outcome of a training as the mean over it and those of `earlier` children that have an
    /// accuracy.
    fn averaged(&self, own: Ended, number: u64, earlier: &[u64]) -> Ended {
        let Ended::Trained {
            accuracy,
            reward,
            valid_accuracies,
            test_accuracy,
            ..
        } = own
        else {
            return own;
        };
        let mut trainings = self.trainings(earlier);
        trainings.push((number, (accuracy, reward)));
        let mean = mean_of(&trainings, Some((accuracy, reward)));
        let (accuracy, reward) = means(&trainings);
        Ended::Trained {
            accuracy,
            reward,
            valid_accuracies,
            test_accuracy,
            repeat_of: None,
            mean,
        }
    }

    /// The outcome of a child that repeats `earlier` ones, of which there is at least one. The
    /// repeat of a failure also fails: training it again would waste time (and perhaps a worker) on
    /// a network that is known to fail.
    fn repeated(&self, earlier: &[u64]) -> Ended {
        let ledger = self.run.ledger();
        let trainings = self.trainings(earlier);
        let first = trainings.first().map_or(earlier[0], |(child, _)| *child);
        match ledger.ended(first).cloned() {
            Some(Ended::Trained {
                valid_accuracies,
                test_accuracy,
                ..
            }) => {
                let (accuracy, reward) = means(&trainings);
                Ended::Trained {
                    accuracy,
                    reward,
                    valid_accuracies,
                    test_accuracy,
                    repeat_of: Some(first),
                    mean: mean_of(&trainings, None),
                }
            }
            Some(Ended::Failed { reason, reward }) => Ended::Failed {
                reason: format!("repeat of child {first}: {reason}"),
                reward,
            },
            Some(Ended::Excluded { reason }) => Ended::Excluded { reason },
            None => Ended::Excluded {
                reason: format!("child {first} has not ended"),
            },
        }
    }

    /// Accuracy and reward of the children's own trainings, of those that have an accuracy.
    fn trainings(&self, children: &[u64]) -> Vec<(u64, (f64, f64))> {
        let own = |child: &u64| Some((*child, self.run.ledger().ended(*child)?.own()?));
        children.iter().filter_map(own).collect()
    }
}

/// The trainings that are averaged, if they are several, and accuracy and reward of the child's own.
fn mean_of(trainings: &[(u64, (f64, f64))], own: Option<(f64, f64)>) -> Option<Box<MeanOf>> {
    let of = || MeanOf {
        children: trainings.iter().map(|(child, _)| *child).collect(),
        own_accuracy: own.map(|(accuracy, _)| accuracy),
        own_reward: own.map(|(_, reward)| reward),
    };
    (trainings.len() > 1).then(|| Box::new(of()))
}

/// Mean accuracy and mean reward; exactly those of a single training.
fn means(trainings: &[(u64, (f64, f64))]) -> (f64, f64) {
    let over = |value: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = trainings.iter().map(|(_, both)| value(both)).collect();
        mean(&values)
    };
    (over(|both| both.0), over(|both| both.1))
}
