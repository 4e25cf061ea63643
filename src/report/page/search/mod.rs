//! The report of a search: its result, whether it learned, its best network, its children, and its
//! cost.

mod children;
mod effects;
mod figures;
mod result;
mod worth;

use maud::{Markup, html};

use self::figures::SearchFigures;
use super::html::{HtmlColumn, PageHead, READING, Section, facts, figure, table_of};
use super::material::Material;
use super::tables::CsvTable;
use super::{parts, tables};
use crate::event::{EpisodeFinished, RunStarted};
use crate::foundation::numbers::{accuracy, count, counted, duration, energy, or_none, reward};
use crate::report::figures::{Figure, network};

/// Maximum number of episodes in the table of the page.
const MOST_EPISODES: usize = 40;

/// Head, sections, figures and tables of the report.
pub fn compose(material: &Material) -> (PageHead, Vec<Section>, Vec<Figure>, Vec<CsvTable>) {
    let figures = SearchFigures::of(material);
    let settings = parts::settings(&material.settings);
    let sections = [
        Some(result::section(material)),
        Some(learning(material, &figures)),
        worth::section(material),
        Some(best(material, &figures)),
        Some(cost(&figures)),
        effects::section(material),
        Some(Section::new(
            "children",
            "Children",
            children::best(material),
        )),
        children::troubles(material),
        Some(Section::new("costs", "What it took", costs(material))),
        Some(Section::new("reading", READING, reading(material))),
        Some(Section::new("settings", "Settings", settings)),
        Some(Section::new(
            "environment",
            "Environment",
            environment(material),
        )),
    ];
    let mut tables = vec![tables::children(material), tables::episodes(material)];
    let network = material.state.search().best_architecture();
    tables.extend(network.and_then(tables::layers));
    tables.extend(effects::as_csv(material.state.search()));
    tables.extend(tables::studies::of_results(&material.results));
    let sections = sections.into_iter().flatten().collect();
    (head(material), sections, figures.into_list(), tables)
}

fn head(material: &Material) -> PageHead {
    let subtitle = material.state.search().started.as_ref().map_or_else(
        || "It never got as far as its first episode.".to_owned(),
        |run| {
            let begun = parts::begun(material);
            format!(
                "preset {} · strategy {} · seed {} · {}{begun}",
                run.preset, run.strategy, run.seed, run.data.spec
            )
        },
    );
    PageHead {
        kind: "Architecture search report",
        title: material.name.clone(),
        subtitle,
        status: parts::status(material, ""),
    }
}

fn learning(material: &Material, figures: &SearchFigures) -> Section {
    let run = material.state.search().started.as_ref();
    let reference = run.and_then(|run| run.reference.as_deref());
    let incomparable =
        reference.and_then(|reference| Some((&reference.run, reference.not_comparable.as_ref()?)));
    let body = html! {
        @if let Some((run, reason)) = incomparable {
            p { "This run cannot be compared with " (run) " (search.reference): " (reason) "." }
        }
        @if let Some(staleness) = material.summary.staleness {
            p {
                "Updates were asynchronous: on average " (format!("{staleness:.2}")) " updates lie between the policy that proposed a child and "
                "the one that learned from it."
            }
        }
        (figure(&figures.rewards))
        (figure(&figures.accuracies))
        (figure(&figures.entropy))
        (episodes_table(&material.state.search().episodes))
    };
    Section::new("learning", "Does it learn?", body)
}

fn episodes_table(episodes: &[EpisodeFinished]) -> Markup {
    if episodes.is_empty() {
        return html! { p { "No episode is finished yet." } };
    }
    let shown = &episodes[episodes.len().saturating_sub(MOST_EPISODES)..];
    let columns: &[HtmlColumn<'_, EpisodeFinished>] = &[
        ("episode", true, &|episode| episode.episode.to_string()),
        ("mean reward", true, &|episode| reward(episode.mean_reward)),
        ("baseline", true, &|episode| {
            or_none(episode.baseline, reward)
        }),
        ("mean accuracy", true, &|episode| {
            or_none(episode.mean_accuracy, accuracy)
        }),
        ("best accuracy", true, &|episode| {
            or_none(episode.best_accuracy, accuracy)
        }),
        ("entropy", true, &|episode| {
            or_none(episode.entropy, |entropy| format!("{entropy:.2}"))
        }),
        ("repeats", true, &|episode| episode.repeats.to_string()),
        ("failures", true, &|episode| episode.failures.to_string()),
        ("time", true, &|episode| duration(episode.seconds)),
    ];
    let caption = match episodes.len() - shown.len() {
        0 => "Finished episodes".to_owned(),
        _ => format!(
            "The last {} of {} finished episodes; all are in episodes.csv",
            shown.len(),
            count(episodes.len() as u64)
        ),
    };
    table_of(&caption, columns, shown)
}

fn best(material: &Material, figures: &SearchFigures) -> Section {
    let state = &material.state;
    let body = match (
        &state.search().outcomes.best,
        state.search().best_architecture(),
    ) {
        (Some(best), Some(architecture)) => html! {
            p {
                "Child " (best.child) " of episode " (best.episode) ": " strong { (parts::whole(&accuracy(best.accuracy))) } " validation accuracy, reward "
                (reward(best.reward)) ", " (architecture.layers.len()) " layers, " (network::skips_in_words(architecture)) "."
            }
            (children::note(state.search(), best.child))
            @if let Some(network) = &figures.network { (figure(network)) }
            (parts::layers(architecture))
            (parts::dna(&best.dna))
            (figure(&figures.learning_curve))
        },
        (Some(best), None) => html! {
            p {
                "Child " (best.child) " of episode " (best.episode) ": " strong { (parts::whole(&accuracy(best.accuracy))) } " validation accuracy, reward "
                (reward(best.reward)) ", looked up in a table."
                @if let Some(test) = best.test_accuracy {
                    " The table gives its network " strong { (parts::whole(&accuracy(test))) } " test accuracy when trained to completion; the search never saw that number."
                }
            }
            (children::note(state.search(), best.child))
            (parts::cell(material, &best.dna))
            (parts::dna(&best.dna))
        },
        (None, _) => html! { p { "No child has an accuracy yet, so there is no best network." } },
    };
    Section::new("best", "The best network", body)
}

fn cost(figures: &SearchFigures) -> Section {
    Section::new("pareto", "Accuracy against cost", figure(&figures.pareto))
}

fn costs(material: &Material) -> Markup {
    let (state, summary) = (&material.state, &material.summary);
    let trained = state.search().trained();
    let training: f64 = trained
        .clone()
        .map(|row| row.seconds)
        .filter(|seconds| seconds.is_finite())
        .sum();
    let mut list = vec![
        (
            "working time",
            parts::working_time(material, summary.wall_seconds),
        ),
        ("sessions", parts::resumptions(material)),
        ("training, all workers together", duration(training)),
        (
            "children per hour",
            format!("{:.1}", summary.children_per_hour),
        ),
        (
            "energy of the GPUs",
            if state.search().energy.children == 0 {
                "not known".to_owned()
            } else {
                energy(state.search().energy.watt_hours)
            },
        ),
    ];
    if let Some(mean) = state.search().energy.mean() {
        list.push(("energy of a child, mean", energy(mean)));
    }
    if let Some(architecture) = state.search().best_architecture() {
        list.push((
            "training memory of the best network",
            parts::training_memory(architecture, material),
        ));
    }
    html! { (facts(&list)) (parts::working_time_note(material)) }
}

fn environment(material: &Material) -> Markup {
    let mut list: Vec<(&str, String)> = Vec::new();
    if let Some(run) = &material.state.search().started {
        list.extend(machine(run, material));
        list.extend(parts::data(&run.data));
    }
    html! { (facts(&list)) (parts::sessions(material)) }
}

fn machine(run: &RunStarted, material: &Material) -> Vec<(&'static str, String)> {
    let devices: Vec<&str> = material.devices.iter().map(String::as_str).collect();
    let mut list = vec![("nas-tui", run.version.clone())];
    list.extend(run.libtorch.clone().map(|version| ("libtorch", version)));
    list.push(("host", run.host.clone()));
    if let (Some(device), Some(threads)) = (&run.device, run.threads) {
        let used = if devices.is_empty() {
            device.clone()
        } else {
            devices.join(", ")
        };
        list.push(("devices", used));
        let workers = format!(
            "{}, of {} each",
            run.workers,
            counted(threads as u64, "thread")
        );
        list.push(("workers", workers));
    }
    list.push(("seed", run.seed.to_string()));
    list
}

fn reading(material: &Material) -> Markup {
    let run = material.state.search().started.as_ref();
    let is_table = run.is_some_and(|run| run.data.images.is_none());
    let last = run.map_or(1, |run| run.reward_last_epochs);
    let formula = run.map_or_else(|| "accuracy".to_owned(), RunStarted::reward_in_words);
    html! {
        ul {
            li { "A child's accuracy is the best validation accuracy of its last " (last) " epochs. Its reward is that " (formula) ". The two are different numbers, and are never mixed here." }
            @if is_table {
                li { "Accuracies were looked up in a table: nothing was trained. The search read only validation accuracies." }
            } @else {
                li { "Validation images were set apart from the training images. No test image was read by the search." }
            }
            li { "The slope is that of a straight line through the episodes' mean rewards (ordinary least squares), with a 95 % interval and a two-sided p-value by Student's t. It treats the episodes as independent, which is only approximately true for a controller that learns." }
            li { "Where networks grow deeper during a run, the reward can move without any learning. So a slope alone is called a trend and no verdict; if several episodes share a depth, it compares them with each other only." }
            li { "Controls are children drawn at random at the depth of their episode and trained like the others, from which nothing is learned. The policy is compared with them within each episode from the second on, or with the children of another run with the same depths: the interval is Welch's, and the two-sided p-value is that of a permutation within episodes." }
            li { "Intervals of accuracies are Wilson's, at 95 % confidence with respect to the choice of images." }
            li { "Only trainable parameters are counted. MACs are those of convolutions and classifier." }
        }
    }
}
