//! The report of a search: what came of it, whether it learned, its best network, its children, what it took.

use maud::{Markup, html};

use super::html::{Column, Head, Section, Tile, facts, figure, table, text, tiles};
use super::material::Material;
use super::{parts, tables};
use crate::event::{ChildEpoch, EpisodeFinished, RunStarted};
use crate::numbers::{accuracy, compact, count, duration, energy, reward};
use crate::report::figures::children::{Children, Quantity};
use crate::report::figures::curves::{Curves, Noted, Series, Unit};
use crate::report::figures::ink::Ink;
use crate::report::figures::pareto::Pareto;
use crate::report::figures::{Figure, children, curves, network, pareto};
use crate::report::page::tables::Table;
use crate::report::verdict::Verdict;
use crate::space::training_memory;
use crate::state::{ChildRow, is_better};

/// Children in the table of the page, and episodes.
const MOST_CHILDREN: usize = 20;
const MOST_EPISODES: usize = 40;
/// Failures in the table of the page.
const MOST_FAILURES: usize = 50;
/// Batch size for which memory is told: the one the presets train with.
const BATCH: usize = 128;

/// Head, sections, figures and tables of the report.
pub fn compose(material: &Material) -> (Head, Vec<Section>, Vec<Figure>, Vec<Table>) {
    let figures = Figures::of(material);
    let mut sections = vec![result(material), learning(material, &figures), best(material, &figures), cost(material, &figures)];
    sections.push(Section::new("children", "Children", children_table(material)));
    sections.extend(troubles(material));
    sections.push(Section::new("costs", "What it took", costs(material)));
    sections.push(Section::new("settings", "Settings", parts::settings(&material.settings)));
    sections.push(Section::new("environment", "Environment", environment(material)));
    sections.push(Section::new("reading", "How to read these numbers", reading(material)));
    let tables = [Some(tables::children(material)), Some(tables::episodes(material))];
    let layers = material.state.best_architecture.as_ref().and_then(tables::layers);
    (head(material), sections, figures.into_list(), tables.into_iter().chain([layers]).flatten().collect())
}

fn head(material: &Material) -> Head {
    let (word, sentence) = material.standing().words();
    let subtitle = material.state.run.as_ref().map_or_else(
        || "It never got as far as its first episode.".to_owned(),
        |run| {
            let began = material.state.started.map_or_else(String::new, |time| format!(", begun {}", parts::moment(time)));
            format!("preset {} · strategy {} · seed {} · {}{began}", run.preset, run.strategy, run.seed, run.data.spec)
        },
    );
    let torn = if material.torn { " The journal ends in an unfinished line, which is left out." } else { "" };
    Head { kind: "Architecture search report", title: material.name.clone(), subtitle, status: (word, format!("{sentence}{torn}")) }
}

struct Figures {
    rewards: Figure,
    accuracies: Figure,
    entropy: Figure,
    learning_curve: Figure,
    network: Option<Figure>,
    pareto: Figure,
}

impl Figures {
    fn of(material: &Material) -> Figures {
        let state = &material.state;
        let of_children = |quantity, name, title, caption: &str| {
            let data = Children::of(state, quantity);
            Figure::new(name, title, caption, |form, title| children::draw(&data, form, title))
        };
        let entropy = entropy_curves(&state.episodes);
        let learning = learning_curves(material);
        let front = Pareto::of(state);
        Figures {
            rewards: of_children(
                Quantity::Reward,
                "rewards",
                "Rewards of the children",
                "A child that failed has reward 0, which its episode's mean and quartiles hold. The baseline is what an episode's \
                 advantages were taken against. \"Best so far\" can only rise, whether or not anything is learned.",
            ),
            accuracies: of_children(
                Quantity::Accuracy,
                "accuracies",
                "Validation accuracies of the children",
                "The best of each child's last epochs, on the validation images; failed children have none.",
            ),
            entropy: Figure::new(
                "entropy",
                "Entropy of the controller",
                "Mean over each episode's children, summed over their decisions. At the dashed line every choice is as likely as any \
                 other; a controller that has made up its mind goes towards 0.",
                |form, title| curves::draw(&entropy, form, title),
            ),
            learning_curve: Figure::new(
                "best-child-accuracy",
                "Learning curve of the best child",
                "Training accuracy is over the epoch's augmented batches, while it was learning; validation accuracy after each epoch.",
                |form, title| curves::draw(&learning, form, title),
            ),
            network: state.best_architecture.as_ref().map(|architecture| {
                Figure::new(
                    "network",
                    "The best network",
                    "From the image (top) to the classifier (bottom). A line that bends into a row is read there; one that crosses \
                     without a bend is not.",
                    |form, title| network::draw(architecture, form, title),
                )
            }),
            pareto: Figure::new(
                "pareto",
                "Accuracy against cost",
                "Multiply-accumulates (MACs) for one image, on a logarithmic scale.",
                |form, title| pareto::draw(&front, form, title),
            ),
        }
    }

    fn into_list(self) -> Vec<Figure> {
        let Figures { rewards, accuracies, entropy, learning_curve, network, pareto } = self;
        [Some(rewards), Some(accuracies), Some(entropy), network, Some(learning_curve), Some(pareto)]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn entropy_curves(episodes: &[EpisodeFinished]) -> Curves {
    let over =
        |value: fn(&EpisodeFinished) -> f64| episodes.iter().map(|episode| (episode.episode as u64, value(episode))).collect();
    Curves {
        along: "episode",
        up: "entropy in nats per child",
        unit: Unit::FromZero,
        series: vec![
            Series::solid("entropy", Ink::Blue, over(|episode| episode.entropy)),
            Series::dashed("largest possible", Ink::Muted, over(|episode| episode.max_entropy)),
        ],
        noted: None,
        nothing: "No episode is finished yet.",
    }
}

fn learning_curves(material: &Material) -> Curves {
    let over = |value: fn(&ChildEpoch) -> f64| {
        material.best_epochs.iter().map(|epoch| (epoch.epoch as u64, value(epoch))).collect::<Vec<_>>()
    };
    let validation = over(|epoch| epoch.valid_accuracy);
    let best = validation.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1));
    Curves {
        along: "epoch",
        up: "accuracy",
        unit: Unit::Share,
        series: vec![
            Series::dashed("training", Ink::Orange, over(|epoch| epoch.train_accuracy)),
            Series::solid("validation", Ink::Blue, validation),
        ],
        noted: best.map(|at| Noted { at, text: accuracy(at.1) }),
        nothing: "The journal has no epochs of the best child.",
    }
}

fn result(material: &Material) -> Section {
    let verdict = Verdict::of(&material.state).text(usize::MAX);
    let verdict = verdict.strip_prefix("Does it learn? ").unwrap_or(&verdict).to_owned();
    let body = html! {
        p.verdict { strong { "Does it learn? " } (verdict) "." }
        (tiles(&result_tiles(material)))
        p.note { (selection_note(material)) }
    };
    Section::new("result", "Result", body)
}

/// That a maximum over many children is optimistic.
fn selection_note(material: &Material) -> String {
    format!(
        "The best accuracy is the highest of {} children on one set of validation images: being chosen for it, it is likely to come \
         out lower on other images. Its interval is for the images alone and does not hold that choice.",
        count(material.summary.children_evaluated)
    )
}

fn result_tiles(material: &Material) -> Vec<Tile> {
    let (state, summary) = (&material.state, &material.summary);
    let run = state.run.as_ref();
    let images = run.map_or(0, |run| run.data.validation_images);
    let mut list = match &state.best {
        Some(best) => vec![
            Tile::new(
                "best validation accuracy",
                accuracy(best.accuracy),
                format!(
                    "95 %: {} of {} images; child {}, episode {}",
                    parts::interval(best.accuracy, images),
                    count(images as u64),
                    best.child,
                    best.episode
                ),
            ),
            Tile::new(
                "its reward",
                reward(best.reward),
                run.map_or_else(String::new, |run| format!("accuracy to the power {}", run.reward_power)),
            ),
        ],
        None => vec![Tile::new("best validation accuracy", "none", "no child has an accuracy")],
    };
    list.push(Tile::new("test accuracy", "not measured", "a search reads no test images"));
    if let Some(best) = &state.best {
        let macs = format!("{} MACs per image", compact(best.macs));
        list.push(Tile::new("parameters of the best", count(best.params), macs));
    }
    let planned = run.map_or_else(String::new, |run| format!(" of {}", count((run.episodes * run.children_per_episode) as u64)));
    let of_them = format!(
        "{} different networks, {} repeats, {} failed",
        count(summary.unique_architectures),
        summary.repeats,
        summary.failures
    );
    list.push(Tile::new("children", format!("{}{planned}", count(summary.children_evaluated)), of_them));
    list.push(Tile::new(
        "working time",
        duration(summary.wall_seconds),
        format!("{:.0} children per hour", summary.children_per_hour),
    ));
    list.push(energy_tile(material));
    list
}

fn energy_tile(material: &Material) -> Tile {
    let known = material.state.energy;
    if known.children == 0 {
        return Tile::new("energy", "not known", "no GPU told its power");
    }
    let trained = material.state.children.iter().filter(|row| row.repeat_of.is_none()).count();
    Tile::new("energy", energy(known.watt_hours), format!("of the GPUs, for {} of {trained} trained children", known.children))
}

fn learning(material: &Material, figures: &Figures) -> Section {
    let body = html! {
        (figure(&figures.rewards))
        (figure(&figures.accuracies))
        (figure(&figures.entropy))
        (episodes_table(&material.state.episodes))
    };
    Section::new("learning", "Does it learn?", body)
}

fn episodes_table(episodes: &[EpisodeFinished]) -> Markup {
    if episodes.is_empty() {
        return html! { p { "No episode is finished yet." } };
    }
    let shown = &episodes[episodes.len().saturating_sub(MOST_EPISODES)..];
    let optional = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), accuracy);
    let row = |episode: &EpisodeFinished| {
        let cells = [
            episode.episode.to_string(),
            reward(episode.mean_reward),
            reward(episode.baseline),
            optional(episode.mean_accuracy),
            optional(episode.best_accuracy),
            format!("{:.2}", episode.entropy),
            episode.repeats.to_string(),
            episode.failures.to_string(),
            duration(episode.seconds),
        ];
        cells.iter().map(text).collect()
    };
    let columns: [Column; 9] = [
        ("episode", true),
        ("mean reward", true),
        ("baseline", true),
        ("mean accuracy", true),
        ("best accuracy", true),
        ("entropy", true),
        ("repeats", true),
        ("failures", true),
        ("time", true),
    ];
    let caption = match episodes.len() - shown.len() {
        0 => "Finished episodes".to_owned(),
        _ => format!("The last {} of {} finished episodes; all are in episodes.csv", shown.len(), count(episodes.len() as u64)),
    };
    table(&caption, &columns, &shown.iter().map(row).collect::<Vec<_>>())
}

fn best(material: &Material, figures: &Figures) -> Section {
    let state = &material.state;
    let body = match (&state.best, &state.best_architecture) {
        (Some(best), Some(architecture)) => html! {
            p {
                "Child " (best.child) " of episode " (best.episode) ": " strong { (accuracy(best.accuracy)) } " validation accuracy, reward "
                (reward(best.reward)) ", " (architecture.layers.len()) " layers, " (network::skip_connections(architecture)) " skip connections."
            }
            @if let Some(network) = &figures.network { (figure(network)) }
            (parts::layers(architecture))
            (parts::dna(&best.dna))
            (figure(&figures.learning_curve))
        },
        _ => html! { p { "No child has an accuracy yet, so there is no best network." } },
    };
    Section::new("best", "The best network", body)
}

fn cost(_: &Material, figures: &Figures) -> Section {
    Section::new("pareto", "Accuracy against cost", figure(&figures.pareto))
}

fn children_table(material: &Material) -> Markup {
    let mut rows: Vec<&ChildRow> = material.state.children.iter().filter(|row| row.accuracy.is_some()).collect();
    rows.sort_by(|one, other| match (one.accuracy, other.accuracy) {
        (Some(a), Some(b)) if is_better(a, one.child, (b, other.child)) => std::cmp::Ordering::Less,
        _ => std::cmp::Ordering::Greater,
    });
    if rows.is_empty() {
        return html! { p { "No child has an accuracy yet." } };
    }
    let all = material.state.children.len();
    let row = |row: &&ChildRow| {
        let cells = [
            row.child.to_string(),
            row.episode.to_string(),
            row.accuracy.map_or_else(String::new, accuracy),
            reward(row.reward),
            row.genes.depth().to_string(),
            count(row.params),
            compact(row.macs),
            if row.repeat_of.is_some() { "–".to_owned() } else { duration(row.seconds) },
            remark(row),
        ];
        cells.iter().map(text).collect()
    };
    let columns: [Column; 9] = [
        ("child", true),
        ("episode", true),
        ("validation accuracy", true),
        ("reward", true),
        ("layers", true),
        ("parameters", true),
        ("MACs", true),
        ("training", true),
        ("remark", false),
    ];
    let shown: Vec<Vec<Markup>> = rows.iter().take(MOST_CHILDREN).map(row).collect();
    let caption =
        format!("The {} most accurate of {} children; children.csv has all, with their DNA", shown.len(), count(all as u64));
    table(&caption, &columns, &shown)
}

fn remark(row: &ChildRow) -> String {
    let remarks = [
        row.repeat_of.map(|earlier| format!("repeat of child {earlier}")),
        row.parent.map(|parent| format!("edited by hand from child {parent}")),
        row.skipped.then(|| "ended early by a user".to_owned()),
    ];
    remarks.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Failures with their reasons, and warnings; nothing where there are none.
fn troubles(material: &Material) -> Option<Section> {
    let notices = parts::notices(material);
    if material.failures.is_empty() && notices.is_none() {
        return None;
    }
    let row = |failure: &super::material::Failure| {
        let attempts = if failure.attempts == 0 { "–".to_owned() } else { failure.attempts.to_string() };
        vec![text(failure.child.to_string()), text(failure.episode.to_string()), text(attempts), text(&failure.reason)]
    };
    let columns: [Column; 4] = [("child", true), ("episode", true), ("attempts", true), ("reason", false)];
    let shown: Vec<Vec<Markup>> = material.failures.iter().take(MOST_FAILURES).map(row).collect();
    let caption = match material.failures.len() {
        failures if failures > shown.len() => {
            format!("The first {} of {failures} children that failed; children.csv has all", shown.len())
        }
        _ => "Children that failed: reward 0, no accuracy".to_owned(),
    };
    let body = html! {
        @if shown.is_empty() { p { "No child failed." } } @else { div.reasons { (table(&caption, &columns, &shown)) } }
        @if let Some(notices) = notices { (notices) }
    };
    Some(Section::new("troubles", "Failures and warnings", body))
}

fn costs(material: &Material) -> Markup {
    let (state, summary) = (&material.state, &material.summary);
    let trained = state.children.iter().filter(|row| row.repeat_of.is_none());
    let training: f64 = trained.clone().map(|row| row.seconds).filter(|seconds| seconds.is_finite()).sum();
    let mut list = vec![
        ("working time", duration(summary.wall_seconds)),
        ("training, all workers together", duration(training)),
        ("children per hour", format!("{:.1}", summary.children_per_hour)),
        ("energy of the GPUs", if state.energy.children == 0 { "not known".to_owned() } else { energy(state.energy.watt_hours) }),
    ];
    if let Some(mean) = state.energy.mean() {
        list.push(("energy of a child, mean", energy(mean)));
    }
    if let Some(architecture) = &state.best_architecture {
        let memory = training_memory(architecture, BATCH).map_or_else(|_| "not known".to_owned(), parts::mebibytes);
        list.push(("training memory of the best network", format!("about {memory} at batch size {BATCH} (estimate)")));
    }
    html! { (facts(&list)) p.note { "Working time leaves out pauses and the time between sessions." } }
}

fn environment(material: &Material) -> Markup {
    let mut list: Vec<(&str, String)> = Vec::new();
    if let Some(run) = &material.state.run {
        list.extend(machine(run, material));
        list.extend(parts::data(&run.data));
    }
    html! { (facts(&list)) (parts::sessions(material)) }
}

fn machine(run: &RunStarted, material: &Material) -> Vec<(&'static str, String)> {
    let devices: Vec<&str> = material.devices.iter().map(String::as_str).collect();
    vec![
        ("nas-tui", run.version.clone()),
        ("libtorch", run.libtorch.clone()),
        ("host", run.host.clone()),
        ("devices", if devices.is_empty() { run.device.clone() } else { devices.join(", ") }),
        ("workers", format!("{} of {} threads", run.workers, run.threads)),
        ("seed", run.seed.to_string()),
    ]
}

fn reading(material: &Material) -> Markup {
    let run = material.state.run.as_ref();
    let (power, last) = run.map_or((1.0, 1), |run| (run.reward_power, run.reward_last_epochs));
    html! {
        ul {
            li { "A child's accuracy is the best validation accuracy of its last " (last) " epochs. Its reward is that accuracy to the power " (power) ". The two are different numbers, and are never mixed here." }
            li { "Validation images were set apart from the training images. No test image was read by the search." }
            li { "The slope is that of a straight line through the episodes' mean rewards (ordinary least squares), with a 95 % interval and a two-sided p-value by Student's t. It takes the episodes for independent, which the episodes of a controller that learns are not quite." }
            li { "Where networks grow deeper during a run, the reward can move without any learning: only a random search over the same depths can tell the two apart." }
            li { "Intervals of accuracies are Wilson's, for 95 % of repetitions with other images." }
            li { "Parameters are those that training adjusts. MACs are those of convolutions and classifier." }
        }
    }
}
