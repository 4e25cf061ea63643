//! The output of `evaluate`, as text and as JSON.

use serde::Serialize;

use crate::classification::proportion::difference;
use crate::classification::text;
use crate::classification::{ClassificationReport, MirroredAccuracy};
use crate::foundation::numbers;
use crate::foundation::text::line;

/// A test set with its report.
#[derive(Debug, Serialize)]
pub struct Evaluated {
    /// SPEC with the folder where the images were found.
    pub data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'static str>,
    #[serde(flatten)]
    pub(super) report: ClassificationReport,
    /// The figure of `--mirror`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mirrored: Option<MirroredAccuracy>,
}

/// How much less accurate a network is on CIFAR-10.1 than on CIFAR-10.
#[derive(Debug, Serialize)]
pub struct Drop {
    /// SPEC with the folder where CIFAR-10 was found.
    data: String,
    images: usize,
    correct: usize,
    accuracy: f64,
    accuracy_ci95: [f64; 2],
    /// Its accuracy minus that on CIFAR-10.1.
    drop: f64,
    /// Newcombe's interval of `drop`.
    ci95: [f64; 2],
}

/// A version of CIFAR-10.1, or the only test set of other data.
#[derive(Debug, Serialize)]
struct TestVersion {
    #[serde(flatten)]
    evaluated: Evaluated,
    /// `None` for other data; null if CIFAR-10 was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Option<Drop>>,
}

/// The complete output.
#[derive(Debug, Serialize)]
pub struct EvaluationOutput<'a> {
    architecture: &'a str,
    #[serde(flatten)]
    first: TestVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_versions: Option<Vec<TestVersion>>,
}

impl Drop {
    /// The drop from `against` (CIFAR-10) to `here`; `None` if either set is empty.
    fn new(against: &Evaluated, here: &Evaluated) -> Option<Drop> {
        let Evaluated {
            data,
            report:
                ClassificationReport {
                    images,
                    correct,
                    accuracy,
                    accuracy_ci95,
                    ..
                },
            ..
        } = against;
        let (drop, ci95) = difference(
            (*correct, *images),
            (here.report.correct, here.report.images),
        )?;
        let (images, correct, accuracy, accuracy_ci95) =
            (*images, *correct, *accuracy, *accuracy_ci95);
        Some(Drop {
            data: data.clone(),
            images,
            correct,
            accuracy,
            accuracy_ci95,
            drop,
            ci95,
        })
    }
}

impl<'a> EvaluationOutput<'a> {
    /// The output for all versions of the data, in order; `None` if there are none.
    pub fn new(
        architecture: &'a str,
        versions: Vec<Evaluated>,
        against: Option<&Evaluated>,
    ) -> Option<EvaluationOutput<'a>> {
        let judged = |evaluated: Evaluated| {
            let drop = evaluated
                .version
                .map(|_| against.and_then(|against| Drop::new(against, &evaluated)));
            TestVersion { evaluated, drop }
        };
        let mut versions = versions.into_iter().map(judged);
        let first = versions.next()?;
        let other_versions = first.evaluated.version.map(|_| versions.collect());
        Some(EvaluationOutput {
            architecture,
            first,
            other_versions,
        })
    }

    /// One line of JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// For each version a headline and the report.
    pub fn text(&self) -> String {
        let versions = [&self.first]
            .into_iter()
            .chain(self.other_versions.iter().flatten());
        versions
            .map(|version| self.describe(version))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn describe(
        &self,
        TestVersion {
            evaluated:
                Evaluated {
                    data,
                    version,
                    report,
                    mirrored,
                },
            drop,
        }: &TestVersion,
    ) -> String {
        let version = version
            .map(|version| format!(" ({version})"))
            .unwrap_or_default();
        let ClassificationReport {
            accuracy,
            correct,
            images,
            loss,
            ..
        } = report;
        let (name, data) = (self.architecture, line(data));
        let mut lines = format!(
            "{name} on {data}{version}: accuracy {} ({correct} of {images} test images), loss {}\n",
            numbers::accuracy(*accuracy),
            numbers::loss(*loss)
        );
        if let Some(Drop {
            data,
            accuracy,
            drop,
            ci95: [low, high],
            ..
        }) = drop.as_ref().and_then(Option::as_ref)
        {
            // A drop is not written with `+`, and what rounds to 0 without a sign.
            let [drop, low, high] =
                [drop, low, high].map(|points| numbers::signed(100.0 * points, 2));
            let [drop, low, high] =
                [&drop, &low, &high].map(|points| points.trim_start_matches('+'));
            lines += &format!(
                "drop of {drop} points from {} on {data}, 95 % interval {low} to {high}\n",
                numbers::accuracy(*accuracy),
            );
        }
        if let Some(MirroredAccuracy {
            accuracy,
            accuracy_ci95,
            correct,
            images,
            loss,
        }) = mirrored
        {
            lines += &format!(
                "with mirror images, a figure of its own: accuracy {} ({correct} of {images}; 95 % interval {}), loss {}\n",
                numbers::accuracy(*accuracy),
                numbers::accuracies(*accuracy_ci95),
                numbers::loss(*loss)
            );
        }
        lines + "\n" + &text::text(report)
    }
}
