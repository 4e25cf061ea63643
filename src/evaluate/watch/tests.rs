//! The shipped deadlines, with a clock of the test's own.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// A child without a bound on its steps.
const SMALL: Duration = Duration::ZERO;

/// A watcher that looks once a second, and a worker.
struct Scene {
    now: Instant,
    attention: Attention,
    vigil: Vigil,
    stands_still: bool,
}

impl Scene {
    fn new() -> Scene {
        let now = Instant::now();
        Scene {
            now,
            attention: Attention::since(now),
            vigil: Vigil::begin(Deadlines::default(), now),
            stands_still: false,
        }
    }

    /// A worker that has trained a batch of child 7, its first.
    fn training() -> Scene {
        let mut scene = Scene::new();
        scene.vigil.hear(scene.now);
        scene.vigil.rest(scene.now);
        scene.vigil.give(7, SMALL, scene.now);
        scene.vigil.beat(Some(7), 1, scene.now);
        scene
    }

    fn look(&mut self) -> Option<Overdue> {
        if self.attention.wake(self.now).is_some() {
            self.vigil.grant(self.now);
        }
        self.vigil.overdue(self.stands_still, self.now)
    }

    /// Look once a second for this long, in which `each` second something may happen.
    fn pass(&mut self, time: Duration, mut each: impl FnMut(&mut Scene)) -> Option<Overdue> {
        (0..time.as_secs()).find_map(|_| {
            self.now += SECOND;
            each(self);
            self.look()
        })
    }

    /// The time for which the watcher sleeps.
    fn sleep(&mut self, time: Duration) {
        self.now += time;
    }

    fn beat(&mut self, child: Option<u64>) {
        let steps = self.vigil.steps;
        self.vigil.beat(child, steps, self.now);
    }

    fn work(&mut self) {
        let steps = self.vigil.steps + 1;
        self.vigil.beat(Some(7), steps, self.now);
    }
}

#[test]
fn a_worker_that_says_nothing_has_five_minutes_for_its_first_words() {
    let mut scene = Scene::new();
    assert_eq!(scene.pass(5 * MINUTE - SECOND, |_| {}), None);
    let overdue = scene.pass(SECOND, |_| {}).unwrap();
    assert_eq!(
        overdue.to_string(),
        "said nothing for 5 min after its start"
    );
}

#[test]
fn a_worker_that_falls_silent_is_noticed_after_two_minutes_whatever_it_did() {
    let mut starting = Scene::new();
    starting.vigil.hear(starting.now);
    let mut idle = Scene::new();
    idle.vigil.hear(idle.now);
    idle.vigil.rest(idle.now);
    let mut standing_still = Scene::training();
    standing_still.stands_still = true;
    for mut scene in [starting, idle, standing_still, Scene::training()] {
        assert_eq!(scene.pass(2 * MINUTE - SECOND, |_| {}), None);
        let overdue = scene.pass(SECOND, |_| {}).unwrap();
        assert_eq!(overdue.to_string(), "gave no sign of life for 2 min");
    }
}

#[test]
fn a_start_may_take_an_hour_if_the_heart_beats() {
    let mut scene = Scene::new();
    let beat = |scene: &mut Scene| scene.beat(None);
    assert_eq!(scene.pass(60 * MINUTE - SECOND, beat), None);
    assert_eq!(
        scene.pass(SECOND, beat).unwrap().to_string(),
        "was not ready 60 min after its start"
    );
}

#[test]
fn a_child_that_the_heartbeats_do_not_name_is_noticed_within_seconds() {
    for (instead, named) in [(None, "no child"), (Some(8), "child 8")] {
        let mut scene = Scene::training();
        let overdue = scene.pass(25 * SECOND, |scene| scene.beat(instead));
        assert_eq!(
            overdue.unwrap().to_string(),
            format!("was given child 7, but has named {named} in its heartbeats for 20 s")
        );
    }
}

#[test]
fn a_late_heartbeat_from_before_or_after_the_child_is_no_denial() {
    let mut scene = Scene::training();
    let mut second = 0;
    let overdue = scene.pass(10 * MINUTE, |scene| {
        second += 1;
        scene.beat(if second % 15 == 0 { Some(7) } else { Some(6) });
    });
    assert_eq!(overdue, None);
}

#[test]
fn a_living_worker_that_completes_no_batch_is_stuck_after_a_quarter_of_an_hour() {
    let mut scene = Scene::training();
    let beat = |scene: &mut Scene| scene.beat(Some(7));
    assert_eq!(scene.pass(15 * MINUTE - SECOND, beat), None);
    assert_eq!(
        scene.pass(SECOND, beat).unwrap().to_string(),
        "completed no batch of child 7 for 15 min, although its process is alive"
    );
}

#[test]
fn the_first_batch_of_a_process_may_take_an_hour() {
    let mut scene = Scene::new();
    scene.vigil.hear(scene.now);
    scene.vigil.rest(scene.now);
    scene.vigil.give(7, SMALL, scene.now);
    let beat = |scene: &mut Scene| scene.beat(Some(7));
    assert_eq!(scene.pass(60 * MINUTE - SECOND, beat), None);
    assert!(scene.pass(SECOND, beat).is_some());
}

#[test]
fn a_large_child_has_the_time_that_its_batches_may_take() {
    let mut scene = Scene::training();
    scene.vigil.give(7, 55 * MINUTE, scene.now);
    let beat = |scene: &mut Scene| scene.beat(Some(7));
    assert_eq!(scene.pass(55 * MINUTE - SECOND, beat), None);
    assert!(scene.pass(SECOND, beat).is_some());
}

#[test]
fn results_are_progress_too() {
    let mut scene = Scene::training();
    let mut second = 0;
    let overdue = scene.pass(60 * MINUTE, |scene| {
        second += 1;
        scene.beat(Some(7));
        if second % 800 == 0 {
            scene.vigil.report(scene.now);
        }
    });
    assert_eq!(overdue, None);
}

#[test]
fn a_search_that_is_paused_for_days_keeps_its_workers() {
    let mut scene = Scene::training();
    scene.stands_still = true;
    // A child handed out just before the pause is not named before its end.
    let overdue = scene.pass(3 * 24 * 60 * MINUTE, |scene| scene.beat(None));
    assert_eq!(overdue, None);
    scene.stands_still = false;
    scene.vigil.grant(scene.now);
    assert_eq!(scene.pass(19 * SECOND, |scene| scene.beat(None)), None);
    assert_eq!(scene.pass(14 * MINUTE, |scene| scene.beat(Some(7))), None);
    assert_eq!(scene.pass(60 * MINUTE, Scene::work), None);
}

#[test]
fn nobody_is_blamed_for_the_watchers_own_sleep() {
    for sleep in [5, 119, 121, 3_600, 1_000_000].map(Duration::from_secs) {
        let mut scene = Scene::training();
        assert_eq!(scene.pass(110 * SECOND, |_| {}), None);
        scene.sleep(sleep);
        assert_eq!(scene.look(), None, "{sleep:?}");
        assert_eq!(scene.pass(2 * MINUTE - SECOND, |_| {}), None, "{sleep:?}");
        assert!(scene.pass(SECOND, |_| {}).is_some(), "{sleep:?}");
    }
}

/// What happens in one second.
#[derive(Debug, Clone, Copy)]
enum Second {
    Beat,
    Step,
    Silence,
    Sleep(u32),
}

fn seconds() -> impl Strategy<Value = Vec<Second>> {
    let second = prop_oneof![
        8 => Just(Second::Beat),
        4 => Just(Second::Step),
        8 => Just(Second::Silence),
        1 => (1u32..1_000_000).prop_map(Second::Sleep),
    ];
    proptest::collection::vec(second, 0..600)
}

proptest! {
    #[test]
    fn who_is_silent_or_stuck_for_less_than_the_deadline_is_left_alone_and_others_are_not(
        seconds in seconds(),
        tail in 0u64..2_000,
        beats in any::<bool>(),
    ) {
        let mut scene = Scene::training();
        for second in seconds {
            scene.now += SECOND;
            match second {
                Second::Beat => scene.beat(Some(7)),
                Second::Step => scene.work(),
                Second::Silence => {}
                Second::Sleep(time) => scene.sleep(Duration::from_secs(u64::from(time))),
            }
            let silence = scene.now.saturating_duration_since(scene.vigil.heard);
            let overdue = scene.look();
            prop_assert!(overdue.is_none() || silence >= 2 * MINUTE, "{overdue:?}");
        }
        scene.work();
        let overdue = scene.pass(Duration::from_secs(tail), |scene| {
            if beats {
                scene.beat(Some(7));
            }
        });
        // The child's steps were at most 600 s apart, but for the first one, or the watcher slept.
        let limit = if beats { 18_000 } else { 120 };
        let soonest = if beats { 900 } else { 120 };
        prop_assert!(overdue.is_none() || tail >= soonest);
        prop_assert!(overdue.is_some() || tail < limit);
    }

    #[test]
    fn a_machine_that_suddenly_is_20_times_slower_loses_no_worker(
        usual in 1u64..2_000,
        times in 2u32..10,
    ) {
        let mut scene = Scene::training();
        let work = |scene: &mut Scene, seconds: u64| {
            let mut left = seconds;
            scene.pass(Duration::from_secs(seconds), |scene| {
                left -= 1;
                if left == 0 { scene.work() } else { scene.beat(Some(7)) }
            })
        };
        // Nothing is known about the speed before the second batch, except by the child's size.
        if usual < 900 {
            for _ in 0..times {
                prop_assert_eq!(work(&mut scene, usual), None);
            }
            prop_assert_eq!(work(&mut scene, 20 * usual), None);
        }
    }

    #[test]
    fn a_worker_is_granted_its_full_time_after_every_absence(absences in proptest::collection::vec(5u64..100_000, 1..50)) {
        let mut scene = Scene::training();
        for absence in absences {
            prop_assert_eq!(scene.pass(MINUTE, |_| {}), None);
            scene.sleep(Duration::from_secs(absence));
            prop_assert_eq!(scene.look(), None);
        }
    }
}
