//! The figures of a search.

use crate::analysis::series::{Measure, Quantity};
use crate::event::EpisodeFinished;
use crate::foundation::numbers::accuracy;
use crate::report::figures::curves::{LineFigure, Noted, Trace, Unit};
use crate::report::figures::ink::Ink;
use crate::report::figures::pareto::Pareto;
use crate::report::figures::{Figure, children, curves, network, pareto};
use crate::report::page::material::Material;
use crate::state::{RunState, best_first};

/// The figures with their captions.
pub struct SearchFigures {
    pub(super) rewards: Figure,
    pub(super) accuracies: Figure,
    pub(super) entropy: Figure,
    pub(super) learning_curve: Figure,
    /// `None` before the first accuracy.
    pub network: Option<Figure>,
    pub(super) pareto: Figure,
}

impl SearchFigures {
    pub(super) fn of(material: &Material) -> SearchFigures {
        let state = &material.state;
        let best = state.search().best_architecture();
        SearchFigures {
            rewards: rewards(state),
            accuracies: accuracies(state),
            entropy: entropy(&state.search().episodes),
            learning_curve: learning_curve(material),
            network: best.map(network::figure),
            pareto: pareto(state),
        }
    }

    /// In the order of the page.
    pub fn into_list(self) -> Vec<Figure> {
        let mut list = vec![self.rewards, self.accuracies, self.entropy];
        list.extend(self.network);
        list.extend([self.learning_curve, self.pareto]);
        list
    }
}

fn rewards(state: &RunState) -> Figure {
    let data = children::Data::of(state, Quantity::Reward);
    Figure::new(
        "rewards",
        "Rewards of the children",
        "A child that failed has reward 0, which its episode's mean and quartiles hold. The baseline is what an episode's advantages \
         were taken against. “Best so far” can only rise, whether or not anything is learned.",
        |form, title| children::draw(&data, form, title),
    )
}

fn accuracies(state: &RunState) -> Figure {
    let data = children::Data::of(state, Quantity::Accuracy);
    Figure::new(
        "accuracies",
        "Validation accuracies of the children",
        "The best of each child's last epochs, on the validation images; failed children have none.",
        |form, title| children::draw(&data, form, title),
    )
}

fn entropy(episodes: &[EpisodeFinished]) -> Figure {
    let curves = entropy_curves(episodes);
    Figure::new(
        "entropy",
        "Entropy of the controller",
        "Mean over each episode's children, summed over their decisions. At the dashed line every choice is as likely as any other; a \
         controller that has made up its mind goes towards 0.",
        |form, title| curves::draw(&curves, form, title),
    )
}

fn learning_curve(material: &Material) -> Figure {
    let curves = learning_curves(material);
    Figure::new(
        "best-child-accuracy",
        "Learning curve of the best child",
        "Training accuracy is over the epoch's augmented batches, while it was learning; validation accuracy after each epoch.",
        |form, title| curves::draw(&curves, form, title),
    )
}

fn pareto(state: &RunState) -> Figure {
    let data = Pareto::of(state);
    Figure::new(
        "pareto",
        "Accuracy against cost",
        "Multiply-accumulates (MACs) for one image, on a logarithmic scale.",
        |form, title| pareto::draw(&data, form, title),
    )
}

fn entropy_curves(episodes: &[EpisodeFinished]) -> LineFigure {
    let over = |value: fn(&EpisodeFinished) -> Option<f64>| {
        episodes
            .iter()
            .filter_map(|episode| Some((episode.episode as u64, value(episode)?)))
            .collect()
    };
    LineFigure {
        along: "episode",
        up: "entropy in nats per child",
        unit: Unit::FromZero,
        series: vec![
            Trace::solid("entropy", Ink::Blue, over(|episode| episode.entropy)),
            Trace::dashed(
                "largest possible",
                Ink::Muted,
                over(|episode| episode.max_entropy),
            ),
        ],
        noted: None,
        changes: Vec::new(),
        nothing: "No episode is finished yet.",
    }
}

fn learning_curves(material: &Material) -> LineFigure {
    let [training, validation] = Measure::Accuracy.curves(&material.best_epochs);
    let best = validation
        .iter()
        .copied()
        .min_by(|one, other| best_first((one.1, one.0), (other.1, other.0)));
    LineFigure {
        along: "epoch",
        up: "accuracy",
        unit: Unit::Share,
        series: vec![
            Trace::dashed("training", Ink::Orange, training),
            Trace::solid("validation", Ink::Blue, validation),
        ],
        noted: best.map(|at| Noted {
            at,
            text: accuracy(at.1),
        }),
        changes: Vec::new(),
        nothing: "The journal has no epochs of the best child.",
    }
}
