//! The start of a session: take over the run, wait for the workers.

use super::SearchEngine;
use crate::analysis::early_stopping::Rule;
use crate::config::{Config, Reuse};
use crate::data;
use crate::evaluate::{Ready, Report};
use crate::event::{Event, Level, RunStarted};
use crate::foundation::host::host_name;
use crate::runs::directory::BEST;
use crate::search::checkpoint::SearchCheckpoint;
use crate::search::inbox::Heard;
use crate::search::reference;
use crate::search::{Search, SearchError};
use crate::session::{Halt, Run, SessionError};
use crate::space::{Space, SpaceError};
use crate::strategy::outlook;

impl SearchEngine<'_> {
    /// Complete what the last process did but could not record.
    pub(super) fn make_good(&mut self, checkpoint: Option<&SearchCheckpoint>) -> Result<(), Halt> {
        if let Some(checkpoint) = checkpoint.filter(|saved| {
            self.run
                .ledger()
                .checkpointed
                .is_none_or(|last| last < saved.episode)
        }) {
            self.run.tell(Event::CheckpointSaved {
                episode: checkpoint.episode,
                next_child: checkpoint.next_child,
            })?;
        }
        match self.run.ledger().best() {
            Some(best) => Ok(self.run.recorder.replace_json(BEST, &best)?),
            None => Ok(()),
        }
    }

    /// Wait until the workers have checked their data. Notices are passed on at once: measuring a
    /// GPU takes a while, and users must know what they are waiting for. Other reports are held
    /// until `run_started` has been written, except that an error ends the wait. Commands wait in
    /// their queue; a stop is obeyed.
    pub(super) fn await_workers(&mut self) -> Result<(Ready, Vec<Heard>), Halt> {
        let mut held = Vec::new();
        loop {
            match self.inbox.wait_for_report() {
                Heard::Report(Report::Ready(ready)) => return Ok((ready, held)),
                Heard::Report(Report::Fatal { message }) => {
                    return Err(SearchError::Unusable(message).into());
                }
                Heard::Order(stop) => drop(self.run.take(stop.command)?),
                // Once a message is held back, later ones must not overtake it.
                Heard::Report(Report::Log { level, message }) if held.is_empty() => {
                    self.run.notice(level, message)?
                }
                Heard::Silence => {
                    return Err(SearchError::Evaluator(
                        "the workers could not be started".to_owned(),
                    )
                    .into());
                }
                message => held.push(message),
            }
        }
    }

    /// Record that the run starts, or what has changed since; then the notices, the first of which
    /// is about a reference that the run cannot be compared with.
    pub(super) fn open(&mut self, ready: &Ready, space: &Space) -> Result<(), Halt> {
        if ready.data.images.is_some() {
            let unread = data::unread_files(&self.run.config.data);
            let notices = unread.map(|unread| (Level::Warning, unread.to_string()));
            self.run.notices.extend(notices);
        }
        let started = |run: &mut Run<Search>| {
            let started = run_started(run, ready, space)?;
            if let Some(reference) = &started.reference
                && let Some(reason) = &reference.not_comparable
            {
                let text = format!(
                    "this run cannot be compared with {} (search.reference): {reason}",
                    reference.run
                );
                run.notices.insert(0, (Level::Warning, text));
            }
            let unusual = unusual(&run.config);
            run.notices.extend(unusual.map(|text| (Level::Info, text)));
            Ok(Event::RunStarted(started))
        };
        Ok(self
            .run
            .open(&ready.data, ready.compute.as_ref(), started)?)
    }

    pub(super) fn space(&self, ready: &Ready) -> Result<Space, SpaceError> {
        let (input, classes) = ready.data.shape();
        let Config {
            search,
            space,
            constraints,
            child,
            ..
        } = &self.run.config;
        let space = Space::new(space, input, classes)?.within(constraints, child.batch_size);
        space.check_depth(search.depth(1))?;
        space.check_depth(search.depth(search.children()))?;
        Ok(space)
    }
}

/// What a reader of the log must know about the settings.
fn unusual(config: &Config) -> impl Iterator<Item = String> + use<> {
    let search = &config.search;
    let stopping = Rule::of(config.early_stopping, config.child.epochs).map(|rule| {
        format!(
            "early stopping is on: a child whose validation accuracy after epoch {} is below the {:.2} quantile of earlier \
             episodes' children is stopped",
            rule.after, rule.below
        )
    });
    let controls = (search.controls() as usize != search.controls_per_episode).then(|| {
        format!(
            "search.controls = {} is ignored: every child of the strategy random is sampled like a control",
            search.controls_per_episode
        )
    });
    let mean = (search.reuse == Reuse::Mean).then(|| {
        format!(
            "a child that repeats another is trained again, up to {} trainings of one network; its accuracy and reward are the means \
             over them (search.reuse = mean)",
            search.reuse_limit
        )
    });
    let asynchronous = search.is_asynchronous().then(|| {
        "updates are asynchronous: children of the next episode are proposed while others are in training, and the staleness of each \
         is in the journal"
            .to_owned()
    });
    [stopping, controls, mean, asynchronous]
        .into_iter()
        .flatten()
}

/// The event for the start of this run.
///
/// # Errors
/// If the reference run cannot be read, or there is none.
fn run_started(
    run: &Run<Search>,
    ready: &Ready,
    space: &Space,
) -> Result<RunStarted, SessionError> {
    let Config {
        preset,
        search,
        child,
        reward,
        ..
    } = &run.config;
    let mut started = RunStarted {
        run: run.directory().name(),
        preset: preset.clone(),
        strategy: search.strategy.name.to_owned(),
        seed: search.seed,
        version: crate::foundation::build_info::VERSION.to_owned(),
        host: host_name(),
        pid: std::process::id(),
        libtorch: ready
            .compute
            .as_ref()
            .map(|compute| compute.libtorch.clone()),
        episodes: search.episodes,
        children_per_episode: search.children_per_episode,
        controls: search.controls() as usize,
        reuse_limit: search.trainings().filter(|most| *most > 1),
        asynchronous: search.is_asynchronous(),
        child_epochs: child.epochs,
        child_batch_size: Some(child.batch_size),
        reward_power: reward.power,
        reward_last_epochs: reward.last_epochs,
        reward_penalty: reward.penalty,
        workers: ready.workers,
        threads: ready.compute.as_ref().map(|compute| compute.threads),
        device: ready.compute.as_ref().map(|compute| compute.device.clone()),
        data: ready.data.clone(),
        heads: space.heads().to_vec(),
        decode: run.config.space.decode,
        outlook: outlook(&run.config, space).map(Box::new),
        reference: None,
    };
    if let Some(earlier) = &search.reference {
        let reference = reference::resolve(earlier, &started, &run.config)?;
        started.reference = Some(Box::new(reference));
    }
    Ok(started)
}
