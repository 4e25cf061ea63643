//! A line of a journal to a record. Whoever wrote the line, the record's numbers are in ranges that
//! every consumer can calculate with, its networks can be built, and its texts are printable.

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::Value;

use super::checked::Checked;
use super::child::SampledWithoutChoices;
use super::{Event, Record, VERSION, checked_note};
use crate::classification::ClassificationReport;
use crate::foundation::text;
use crate::space::{Architecture, Design};

impl Record {
    /// The record in a line of a journal.
    ///
    /// # Errors
    /// With the column: the line is not JSON or not a record, a number is out of range, or a network
    /// cannot be built.
    pub fn parse(line: &[u8]) -> serde_json::Result<Record> {
        checked(line, |head| match head.event {
            "child_sampled" => Ok(body(line)?.map(Event::ChildSampled)),
            _ => frequent(head, line),
        })
    }

    /// The same without the choices of a sampled child, most of the line, which are not read.
    ///
    /// # Errors
    /// Those of [`parse`](Record::parse).
    pub fn parse_without_choices(line: &[u8]) -> serde_json::Result<Record> {
        checked(line, |head| match head.event {
            "child_sampled" => {
                let sampled = body::<SampledWithoutChoices>(line)?;
                Ok(sampled.map(|sampled| Event::ChildSampled(sampled.0)))
            }
            _ => frequent(head, line),
        })
    }
}

/// The record in a line, whose event `read` returns if it can be read in one pass.
fn checked(
    line: &[u8],
    read: impl FnOnce(&Head<'_>) -> serde_json::Result<Option<Event>>,
) -> serde_json::Result<Record> {
    let in_one_pass = || -> serde_json::Result<Option<Record>> {
        let Some(head) = Head::of(line) else {
            return Ok(None);
        };
        let Ok(time) = head.time.parse() else {
            return Ok(None);
        };
        Ok(read(&head)?.map(|event| Record {
            v: VERSION,
            seq: Some(head.seq),
            time,
            event,
        }))
    };
    let record = match in_one_pass()? {
        Some(record) => record,
        None => any_record(line)?,
    };
    consistent(&record.event).map_err(serde_json::Error::custom)?;
    Ok(record)
}

/// The event of a line, if it is one of those that most lines are about.
fn frequent(head: &Head<'_>, line: &[u8]) -> serde_json::Result<Option<Event>> {
    Ok(match head.event {
        "child_epoch" => body(line)?.map(Event::ChildEpoch),
        "child_finished" => body(line)?.map(Event::ChildFinished),
        _ => None,
    })
}

/// The number (seq) of a line about one of these events that need not be read: it is JSON and begins as
/// this program begins lines, with a time. Its other values are not checked. `None` for any other line.
pub fn unread(line: &[u8], events: &[&str]) -> Option<u64> {
    let head = Head::of(line).filter(|head| events.contains(&head.event))?;
    let is_sound = head.time.parse::<jiff::Timestamp>().is_ok()
        && serde_json::from_slice::<IgnoredAny>(line).is_ok();
    is_sound.then_some(head.seq)
}

/// The beginning of a line as this program writes it.
struct Head<'a> {
    seq: u64,
    time: &'a str,
    event: &'a str,
}

impl<'a> Head<'a> {
    /// The head of a line; `None` if it begins in another way, which is no less valid.
    fn of(line: &'a [u8]) -> Option<Head<'a>> {
        let rest = line.strip_prefix(b"{\"v\":1,\"seq\":")?;
        let (seq, rest) = split_at(rest, b',')?;
        let rest = rest.strip_prefix(b"\"time\":\"")?;
        let (time, rest) = split_at(rest, b'"')?;
        let rest = rest.strip_prefix(b",\"event\":\"")?;
        let (event, _) = split_at(rest, b'"')?;
        let seq = Some(seq).filter(|seq| !seq.starts_with(['0', '+']))?;
        Some(Head {
            seq: seq.parse().ok()?,
            time,
            event,
        })
    }
}

/// What comes before the first `byte` and what after it.
fn split_at(text: &[u8], byte: u8) -> Option<(&str, &[u8])> {
    let end = text.iter().position(|other| *other == byte)?;
    let before = std::str::from_utf8(&text[..end]).ok()?;
    Some((before, &text[end + 1..]))
}

/// The fields of an event; `None` if a text must be made printable first.
fn body<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<Option<T>> {
    let all_printable = Cell::new(true);
    let mut json = serde_json::Deserializer::from_slice(line);
    let event = T::deserialize(Checked::new(&mut json, &all_printable))?;
    json.end()?;
    Ok(all_printable.get().then_some(event))
}

/// A value from JSON whose numbers and texts are what a journal may contain; `None` if they are not, and if it
/// is not such a value.
pub fn checked_json<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    body(json).ok().flatten()
}

/// Whether what indexes, counts and sizes refer to is there.
pub fn is_consistent(event: &Event) -> bool {
    consistent(event).is_ok()
}

/// The record in any line: checked in one pass, read in another.
fn any_record(line: &[u8]) -> serde_json::Result<Record> {
    if body::<Everything>(line)?.is_some() {
        return serde_json::from_slice(line);
    }
    let mut value: Value = serde_json::from_slice(line)?;
    make_printable(&mut value);
    serde_json::from_value(value)
}

/// Visits every value of a line without building any.
struct Everything;

impl<'de> DeserializeSeed<'de> for Everything {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Deserialize<'de> for Everything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Everything, D::Error> {
        deserializer
            .deserialize_any(Everything)
            .map(|()| Everything)
    }
}

impl<'de> Visitor<'de> for Everything {
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

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(Everything)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key::<IgnoredAny>()?.is_some() {
            fields.next_value_seed(Everything)?;
        }
        Ok(())
    }
}

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
        Event::ChildNoted { child, text } => match checked_note(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the note on child {child}: {error}")),
        },
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
    use proptest::prelude::*;

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
            ("episode_finished", "/mean_reward", 1e100.into()),
            ("episode_finished", "/advantages/0", (-1e100).into()),
            ("episode_finished", "/entropy", 1e100.into()),
            ("child_epoch", "/epoch", u64::from(u32::MAX).into()),
            ("child_sampled", "/choices/0/layer", 0.into()),
            ("child_sampled", "/architecture/layers/0/inputs/0", 7.into()),
        ] {
            let text = error(event, field, value);
            assert!(!text.is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_line_is_read_in_one_pass_as_it_is_in_two(
            line in 0..DEMO.lines().count(),
            position in 0usize..2_000,
            byte in proptest::sample::select(b"019.e-x\",[]{}\\ ".to_vec()),
        ) {
            let mut line = DEMO.lines().nth(line).unwrap().as_bytes().to_vec();
            let position = position % line.len();
            line[position] = byte;
            let in_two = any_record(&line).ok().filter(|record| consistent(&record.event).is_ok());
            prop_assert_eq!(Record::parse(&line).ok(), in_two);
        }
    }

    #[test]
    fn a_field_with_an_escape_in_its_name_is_checked_too() {
        let is_one = |line: &&str| line.contains("\"child_finished\"");
        let text = DEMO.lines().find(is_one).unwrap();
        let escaped = text.replace("\"accuracy\":", "\"accurac\\u0079\":");
        assert!(escaped.len() > text.len() && Record::parse(escaped.as_bytes()).is_ok());
        let wrong = escaped.replace("\\u0079\":0", "\\u0079\":7");
        let error = Record::parse(wrong.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("accuracy is 7"), "{error}");
    }

    #[test]
    fn a_note_that_is_too_long_is_damage() {
        let read = |text: String| {
            let line = serde_json::json!({
                "v": 1, "seq": 1, "time": "2026-11-24T10:15:00Z",
                "event": "child_noted", "child": 3, "text": text,
            });
            Record::parse(line.to_string().as_bytes())
        };
        assert!(read("#keep it".to_owned()).is_ok());
        let error = read("x".repeat(501)).unwrap_err().to_string();
        assert!(error.starts_with("the note on child 3: a note"), "{error}");
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
