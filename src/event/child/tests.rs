use super::*;
use crate::event::checked_json;

/// A part of [`ChildSampled`].
#[derive(Debug, PartialEq, Deserialize)]
struct Sampled {
    choices: Vec<Choice>,
}

fn read(choice: &str) -> Option<Sampled> {
    checked_json(format!(r#"{{"choices":[{choice}]}}"#).as_bytes())
}

#[test]
fn a_choice_is_written_as_a_list_and_read_from_an_object_too() {
    let choice = Choice {
        layer: 2,
        head: 1,
        index: 0,
        log_prob: -0.5,
        entropy: 0.25,
        probabilities: vec![0.75, 0.25],
    };
    let list = "[2,1,0,-0.5,0.25,[0.75,0.25]]";
    assert_eq!(serde_json::to_string(&choice).unwrap(), list);
    let object = r#"{"layer":2,"head":1,"index":0,"log_prob":-0.5,"entropy":0.25,"probabilities":[0.75,0.25]}"#;
    let choices = vec![choice];
    let expected = Some(Sampled { choices });
    assert_eq!((read(list), read(object)), (expected, read(list)));
}

#[test]
fn a_choice_with_absurd_numbers_is_refused_in_both_forms() {
    let absurd = [
        "[2000000,1,0,-0.5,0.25,[1.0]]",
        "[2,1,18446744073709551615,-0.5,0.25,[1.0]]",
        "[2,1,0,-1e300,0.25,[1.0]]",
        "[2,1,0,-0.5]",
        r#"{"layer":2000000,"head":1,"index":0,"log_prob":-0.5,"entropy":0.25,"probabilities":[1.0]}"#,
    ];
    for choice in absurd {
        assert_eq!(read(choice), None, "{choice}");
    }
}
