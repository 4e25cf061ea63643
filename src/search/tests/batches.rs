//! A cluster is handed a batch only once the journal has the intent.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::calculator::{Behaviour, Calculator, calculator, parts};
use super::fakes::Run;
use crate::evaluate::{Evaluator, Job, Report};
use crate::event::Event;
use crate::journal;
use crate::search::Search;

/// A cluster with one child in each batch, which looks into the journal before it trains.
struct Cluster {
    calculator: Calculator,
    reports: UnboundedSender<Report>,
    run: PathBuf,
    intended: Vec<Job>,
    /// Move the run directory away for a while when this child is to be handed over.
    absent_at: Option<u64>,
    /// Every child that was handed over.
    handed: Arc<Mutex<Vec<u64>>>,
}

/// The batches that a journal has.
fn intended(run: &Path) -> Vec<u64> {
    let records = journal::read(&run.join("journal.jsonl")).unwrap();
    let batches = records.iter().filter_map(|record| match &record.event {
        Event::BatchIntended { batch, .. } => Some(*batch),
        _ => None,
    });
    batches.collect()
}

/// Move the run away, and back after so long that writing has been tried more than once.
fn absent_for_a_while(run: PathBuf) {
    let away = run.with_extension("away");
    std::fs::rename(&run, &away).unwrap();
    std::thread::spawn(move || {
        sleep(Duration::from_millis(1_500));
        std::fs::rename(&away, &run).unwrap();
    });
}

impl Evaluator for Cluster {
    fn submit(&mut self, job: Job) {
        let batch = job.child;
        self.intended.push(job);
        if self.absent_at == Some(batch) {
            absent_for_a_while(self.run.clone());
        }
        let report = Report::BatchIntended {
            batch,
            job: format!("nas-test.{batch}"),
            tasks: 1,
            children: vec![batch],
        };
        self.reports.send(report).unwrap();
    }

    fn recorded(&mut self, batch: u64) {
        assert!(intended(&self.run).contains(&batch));
        self.handed.lock().unwrap().push(batch);
        let position = self.intended.iter().position(|job| job.child == batch);
        let job = self.intended.remove(position.unwrap());
        self.calculator.evaluate(&job);
    }

    fn skip(&mut self, _: u64) {}
    fn pause(&mut self, number: u64) {
        self.reports.send(Report::Paused { number }).unwrap();
    }
    fn resume(&mut self) {}
    fn shutdown(&mut self) {}
}

/// Search with such a cluster; returns the children in the order in which they were handed over.
fn search_with_a_cluster(run: &Run, absent_at: Option<u64>) -> Vec<u64> {
    let behaviour = Behaviour::default();
    let handed = Arc::new(Mutex::new(Vec::new()));
    let (path, to) = (run.path(), handed.clone());
    let search = Search {
        strategy: parts(&behaviour).strategy,
        evaluator: Box::new(move |_, _, reports| {
            Ok(Box::new(Cluster {
                calculator: calculator(&behaviour, &reports),
                reports,
                run: path,
                intended: Vec::new(),
                absent_at,
                handed: to,
            }))
        }),
    };
    run.begin().start(search).unwrap().join().unwrap();
    handed.lock().unwrap().clone()
}

#[test]
fn every_batch_is_in_the_journal_before_the_cluster_is_asked() {
    let run = Run::new(&["search.reuse=never"]);
    let handed = search_with_a_cluster(&run, None);
    assert_eq!(intended(&run.path()), handed);
    assert_eq!(handed.len(), 12);
}

#[test]
fn as_long_as_the_journal_cannot_be_written_the_cluster_is_not_asked() {
    let run = Run::new(&["search.reuse=never"]);
    // The cluster looks into the journal at its place.
    let handed = search_with_a_cluster(&run, Some(6));
    assert_eq!(intended(&run.path()), handed);
    assert_eq!(handed.len(), 12);
    let saved_again = |event: &Event| matches!(event, Event::Notice { message, .. } if message.contains("saved again"));
    let records = run.records();
    assert!(records.iter().any(|record| saved_again(&record.event)));
}
