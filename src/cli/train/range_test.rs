//! `nas-tui train ARCH --range-test`: how the loss depends on the learning rate, as a table.

use std::fmt::Write as _;

use anyhow::Context;

use super::{Args, network};
use crate::cli::config::SettingsArgs;
use crate::cli::run::classify;
use crate::cli::{print, say};
use crate::config::{Config, Optimizer, Recipe};
use crate::foundation::durable::write_as_named;
use crate::foundation::numbers::{learning_rate, loss};
use crate::session::SessionError;
use crate::training::{RangePoint, RangeTest, range_test};

/// Number of rows that are printed; the CSV has one for each batch.
const ROWS: usize = 24;

/// Run the test, print its table, and write the CSV.
pub fn run(args: &Args, settings: &SettingsArgs) -> anyhow::Result<()> {
    let config = settings.resolve()?;
    let origin = args.arch.as_deref().context("no network was given")?;
    let architecture = network(origin, args.decode, &config)?;
    say("one epoch with a rising learning rate; nothing is kept of it");
    let test =
        range_test(&architecture, &config).map_err(|error| classify(SessionError::from(error)))?;
    if let Some(path) = &args.csv {
        write_as_named(path, csv(&test).as_bytes())?;
        say(&format!("every batch: {}", path.display()));
    }
    print(&text(&test, &architecture.name, &config))
}

fn csv(test: &RangeTest) -> String {
    let mut csv = "batch,learning_rate,loss,running_loss\n".to_owned();
    for point in &test.points {
        let RangePoint {
            batch,
            learning_rate,
            loss,
            running_loss,
        } = point;
        let _ = writeln!(csv, "{batch},{learning_rate},{loss},{running_loss}");
    }
    csv
}

fn text(test: &RangeTest, name: &str, config: &Config) -> String {
    let ([_, height, width], recipe) = (test.input, &config.train.recipe);
    let smoothed = if recipe.smooths() {
        format!(", labels smoothed by {}", recipe.label_smoothing)
    } else {
        String::new()
    };
    let mixed = match recipe.mixes() {
        true => format!(", {}", recipe.mixing()),
        false => String::new(),
    };
    let mut text = format!(
        "range test of {name}, recipe {}, seed {}: {} of {} batches of {} images of {height}x{width} pixels{smoothed}{mixed}\n\n",
        config.train.recipe_name,
        config.search.seed,
        test.points.len(),
        test.batches,
        test.batch_size
    );
    text += "rate        running mean of the loss    loss of the batch\n";
    let every = test.points.len().div_ceil(ROWS).max(1);
    // The last batch is always among them.
    let skipped = test.points.len().saturating_sub(1) % every;
    for point in test.points.iter().skip(skipped).step_by(every) {
        let rate = learning_rate(point.learning_rate);
        let _ = writeln!(
            text,
            "{rate:<10}  {:>24.4}    {:>17.4}",
            point.running_loss, point.loss
        );
    }
    text + &conclusion(test, recipe)
}

/// What the table suggests, and what it does not show.
fn conclusion(test: &RangeTest, recipe: &Recipe) -> String {
    let Some((lowest, peak)) = test.lowest().zip(test.suggested_peak()) else {
        return "\nthe loss diverged in the first batch: no rate of the range can be used\n"
            .to_owned();
    };
    let at = format!(
        "\nthe running mean is lowest ({}) at a rate of {}",
        loss(lowest.running_loss),
        learning_rate(lowest.learning_rate)
    );
    let ended = if test.diverged {
        ", and the test ended when the loss diverged"
    } else if test.has_risen() {
        ""
    } else {
        ", the loss has not risen much after it: the end of the range may have decided this"
    };
    let muon = match recipe.optimizer {
        Optimizer::Sgd => String::new(),
        Optimizer::Muon { rate, .. } => format!(
            ", together with muon_rate {}: the test raises both in proportion",
            learning_rate(rate * peak / recipe.learning_rate)
        ),
    };
    format!(
        "{at}{ended}\nsuggested learning_rate (the peak of one_cycle): {}, a tenth of that rate{muon}\n\
         This is a rule of thumb (fastai's lr_find) applied to one epoch with one seed. It shows from where on the loss rises, not which peak \
         trains best: compare short trainings by their validation accuracy before a long one.\n",
        learning_rate(peak)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn point(batch: usize, running_loss: f64) -> RangePoint {
        RangePoint {
            batch,
            learning_rate: 1e-3 * 1.2f64.powi(batch as i32),
            loss: running_loss,
            running_loss,
        }
    }

    fn test_of(points: Vec<RangePoint>) -> RangeTest {
        RangeTest {
            batches: points.len(),
            points,
            batch_size: 128,
            input: [3, 16, 16],
            diverged: false,
        }
    }

    #[test]
    fn the_table_is_short_ends_with_the_last_batch_and_says_what_it_does_not_show() {
        let points = (1..=100).map(|batch| point(batch, 2.0 + (batch as f64 / 40.0 - 1.0).powi(2)));
        let test = test_of(points.collect());
        let config = resolve(&Options::default()).unwrap();
        let text = text(&test, "net", &config);
        let rows = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        let rows: Vec<&str> = rows.collect();
        assert_eq!(rows.len(), 20, "{text}");
        assert!(rows[19].contains("4.2500"), "{text}");
        let lowest = learning_rate(1e-3 * 1.2f64.powi(40) / 10.0);
        assert!(
            text.contains(&format!("peak of one_cycle): {lowest}")),
            "{text}"
        );
        assert!(text.contains("not which peak trains best"), "{text}");
        assert_eq!(csv(&test).lines().count(), 101);
    }

    #[test]
    fn the_rate_of_muon_is_suggested_in_proportion() {
        let points = (1..=100).map(|batch| point(batch, 2.0 + (batch as f64 / 40.0 - 1.0).powi(2)));
        let test = test_of(points.collect());
        let peak = test.suggested_peak().unwrap();
        let mut recipe = resolve(&Options::default()).unwrap().train.recipe;
        assert!(!conclusion(&test, &recipe).contains("muon_rate"));
        (recipe.learning_rate, recipe.optimizer) = (
            2.0 * peak,
            Optimizer::Muon {
                rate: 0.01,
                momentum: 0.95,
            },
        );
        let text = conclusion(&test, &recipe);
        assert!(text.contains("together with muon_rate 0.005:"), "{text}");
    }

    #[test]
    fn a_loss_that_never_rises_makes_no_claim_about_its_lowest_point() {
        let test = test_of(
            (1..=30)
                .map(|batch| point(batch, 3.0 - batch as f64 / 30.0))
                .collect(),
        );
        let config = resolve(&Options::default()).unwrap();
        let text = text(&test, "net", &config);
        assert!(
            text.contains("the end of the range may have decided this"),
            "{text}"
        );
    }
}
