//! How long the readers of a long journal take. `cargo bench --bench long_journal [-- EVENTS [DIR]]` makes
//! the journal of a search (in DIR, which is kept, or in a temporary folder) and reads it in each way;
//! results in docs/PERFORMANCE.md.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use nas_tui::analysis::history::History;
use nas_tui::config::{Decode, SpaceConfig};
use nas_tui::event::{
    ChildEpoch, ChildFinished, ChildSampled, Choice, EpisodeFinished, Event, Record, TrainingEpoch,
    VERSION,
};
use nas_tui::journal::snapshot::Draft;
use nas_tui::journal::{Archive, Reader, Snapshot};
use nas_tui::report::page::Material;
use nas_tui::runs::look_at;
use nas_tui::space::Space;
use nas_tui::state::RunState;
use nas_tui::strategy::sample::masked_log_softmax;
use nas_tui::strategy::{Origin, Random, Sample};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

const EVENTS: u64 = 1_000_000;
const CHILDREN: usize = 16;
const EPOCHS: usize = 8;
const DEPTHS: std::ops::Range<usize> = 6..16;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let events = arguments
        .next()
        .map_or(EVENTS, |events| events.parse().expect("a number of events"));
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments
        .next()
        .map_or_else(|| temporary.path().join("long"), PathBuf::from);
    let journal = folder.join("journal.jsonl");
    if !journal.exists() {
        std::fs::create_dir_all(&folder).expect("a folder");
        Writer::create(&journal, events).expect("the journal can be written");
    }
    let size = std::fs::metadata(&journal).expect("the journal").len();
    // What follows is about the journal alone.
    let _ = std::fs::remove_file(folder.join("journal.snapshot"));
    println!(
        "{events} events, {} MB, {} bytes each",
        size / 1_000_000,
        size / events.max(1)
    );
    measure("records, one by one", || {
        Reader::open(&journal)
            .expect("it opens")
            .inspect(|record| assert!(record.is_ok(), "{record:?}"))
            .count()
    });
    measure("state", || {
        let mut state = RunState::default();
        for record in Reader::open(&journal).expect("it opens") {
            state.apply(&record.expect("a record"));
        }
        state.last_seq
    });
    measure("list", || look_at(&folder).expect("a run").work.children());
    measure("report", || {
        Material::read(&folder)
            .expect("a run")
            .summary
            .children_evaluated
    });
    measure("the middle of it", || {
        let mut archive = Archive::open(&journal).expect("it opens");
        archive.state_at(events / 2).expect("a state").last_seq
    });
    measure_with_snapshot(&folder, &journal);
}

fn measure_with_snapshot(folder: &Path, journal: &Path) {
    measure("snapshot: writing", || {
        let opened = File::open(folder).expect("the folder");
        let draft = Draft::write::<History>(journal, u64::MAX, opened).expect("a snapshot");
        draft.put_in_place().expect("it is put in place");
    });
    measure("snapshot: state", || {
        let snapshot = Snapshot::of(journal).expect("the snapshot");
        snapshot.state().expect("the state").last_seq
    });
    measure("snapshot: list", || {
        look_at(folder).expect("a run").work.children()
    });
    measure("snapshot: report", || {
        let material = Material::read(folder).expect("a run");
        material.summary.children_evaluated
    });
}

fn measure<T>(name: &str, read: impl FnOnce() -> T) {
    let begin = Instant::now();
    let answer = read();
    println!("{name:<20} {:>7.2} s", begin.elapsed().as_secs_f64());
    drop(answer);
}

/// Writes the journal of a search whose children improve, with a control in each episode.
struct Writer {
    file: BufWriter<File>,
    seq: u64,
    time: jiff::Timestamp,
    space: Space,
    random: ChaCha8Rng,
}

impl Writer {
    fn create(path: &Path, events: u64) -> std::io::Result<()> {
        let config = SpaceConfig {
            layer: "chain".to_owned(),
            kernels: vec![1, 3, 5, 7],
            filters: vec![24, 36, 48, 64],
            strides: vec![1, 2],
            paddings: vec![0, 1, 2, 3],
            decode: Decode::Literal,
        };
        let mut writer = Writer {
            file: BufWriter::new(File::create(path)?),
            seq: 0,
            time: "2026-11-01T00:00:00Z".parse().expect("a time"),
            space: Space::new(&config, [3, 32, 32], 10).expect("a space"),
            random: ChaCha8Rng::seed_from_u64(13),
        };
        let each = (CHILDREN + 1) as u64 * (EPOCHS as u64 + 3) + 3;
        let episodes = events.div_ceil(each);
        writer.begin(episodes)?;
        for episode in 1..=episodes as usize {
            writer.episode(episode, episodes as usize, events)?;
        }
        writer.file.flush()
    }

    fn begin(&mut self, episodes: u64) -> std::io::Result<()> {
        let started = json!({
            "run": "long", "preset": "monograph", "strategy": "reinforce", "seed": 13, "version": "0.1.0",
            "host": "vm", "pid": 1, "libtorch": "2.11.0", "episodes": episodes,
            "children_per_episode": CHILDREN, "controls": 1, "child_epochs": EPOCHS, "child_batch_size": 128,
            "reward_power": 3.0, "reward_last_epochs": 5, "workers": 2, "threads": 1, "device": "cpu",
            "data": {"spec": "cifar10", "input": [3, 32, 32], "train_images": 45_000,
                "classes": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"],
                "validation_images": 5_000, "fingerprint": "57ffd63b"},
            "decisions": self.space.heads(), "decode": "literal",
        });
        self.write(Event::RunStarted(serde_json::from_value(started)?))
    }

    fn episode(&mut self, episode: usize, episodes: usize, events: u64) -> std::io::Result<()> {
        let progress = episode as f64 / episodes as f64;
        let depth = DEPTHS.start + (progress * DEPTHS.len() as f64) as usize;
        let depth = depth.min(DEPTHS.end - 1);
        self.write(Event::EpisodeStarted {
            episode,
            depth,
            baseline: Some(progress / 2.0),
        })?;
        let first = ((episode - 1) * CHILDREN) as u64;
        let control = (episodes * CHILDREN + episode) as u64;
        let children = (1..=CHILDREN as u64).map(|child| (first + child, false));
        let mut sampled = Vec::new();
        for (child, is_control) in children.chain([(control, true)]) {
            let child = self.sample(child, episode, depth, progress, is_control);
            self.write(Event::ChildSampled(child.clone()))?;
            sampled.push(child);
        }
        for (index, child) in sampled.iter().enumerate() {
            if self.seq + 2 >= events {
                return Ok(());
            }
            self.train(child, index % 2, progress)?;
        }
        let means: Vec<f64> = sampled.iter().map(|_| self.random.random()).collect();
        let finished = EpisodeFinished {
            episode,
            mean_reward: means.iter().sum::<f64>() / means.len() as f64,
            mean_accuracy: Some(0.5 + 0.3 * progress),
            best_accuracy: Some(0.6 + 0.3 * progress),
            baseline: Some(progress / 2.0),
            next_baseline: Some(progress / 1.9),
            advantages: means[..CHILDREN].iter().map(|mean| mean - 0.5).collect(),
            entropy: Some(20.0 * self.random.random::<f64>()),
            max_entropy: Some(30.0),
            loss: Some(self.random.random()),
            gradient_norm: Some(self.random.random()),
            repeats: 0,
            failures: 0,
            excluded: 0,
            staleness: None,
            seconds: 1_000.0 * self.random.random::<f64>(),
        };
        self.write(Event::EpisodeFinished(finished))?;
        let next_child = first + CHILDREN as u64 + 1;
        self.write(Event::CheckpointSaved {
            episode,
            next_child,
        })
    }

    fn sample(
        &mut self,
        child: u64,
        episode: usize,
        depth: usize,
        progress: f64,
        control: bool,
    ) -> ChildSampled {
        let seed = child;
        let random = &mut self.random;
        let proposal = Sample::draw(&self.space, depth, seed, |next, _| {
            let logits: Vec<f64> = next
                .feasible
                .iter()
                .map(|_| 3.0 * progress * random.random::<f64>())
                .collect();
            masked_log_softmax(&logits, &next.feasible)
        });
        let proposal = if control {
            Random::uniform(&self.space, depth, seed)
        } else {
            proposal
        };
        let proposal = proposal.expect("a child");
        let design = self
            .space
            .decode(&proposal.dna, &format!("child-{child}"))
            .expect("a network");
        let (params, macs) = self.space.size(&proposal.dna, &design).expect("a size");
        let sample = match proposal.origin {
            Origin::Sampled(sample) if !control => Some(sample),
            _ => None,
        };
        ChildSampled {
            child,
            episode,
            dna: proposal.dna,
            design,
            params,
            macs,
            log_prob: sample.as_ref().map(|sample| sample.log_prob),
            entropy: sample.as_ref().map(|sample| sample.entropy),
            max_entropy: sample.as_ref().map(|sample| sample.max_entropy),
            choices: sample.map_or_else(Vec::new, |sample| {
                sample.choices.iter().map(Choice::rounded).collect()
            }),
            parent: None,
            staleness: 0,
            control,
        }
    }

    /// Start, epochs and end of a child.
    fn train(
        &mut self,
        sampled: &ChildSampled,
        worker: usize,
        progress: f64,
    ) -> std::io::Result<()> {
        let (child, episode) = (sampled.child, sampled.episode);
        self.write(Event::ChildStarted {
            child,
            episode,
            worker,
            device: "cpu".to_owned(),
            attempt: 1,
            host: None,
            task: None,
        })?;
        let talent = 0.4 + 0.2 * progress + 0.2 * self.random.random::<f64>();
        let mut accuracies = Vec::new();
        for epoch in 1..=EPOCHS {
            let learnt = talent * (1.0 - 0.8_f64.powi(epoch as i32));
            let correct = (5_000.0 * (learnt + 0.02 * self.random.random::<f64>())).round();
            accuracies.push(correct / 5_000.0);
            let training = TrainingEpoch {
                epoch,
                train_loss: -learnt.ln(),
                train_accuracy: (45_000.0 * learnt).round() / 45_000.0,
                valid_loss: -learnt.ln() + 0.1 * self.random.random::<f64>(),
                valid_accuracy: correct / 5_000.0,
                learning_rate: 0.05
                    * (1.0 + (std::f64::consts::PI * epoch as f64 / EPOCHS as f64).cos()),
                images_per_second: 9_000.0 + 1_000.0 * self.random.random::<f64>(),
                seconds: 5.0 + self.random.random::<f64>(),
                label_smoothing: 0.0,
                cutmix: 0.0,
                averaged: false,
            };
            self.write(Event::ChildEpoch(ChildEpoch::of(
                child, worker, EPOCHS, &training,
            )))?;
        }
        let last = &accuracies[EPOCHS - 5..];
        let accuracy = last.iter().copied().fold(0.0, f64::max);
        let finished = ChildFinished {
            child,
            episode,
            dna: sampled.dna.clone(),
            accuracy,
            reward: accuracy.powi(3),
            params: sampled.params,
            macs: sampled.macs,
            seconds: 100.0 + self.random.random::<f64>(),
            repeat_of: None,
            mean: None,
            valid_accuracies: accuracies,
            skipped: false,
            stopped_early: false,
            control: sampled.control,
            energy_wh: None,
            test_accuracy: None,
        };
        self.write(Event::ChildFinished(finished))
    }

    fn write(&mut self, event: Event) -> std::io::Result<()> {
        self.seq += 1;
        self.time += jiff::SignedDuration::from_millis(2_731);
        let (seq, time) = (Some(self.seq), self.time);
        serde_json::to_writer(
            &mut self.file,
            &Record {
                v: VERSION,
                seq,
                time,
                event,
            },
        )?;
        self.file.write_all(b"\n")
    }
}
