use super::*;

#[test]
fn a_tick_of_an_epoch_that_has_ended_is_ignored() {
    let mut run = SearchRun::default();
    let mut apply = |event: &str| run.apply(&serde_json::from_str(event).unwrap(), 0);
    apply(
        r#"{"event":"child_started","child":1,"episode":1,"worker":0,"device":"cpu","attempt":1}"#,
    );
    let tick = |epoch, batch| {
        format!(
            r#"{{"event":"child_progress","child":1,"worker":0,"epoch":{epoch},"epochs":2,"batch":{batch},"batches":9,"loss":2.0,"images_per_second":1.0}}"#
        )
    };
    apply(&tick(1, 8));
    apply(
        r#"{"event":"child_epoch","child":1,"worker":0,"epoch":1,"epochs":2,"train_loss":2.0,"train_accuracy":0.2,"valid_loss":2.0,"valid_accuracy":0.2,"learning_rate":0.1,"images_per_second":1.0,"seconds":1.0}"#,
    );
    apply(&tick(2, 3));
    apply(&tick(1, 9));
    let progress = run.by_worker[&0].progress.as_ref().unwrap();
    assert_eq!((progress.epoch, progress.batch), (2, 3));
}
