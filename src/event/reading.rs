//! A line of a journal to a record. Whoever wrote the line, the record's numbers are in ranges that
//! every consumer can calculate with, its networks can be built, and its texts are printable.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Event, Record};
use crate::classification::ClassificationReport;
use crate::foundation::text;
use crate::space::{Architecture, Design};

/// Largest number that has no narrower range: JSON numbers are exact up to here (RFC 8259, section 6).
const LARGEST: u64 = 1 << 53;
/// Largest magnitude of a number with decimals: far above 32-bit floats, and its square is finite.
const LARGEST_FLOAT: f64 = 1e100;

/// Largest value of the whole numbers in a field; all are far above what settings allow.
fn largest(field: &str) -> u64 {
    match field {
        "seed" => u64::MAX,
        "episode"
        | "episodes"
        | "children_per_episode"
        | "controls"
        | "epoch"
        | "epochs"
        | "child_epochs"
        | "reward_last_epochs"
        | "patience"
        | "early_stopping"
        | "warmup_epochs"
        | "milestones"
        | "worker"
        | "workers"
        | "threads"
        | "attempt"
        | "depth"
        | "layer"
        | "head"
        | "index"
        | "reuse_limit"
        | "staleness" => 1_000_000,
        "batch" | "batches" | "batch_size" | "child_batch_size" | "micro_batch"
        | "train_images" | "validation_images" | "images" | "correct" | "confusion" | "repeats"
        | "failures" | "excluded" => 1_000_000_000,
        "child" | "children" | "next_child" | "parent" | "repeat_of" => 100_000_000_000,
        _ => LARGEST,
    }
}

fn is_accuracy(field: &str) -> bool {
    matches!(
        field,
        "accuracy"
            | "own_accuracy"
            | "mean_accuracy"
            | "best_accuracy"
            | "test_accuracy"
            | "train_accuracy"
            | "valid_accuracy"
            | "valid_accuracies"
    )
}

impl Record {
    /// The record in a line of a journal.
    ///
    /// # Errors
    /// With the column: the line is not JSON or not a record, a number is out of range, or a network
    /// cannot be built.
    pub fn parse(line: &[u8]) -> serde_json::Result<Record> {
        let mut all_printable = true;
        let mut json = serde_json::Deserializer::from_slice(line);
        let values = Values {
            field: "",
            all_printable: &mut all_printable,
        };
        values.deserialize(&mut json)?;
        json.end()?;
        let record: Record = if all_printable {
            serde_json::from_slice(line)?
        } else {
            let mut value: Value = serde_json::from_slice(line)?;
            make_printable(&mut value);
            serde_json::from_value(value)?
        };
        consistent(&record.event).map_err(serde_json::Error::custom)?;
        Ok(record)
    }
}

/// Visits every value of a line without building any.
struct Values<'a> {
    /// The innermost field that contains the value.
    field: &'a str,
    all_printable: &'a mut bool,
}

impl Values<'_> {
    fn within(&mut self) -> Values<'_> {
        Values {
            field: self.field,
            all_printable: self.all_printable,
        }
    }

    fn number<E: Error>(&self, value: f64) -> Result<(), E> {
        let field = self.field;
        if is_accuracy(field) && !(0.0..=1.0).contains(&value) {
            return Err(E::custom(format!(
                "{field} is {value:e}, but must be from 0 to 1"
            )));
        }
        if !(-LARGEST_FLOAT..=LARGEST_FLOAT).contains(&value) {
            return Err(E::custom(format!(
                "{field} is {value:e}, but must be from {:e} to {LARGEST_FLOAT:e}",
                -LARGEST_FLOAT
            )));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let (field, most) = (self.field, largest(self.field));
        if value > most {
            return Err(E::custom(format!(
                "{field} is {value}, but must be at most {most}"
            )));
        }
        if is_accuracy(field) {
            self.number(value as f64)
        } else {
            Ok(())
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        *self.all_printable &= !value.contains(text::controls);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self.within())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(field) = fields.next_key::<FieldName<'de>>()? {
            fields.next_value_seed(Values {
                field: &field.0,
                all_printable: self.all_printable,
            })?;
        }
        Ok(())
    }
}

/// Borrowed from the line unless it contains escapes.
#[derive(serde::Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(printable) = text::line(text) {
                *text = printable;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(fields) => fields.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Check what indexes, counts and sizes refer to.
fn consistent(event: &Event) -> Result<(), String> {
    match event {
        Event::ChildSampled(sampled) => {
            if sampled.choices.iter().any(|choice| choice.layer == 0) {
                return Err("a choice is for layer 0, but layers are numbered from 1".to_owned());
            }
            buildable(sampled.child, &sampled.design)
        }
        Event::ChildQueued(queued) => buildable(queued.child, &queued.design),
        Event::TrainingStarted(started) => {
            built(&started.architecture, || "the network".to_owned())
        }
        Event::TestFinished(test) => square(&test.report),
        _ => Ok(()),
    }
}

fn buildable(child: u64, design: &Design) -> Result<(), String> {
    match design {
        Design::Network(network) => built(network, || format!("the network of child {child}")),
        Design::Key(_) => Ok(()),
    }
}

fn built(network: &Architecture, name: impl FnOnce() -> String) -> Result<(), String> {
    let checked = network.check();
    checked.map_err(|error| format!("{} cannot be built: {error}", name()))
}

fn square(report: &ClassificationReport) -> Result<(), String> {
    let classes = report.per_class.len();
    let confusion = &report.confusion;
    let is_square = confusion.len() == classes && confusion.iter().all(|row| row.len() == classes);
    if is_square {
        Ok(())
    } else {
        Err(format!(
            "the confusion matrix is not one of {classes} x {classes} classes"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = include_str!("../../tests/fixtures/journal-demo.jsonl");

    fn line_of(event: &str) -> Value {
        let name = format!("\"event\":\"{event}\"");
        let line = DEMO.lines().find(|line| line.contains(&name)).unwrap();
        serde_json::from_str(line).unwrap()
    }

    fn error(event: &str, pointer: &str, value: impl Into<Value>) -> String {
        let mut line = line_of(event);
        *line.pointer_mut(pointer).unwrap() = value.into();
        Record::parse(line.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_recorded_journal_is_read_as_it_was_written() {
        for line in DEMO.lines() {
            let plain: Record = serde_json::from_str(line).unwrap();
            assert_eq!(Record::parse(line.as_bytes()).unwrap(), plain);
        }
    }

    #[test]
    fn numbers_that_no_run_can_have_are_named_with_their_field_and_range() {
        let text = error("run_started", "/episodes", u64::MAX);
        assert!(
            text.starts_with(
                "episodes is 18446744073709551615, but must be at most 1000000 at line 1 column"
            ),
            "{text}"
        );
        for (event, field, value) in [
            ("child_finished", "/child", Value::from(1_u64 << 40)),
            ("child_finished", "/params", (u64::MAX).into()),
            ("child_finished", "/accuracy", 42.0.into()),
            ("child_finished", "/valid_accuracies/0", (-7.5).into()),
            ("child_finished", "/reward", 1e308.into()),
            ("child_epoch", "/epoch", u64::from(u32::MAX).into()),
            ("child_sampled", "/choices/0/layer", 0.into()),
            ("child_sampled", "/architecture/layers/0/inputs/0", 7.into()),
        ] {
            let text = error(event, field, value);
            assert!(!text.is_empty());
        }
    }

    #[test]
    fn any_seed_and_unknown_fields_are_accepted() {
        let mut line = line_of("run_started");
        line["seed"] = u64::MAX.into();
        line["later"] = serde_json::json!({"of": [1, "b", null, true]});
        assert!(Record::parse(line.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn texts_are_printable_in_one_line() {
        let mut line = line_of("run_started");
        line["run"] = "\x1b[31mevil\x07\nline".into();
        line["data"]["classes"][0] = "\u{202e}cat".into();
        let record = Record::parse(line.to_string().as_bytes()).unwrap();
        let Event::RunStarted(run) = record.event else {
            panic!("it is one")
        };
        let class = &run.data.images.unwrap().classes[0];
        assert_eq!(
            (run.run.as_str(), class.as_str()),
            ("evil\u{fffd} line", "\u{fffd}cat")
        );
    }
}
