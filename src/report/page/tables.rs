//! Tables of a report as CSV (RFC 4180), complete where the page shows only a part.

pub mod studies;

use super::material::Material;
use crate::classification::{ClassAccuracy, ClassificationReport};
use crate::event::{ChildEpoch, EpisodeFinished, TrainingEpoch};
use crate::foundation::{numbers, text};
use crate::space::lanes::inputs;
use crate::space::{Architecture, Cost, Layer, LayerCost};
use crate::state::{ChildRow, Notes, TrainingRun};

/// One table.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTable {
    /// Name of its file, without extension.
    pub name: &'static str,
    /// Names of the columns.
    pub head: Vec<&'static str>,
    /// As many cells in each row as there are columns; an empty cell is an absent value.
    pub rows: Vec<Vec<String>>,
}

/// A column: its name, and the text of its cell in a row.
type CsvColumn<'a, T> = (&'static str, &'a dyn Fn(&T) -> String);

impl CsvTable {
    fn new<'a, T: 'a>(
        name: &'static str,
        rows: impl IntoIterator<Item = &'a T>,
        columns: &[CsvColumn<'_, T>],
    ) -> CsvTable {
        let cells = |row| columns.iter().map(|(_, cell)| cell(row)).collect();
        CsvTable {
            name,
            head: columns.iter().map(|(name, _)| *name).collect(),
            rows: rows.into_iter().map(cells).collect(),
        }
    }

    /// Put a column first, with the cells of the rows in their order.
    pub fn with_first(
        mut self,
        name: &'static str,
        cells: impl IntoIterator<Item = String>,
    ) -> CsvTable {
        self.head.insert(0, name);
        let rows = self.rows.iter_mut().zip(cells);
        rows.for_each(|(row, cell)| row.insert(0, cell));
        self
    }

    /// The table as CSV; an absent value is an empty cell. No cell is longer than a line or a formula.
    ///
    /// # Errors
    /// If a row is longer or shorter than the head.
    pub fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.head)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| text::cell(cell).into_owned()))?;
        }
        writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))
    }
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, numbers::exact)
}

/// The columns of a table of children, except for what only the journal tells of them.
const CHILD: [CsvColumn<'static, ChildRow>; 18] = [
    ("child", &|row| row.child.to_string()),
    ("episode", &|row| row.episode.to_string()),
    ("validation_accuracy", &|row| number(row.accuracy)),
    ("reward", &|row| number(row.reward)),
    ("parameters", &|row| row.params.to_string()),
    ("macs", &|row| row.macs.to_string()),
    ("training_seconds", &|row| numbers::exact(row.seconds)),
    ("repeat_of", &|row| cell(row.repeat_of)),
    ("trainings", &|row| {
        row.mean
            .as_ref()
            .map_or(1, |mean| mean.children.len())
            .to_string()
    }),
    ("own_accuracy", &|row| {
        number(
            row.mean
                .as_ref()
                .map_or(row.accuracy, |mean| mean.own_accuracy),
        )
    }),
    ("edited_from", &|row| cell(row.parent)),
    ("control", &|row| row.control.to_string()),
    ("ended_early", &|row| row.skipped.to_string()),
    ("energy_wh", &|row| number(row.energy_wh)),
    ("log_prob", &|row| number(row.log_prob)),
    ("entropy", &|row| number(row.entropy)),
    ("dna", &|row| row.genes.to_dna().to_string()),
    ("state", &|row| {
        row.trouble().unwrap_or("trained").to_owned()
    }),
];

/// Every child that has ended, by number. `state` is `trained` (also for a repeat, with the
/// accuracy of the earlier child), `failed` (reward 0) or `excluded` (no reward); `failure` is the
/// reason for the latter two; `note` is what a user has written on the child.
pub fn children(material: &Material) -> CsvTable {
    let reasons: std::collections::HashMap<u64, &str> = material
        .failures
        .iter()
        .map(|failure| (failure.child, failure.reason.as_str()))
        .collect();
    let notes = &material.state.search().notes;
    let mut rows: Vec<_> = material.state.search().children.iter().collect();
    rows.sort_by_key(|row| row.child);
    let note = |row: &ChildRow| cell(notes.of(row.child));
    let failure = |row: &ChildRow| cell(reasons.get(&row.child));
    let mut columns: Vec<CsvColumn<'_, ChildRow>> = CHILD.to_vec();
    columns.insert(CHILD.len() - 1, ("failure", &failure));
    columns.insert(CHILD.len() - 1, ("note", &note));
    CsvTable::new("children", rows, &columns)
}

/// These children, with all that a run's state knows of them and the notes on them.
pub fn some_children<'a>(
    name: &'static str,
    rows: impl IntoIterator<Item = &'a ChildRow>,
    notes: &Notes,
) -> CsvTable {
    let note = |row: &ChildRow| cell(notes.of(row.child));
    let mut columns: Vec<CsvColumn<'_, ChildRow>> = CHILD.to_vec();
    columns.insert(CHILD.len() - 1, ("note", &note));
    CsvTable::new(name, rows, &columns)
}

/// Every finished episode.
pub fn episodes(material: &Material) -> CsvTable {
    let columns: &[CsvColumn<'_, EpisodeFinished>] = &[
        ("episode", &|episode| episode.episode.to_string()),
        ("mean_reward", &|episode| {
            numbers::exact(episode.mean_reward)
        }),
        ("baseline", &|episode| number(episode.baseline)),
        ("mean_accuracy", &|episode| number(episode.mean_accuracy)),
        ("best_accuracy", &|episode| number(episode.best_accuracy)),
        ("entropy", &|episode| number(episode.entropy)),
        ("max_entropy", &|episode| number(episode.max_entropy)),
        ("loss", &|episode| number(episode.loss)),
        ("gradient_norm", &|episode| number(episode.gradient_norm)),
        ("repeats", &|episode| episode.repeats.to_string()),
        ("failures", &|episode| episode.failures.to_string()),
        ("excluded", &|episode| episode.excluded.to_string()),
        ("staleness", &|episode| number(episode.staleness)),
        ("seconds", &|episode| numbers::exact(episode.seconds)),
    ];
    CsvTable::new("episodes", &material.state.search().episodes, columns)
}

/// Columns of the layers of a network; `layer` and `inputs` number layers from 1, and 0 is the
/// image.
const LAYER_HEAD: [&str; 16] = [
    "layer",
    "kernel_height",
    "kernel_width",
    "filters",
    "stride_height",
    "stride_width",
    "padding_height",
    "padding_width",
    "inputs",
    "output_channels",
    "output_height",
    "output_width",
    "parameters",
    "macs",
    "field_height",
    "field_width",
];

/// The layers of a network with their costs; the classifier is the last row. `None` if the network
/// cannot be built.
pub fn layers(architecture: &Architecture) -> Option<CsvTable> {
    let cost = Cost::of(architecture).ok()?;
    let reads = inputs(architecture);
    let mut rows: Vec<Vec<String>> = architecture
        .layers
        .iter()
        .zip(&cost.layers)
        .enumerate()
        .map(|(index, (layer, cost))| layer_row(index + 1, layer, reads[index + 1], cost))
        .collect();
    let mut classifier = vec![String::new(); LAYER_HEAD.len()];
    classifier[0] = "classifier".to_owned();
    classifier[3] = architecture.classes.to_string();
    classifier[8] = list(&architecture.output);
    classifier[12] = cost.classifier.params.to_string();
    classifier[13] = cost.classifier.macs.to_string();
    rows.push(classifier);
    Some(CsvTable {
        name: "layers",
        head: LAYER_HEAD.to_vec(),
        rows,
    })
}

/// Layer `number`, which reads the outputs of `reads`.
fn layer_row(number: usize, layer: &Layer, reads: &[usize], cost: &LayerCost) -> Vec<String> {
    let form = [
        number,
        layer.kernel[0],
        layer.kernel[1],
        layer.filters,
        layer.stride[0],
        layer.stride[1],
        layer.padding[0],
        layer.padding[1],
    ];
    let mut cells: Vec<String> = form.iter().map(usize::to_string).collect();
    cells.push(list(reads));
    cells.extend(cost.output_shape.iter().map(usize::to_string));
    cells.extend(
        [
            cost.params,
            cost.macs,
            cost.receptive_field[0],
            cost.receptive_field[1],
        ]
        .iter()
        .map(u64::to_string),
    );
    cells
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    numbers.join(" ")
}

/// Every epoch of a training; of one in stages, also the size of its images in pixels.
pub fn epochs(run: &TrainingRun) -> CsvTable {
    let size = |epoch: &TrainingEpoch| {
        let span = run.started.settings.stage_at(epoch.epoch);
        cell(span.map(|span| span.stage.size))
    };
    let mut columns: Vec<CsvColumn<'_, TrainingEpoch>> = vec![
        ("epoch", &|epoch| epoch.epoch.to_string()),
        ("train_loss", &|epoch| numbers::exact(epoch.train_loss)),
        ("train_accuracy", &|epoch| {
            numbers::exact(epoch.train_accuracy)
        }),
        ("validation_loss", &|epoch| numbers::exact(epoch.valid_loss)),
        ("validation_accuracy", &|epoch| {
            numbers::exact(epoch.valid_accuracy)
        }),
        ("learning_rate", &|epoch| {
            numbers::exact(epoch.learning_rate)
        }),
        ("images_per_second", &|epoch| {
            numbers::exact(epoch.images_per_second)
        }),
        ("seconds", &|epoch| numbers::exact(epoch.seconds)),
    ];
    // With them nobody takes the two losses for the same, or the weights for those of the last step.
    if run.started.settings.smooths() {
        columns.push(("label_smoothing", &|e| numbers::exact(e.label_smoothing)));
    }
    if run.started.settings.mixes() {
        columns.push(("cutmix", &|epoch| numbers::exact(epoch.cutmix)));
    }
    if run.started.settings.averages() {
        columns.push(("averaged_weights", &|epoch| epoch.averaged.to_string()));
    }
    if !run.started.settings.stages.is_empty() {
        columns.insert(1, ("image_size", &size));
    }
    CsvTable::new("epochs", &run.epochs, &columns)
}

/// Every epoch of a child.
pub fn child_epochs(epochs: &[ChildEpoch]) -> CsvTable {
    let columns: &[CsvColumn<'_, ChildEpoch>] = &[
        ("child", &|epoch| epoch.child.to_string()),
        ("epoch", &|epoch| epoch.epoch.to_string()),
        ("train_loss", &|epoch| numbers::exact(epoch.train_loss)),
        ("train_accuracy", &|epoch| {
            numbers::exact(epoch.train_accuracy)
        }),
        ("validation_loss", &|epoch| numbers::exact(epoch.valid_loss)),
        ("validation_accuracy", &|epoch| {
            numbers::exact(epoch.valid_accuracy)
        }),
        ("learning_rate", &|epoch| {
            numbers::exact(epoch.learning_rate)
        }),
        ("images_per_second", &|epoch| {
            numbers::exact(epoch.images_per_second)
        }),
        ("seconds", &|epoch| numbers::exact(epoch.seconds)),
    ];
    CsvTable::new("epochs", epochs, columns)
}

/// Accuracy on the test images of each class.
pub fn per_class(report: &ClassificationReport) -> CsvTable {
    let columns: &[CsvColumn<'_, ClassAccuracy>] = &[
        ("class", &|class| class.class.clone()),
        ("images", &|class| class.images.to_string()),
        ("correct", &|class| class.correct.to_string()),
        ("accuracy", &|class| cell(class.accuracy)),
        ("ci95_low", &|class| cell(class.ci95.map(|[low, _]| low))),
        ("ci95_high", &|class| cell(class.ci95.map(|[_, high]| high))),
    ];
    CsvTable::new("per_class", &report.per_class, columns)
}

/// Test images by class and prediction, one pair per row: class names can be anything and therefore
/// are in cells.
pub fn confusion(report: &ClassificationReport) -> CsvTable {
    let name = |number: usize| {
        report
            .per_class
            .get(number)
            .map_or_else(String::new, |class| class.class.clone())
    };
    let rows = report
        .confusion
        .iter()
        .enumerate()
        .flat_map(|(row, counts)| {
            counts
                .iter()
                .enumerate()
                .map(move |(column, images)| vec![name(row), name(column), images.to_string()])
        });
    CsvTable {
        name: "confusion",
        head: vec!["class", "taken_for", "images"],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decode;
    use crate::space::builtin::builtin;

    #[test]
    fn commas_and_quotes_survive_and_each_row_is_a_line_of_visible_characters() {
        let nasty = "a,\"b\"\nc;=1+1\x1b[31m";
        let table = CsvTable {
            name: "t",
            head: vec!["one", "two"],
            rows: vec![vec![nasty.to_owned(), String::new()]],
        };
        let text = String::from_utf8(table.to_csv().unwrap()).unwrap();
        assert_eq!(text, "one,two\n\"a,\"\"b\"\" c;=1+1\",\n");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read[0].get(0), Some("a,\"b\" c;=1+1"));
    }

    #[test]
    fn a_row_that_does_not_fit_the_head_is_an_error() {
        let table = CsvTable {
            name: "t",
            head: vec!["one", "two"],
            rows: vec![vec!["1".to_owned()]],
        };
        assert!(table.to_csv().is_err());
    }

    #[test]
    fn the_layers_add_up_to_the_network() {
        let network = builtin("nascnn15", Decode::Literal, [3, 32, 32], 10)
            .unwrap()
            .unwrap();
        let table = layers(&network).unwrap();
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
        let column = table
            .head
            .iter()
            .position(|name| *name == "parameters")
            .unwrap();
        let sum: u64 = table
            .rows
            .iter()
            .map(|row| row[column].parse::<u64>().unwrap())
            .sum();
        assert_eq!(sum, 4_201_630);
    }
}
