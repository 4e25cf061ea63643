//! How much of the reward is due to the network and how much is training noise: networks that are
//! each trained several times.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;

use super::children::{PastChild, PastRun, spread};
use super::{StudyError, Trial};
use crate::analysis::reliability::Reliability;
use crate::analysis::statistics::p_text;
use crate::config::Config;
use crate::foundation::numbers::{count, counted};
use crate::foundation::seeds::derive;
use crate::foundation::text;
use crate::space::Space;
use crate::strategy::{Random, Strategy};

/// The power for which numbers of children are given.
pub const POWER: f64 = 0.8;

/// Number of networks, and of trainings of each.
#[derive(Debug, Clone, Copy)]
pub struct StudySize {
    /// Number of different networks, at least 2.
    pub networks: usize,
    /// Number of trainings of each, at least 2.
    pub trainings: usize,
}

/// Trainings of the run's children.
///
/// # Errors
/// If the run has fewer than two different networks, or its children are rows of a table.
pub fn of_run(run: &PastRun, config: &Config, size: StudySize) -> Result<Vec<Trial>, StudyError> {
    let unsuitable = |problem: &str| StudyError::Unsuitable {
        run: (&run.started.run).into(),
        problem: problem.to_owned(),
    };
    let is_row = |child: &PastChild| child.design.network().is_none();
    if run.children.iter().any(is_row) {
        return Err(unsuitable(
            "its children are rows of a table, which has one accuracy for each: there is no noise to measure; name a run whose children \
             are networks",
        ));
    }
    let seed = config.search.seed;
    let drawn = run.drawn(size.networks, derive(seed, "reliability networks", 0));
    if drawn.len() < 2 {
        let problem = "fewer than two different networks of it have been trained: wait until it has more, or leave RUN out to draw \
                       networks from a space";
        return Err(unsuitable(problem));
    }
    let networks = drawn.iter().map(|child| Trial {
        group: format!("child {}", child.child),
        depth: child.depth,
        dna: child.dna.clone(),
        design: child.design.clone(),
        seed: 0,
        end: None,
    });
    Ok(repeated(networks.collect(), seed, size.trainings))
}

/// Trainings of children drawn uniformly, evenly over the depths of a search with these settings.
///
/// # Errors
/// If no child can be built.
pub fn of_space(config: &Config, space: &Space, size: StudySize) -> Result<Vec<Trial>, StudyError> {
    let seed = config.search.seed;
    let planned = config.search.children() as usize;
    let mut strategy = Random::default();
    let mut networks = Vec::new();
    for number in 1..=size.networks {
        let places = spread(planned.max(size.networks), size.networks);
        let depth = config.search.depth(places[number - 1] as u64 + 1);
        let drawn = derive(seed, "reliability networks", number as u64);
        let dna = strategy.propose(space, depth, drawn)?.dna;
        let group = format!("network {number}");
        networks.push(Trial {
            design: space.decode(&dna, &group)?,
            group,
            depth,
            dna,
            seed: 0,
            end: None,
        });
    }
    Ok(repeated(networks, seed, size.trainings))
}

/// Trainings of the networks that a set was started with: a run that has continued since then would
/// give different networks.
pub fn of_begun(begun: &[Trial], config: &Config, trainings: usize) -> Vec<Trial> {
    let mut networks: Vec<Trial> = Vec::new();
    for trial in begun {
        if networks.iter().all(|known| known.group != trial.group) {
            networks.push(Trial {
                end: None,
                ..trial.clone()
            });
        }
    }
    repeated(networks, config.search.seed, trainings)
}

/// Each network once, then each once more, all with different seeds.
fn repeated(networks: Vec<Trial>, seed: u64, trainings: usize) -> Vec<Trial> {
    let each = |training: usize| {
        let numbered = networks.iter().zip(1_u64..);
        let trials = numbered.map(move |(network, number)| Trial {
            seed: derive(
                seed,
                "reliability train",
                number << 32 | (training as u64 + 1),
            ),
            ..network.clone()
        });
        trials.collect::<Vec<_>>()
    };
    (0..trainings).flat_map(each).collect()
}

/// The result of the trainings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The run that the networks belong to; null if they were drawn from a space or read from a
    /// file.
    pub run: Option<String>,
    /// The trainings of each network.
    pub networks: Vec<NetworkTrainings>,
    /// Number of trainings about which nothing is known because their workers failed; their
    /// networks are excluded from all figures.
    pub excluded: usize,
    /// Null if it cannot be determined: fewer than two networks, or rewards that do not vary.
    pub reliability: Option<Reliability>,
    /// Numbers of children needed for a power of 80 %.
    pub needs: Vec<Need>,
}

/// The trainings of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkTrainings {
    /// `child 12`, or its name in the file.
    pub name: String,
    /// Number of layers; null if read from a file.
    pub depth: Option<usize>,
    /// The rewards of the trainings.
    pub rewards: Vec<f64>,
}

/// Number of children needed to detect a lift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// Difference of the mean rewards.
    pub lift: f64,
    /// Whether it is the lift observed in the run.
    pub is_observed: bool,
    /// Number of children in each of two arms, each a new network trained once; null if no number
    /// is enough.
    pub children: Option<u64>,
}

impl Findings {
    /// From the trainings that have ended.
    pub fn of_trials(run: Option<String>, trials: &[Trial]) -> Findings {
        let mut networks: Vec<NetworkTrainings> = Vec::new();
        for trial in trials {
            let known = networks
                .iter_mut()
                .find(|network| network.name == trial.group);
            match known {
                Some(network) => network.rewards.extend(trial.reward()),
                None => networks.push(NetworkTrainings {
                    name: trial.group.clone(),
                    depth: Some(trial.depth),
                    rewards: trial.reward().into_iter().collect(),
                }),
            }
        }
        let broken = |trial: &&Trial| trial.end.is_some() && !trial.is_done();
        let excluded = trials.iter().filter(broken).count();
        Findings::of(run, networks, excluded)
    }

    /// From the rewards of each network.
    pub fn of(run: Option<String>, networks: Vec<NetworkTrainings>, excluded: usize) -> Findings {
        let most = networks.iter().map(|network| network.rewards.len()).max();
        let whole: Vec<Vec<f64>> = networks
            .iter()
            .filter(|network| Some(network.rewards.len()) == most)
            .map(|network| network.rewards.clone())
            .collect();
        Findings {
            reliability: Reliability::of(&whole),
            run,
            networks,
            excluded,
            needs: Vec::new(),
        }
    }

    /// The findings with the children needed for these lifts, and for the one observed in the run.
    pub fn with_lifts(mut self, lifts: &[f64], observed: Option<f64>) -> Findings {
        let Some(reliability) = self.reliability else {
            return self;
        };
        let need = |lift: f64, is_observed| Need {
            lift,
            is_observed,
            children: reliability.children_for(lift, POWER),
        };
        let given = lifts.iter().map(|lift| need(*lift, false));
        let shown = observed.iter().map(|lift| need(*lift, true));
        self.needs = given.chain(shown).collect();
        self
    }
}

/// Maximum number of networks listed individually.
const MOST_LISTED: usize = 40;
/// Maximum number of rewards of a network listed individually.
const MOST_REWARDS: usize = 8;

impl fmt::Display for Findings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .networks
            .iter()
            .map(|network| network.name.width())
            .max();
        let width = width.unwrap_or(0);
        for network in self.networks.iter().take(MOST_LISTED) {
            let rewards: Vec<String> = network
                .rewards
                .iter()
                .take(MOST_REWARDS)
                .map(|reward| format!("{reward:.4}"))
                .collect();
            let more = match network.rewards.len().saturating_sub(MOST_REWARDS) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let depth = network
                .depth
                .map_or_else(String::new, |depth| format!("  {depth} layers"));
            let (name, rewards) = (text::left(&network.name, width), rewards.join(" "));
            writeln!(out, "{name}{depth}  rewards {rewards}{more}")?;
        }
        if self.networks.len() > MOST_LISTED {
            writeln!(out, "and {} more", self.networks.len() - MOST_LISTED)?;
        }
        if self.excluded > 0 {
            let excluded = counted(self.excluded as u64, "training");
            writeln!(
                out,
                "{excluded} excluded (a worker failed each time); run the same command again to make up for it"
            )?;
        }
        match &self.reliability {
            None => writeln!(
                out,
                "no intraclass correlation: this needs two networks with two trainings each, and rewards that vary"
            ),
            Some(reliability) => self.write_reliability(reliability, out),
        }
    }
}

impl Findings {
    fn write_reliability(&self, found: &Reliability, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [low, high] = found.ci95;
        writeln!(
            out,
            "intraclass correlation of the reward: {:.3} (95 % {low:.3} to {high:.3}; F test: {})",
            found.intraclass_correlation,
            p_text(found.p_value)
        )?;
        writeln!(
            out,
            "{} networks, {} trainings each; standard deviation of one network's rewards (noise) {:.4}, of the networks' true rewards \
             (spread) {:.4}",
            found.networks, found.trainings, found.noise, found.spread
        )?;
        if self.needs.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "children needed in each of two arms for a power of 80 % (two-sided level 5 %):"
        )?;
        for need in &self.needs {
            let children = need
                .children
                .map_or_else(|| "no number is enough".to_owned(), count);
            let shown = if need.is_observed {
                ", the run's own"
            } else {
                ""
            };
            writeln!(out, "   lift {:+.4}{shown}: {children}", need.lift)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn config() -> Config {
        let set = ["space.kernels=[1,3]", "search.episodes=4"];
        resolve(&Options {
            set: set.map(str::to_owned).to_vec(),
            ..Options::default()
        })
        .unwrap()
    }

    fn trials(networks: usize, trainings: usize) -> Vec<Trial> {
        let config = config();
        let space = Space::new(&config.space, [1, 28, 28], 10).unwrap();
        let size = StudySize {
            networks,
            trainings,
        };
        of_space(&config, &space, size).unwrap()
    }

    #[test]
    fn every_network_is_trained_equally_often_with_different_seeds() {
        let trials = trials(4, 3);
        let seeds: std::collections::HashSet<u64> = trials.iter().map(|trial| trial.seed).collect();
        assert_eq!((trials.len(), seeds.len()), (12, 12));
        let of_first = trials.iter().filter(|trial| trial.group == "network 1");
        assert_eq!(of_first.count(), 3);
        let search = config().search;
        assert_eq!(
            (trials[0].depth, trials[3].depth),
            (search.depth(1), search.depth(search.children()))
        );
    }

    #[test]
    fn a_set_that_was_started_keeps_its_networks() {
        assert_eq!(of_begun(&trials(4, 2), &config(), 3), trials(4, 3));
    }

    #[test]
    fn more_trainings_of_the_same_networks_begin_with_the_same_ones() {
        let fewer = trials(4, 2);
        assert_eq!(trials(4, 5)[..8], fewer[..]);
    }

    fn network(name: &str, rewards: &[f64]) -> NetworkTrainings {
        NetworkTrainings {
            name: name.to_owned(),
            depth: None,
            rewards: rewards.to_vec(),
        }
    }

    #[test]
    fn a_network_with_a_missing_training_is_in_no_figure() {
        let whole = [network("a", &[0.5, 0.6]), network("b", &[0.7, 0.9])];
        let lacking = [&whole[..], &[network("c", &[0.1])]].concat();
        let both = [whole.to_vec(), lacking]
            .map(|networks| Findings::of(None, networks, 0).reliability.unwrap());
        assert_eq!(both[0], both[1]);
    }

    #[test]
    fn the_text_gives_correlation_noise_and_the_children_needed_for_a_lift() {
        let networks = vec![network("a", &[0.5, 0.6]), network("b", &[0.7, 0.9])];
        let text = Findings::of(None, networks, 0)
            .with_lifts(&[0.1], Some(0.2))
            .to_string();
        for part in [
            "0.667",
            "F test",
            "(noise) 0.1118",
            "lift +0.1000: ",
            "+0.2000, the run's own",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
