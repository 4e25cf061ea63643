use super::*;
use crate::config::{BaselineKind, Crop, Flip, Normalization};

fn error(text: &str) -> String {
    parse(text, "my.toml")
        .expect_err("must be refused")
        .to_string()
}

#[test]
fn the_shipped_config_equals_the_defaults() {
    assert_eq!(
        parse(SAMPLE, "config.toml").unwrap(),
        resolve(&Options::default()).unwrap()
    );
}

#[test]
fn the_shipped_config_names_every_setting() {
    let sample: toml::Table = SAMPLE.parse().unwrap();
    let defaults: toml::Table = resolve(&Options::default())
        .unwrap()
        .to_toml()
        .parse()
        .unwrap();
    assert_eq!(sample, defaults);
}

#[test]
fn every_preset_is_valid_and_survives_being_written_to_a_file() {
    for name in presets::NAMES {
        let config = resolve(&Options {
            preset: Some(name.to_owned()),
            ..Options::default()
        })
        .unwrap();
        assert_eq!(
            parse(&config.to_toml(), "written.toml").unwrap(),
            config,
            "{name}"
        );
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_what_may_have_been_meant_or_the_valid_keys() {
    let message = error("[child]\nepochs = 1\nepoch = 3\n");
    assert_eq!(
        message,
        "my.toml:3: child.epoch: unknown field `epoch`; did you mean epochs?"
    );
    assert_eq!(
        error("episods = 3\n"),
        "my.toml:1: episods: unknown field `episods`; did you mean search.episodes?"
    );
    let message = error("[child]\ndropout = 0.5\n");
    assert!(
        message.starts_with(
            "my.toml:2: child.dropout: unknown field `dropout`, expected one of `epochs`"
        ),
        "{message}"
    );
}

#[test]
fn a_wrong_type_is_refused_with_its_line() {
    let message = error("[workers]\ncount = \"many\"\n");
    assert!(
        message.starts_with("my.toml:2:") && message.contains("\"auto\" or a whole number"),
        "{message}"
    );
}

#[test]
fn a_wrong_type_names_the_key_and_what_it_must_be() {
    assert_eq!(
        error("[child]\nepochs = \"3\"\n"),
        "my.toml:2: child.epochs: invalid type: string \"3\", expected a whole number"
    );
}

#[test]
fn a_rule_about_two_keys_points_to_the_one_the_user_set() {
    let message = error("[child]\nepochs = 1\n");
    assert_eq!(
        message,
        "my.toml:2: reward.last_epochs = 2: must be at most child.epochs (1); with --set reward.last_epochs=1 it is"
    );
}

#[test]
fn a_value_out_of_range_is_refused_with_its_line_and_the_range() {
    let message = error("# a comment\n[child]\nepochs = 0\n");
    assert_eq!(
        message,
        "my.toml:3: child.epochs = 0: must be a whole number from 1 to 100000"
    );
}

#[test]
fn a_rule_about_two_keys_names_both() {
    let message = error("[child]\nepochs = 1\n[reward]\nlast_epochs = 3\n");
    assert_eq!(
        message,
        "my.toml:4: reward.last_epochs = 3: must be at most child.epochs (1); with --set reward.last_epochs=1 it is"
    );
}

#[test]
fn a_setting_from_the_command_line_wins_and_is_named_in_its_error() {
    let set = |assignment: &str| {
        resolve(&Options {
            set: vec![assignment.to_owned()],
            ..Options::default()
        })
    };
    assert_eq!(set("child.epochs=7").unwrap().child.epochs, 7);
    assert_eq!(
        set("data.source=cifar10:/data").unwrap().data.dir,
        Some(PathBuf::from("/data"))
    );
    let message = set("child.epochs=0").unwrap_err().to_string();
    assert_eq!(
        message,
        "--set child.epochs=0: child.epochs = 0: must be a whole number from 1 to 100000"
    );
    assert!(matches!(
        set("child.epochs"),
        Err(ConfigError::NotAnAssignment { .. })
    ));
}

#[test]
fn a_file_is_based_on_the_preset_it_names() {
    let config = parse("preset = \"monograph\"\n[child]\nepochs = 5\n", "my.toml").unwrap();
    assert_eq!(
        (config.data.source.name(), config.child.epochs),
        ("cifar10", 5)
    );
}

#[test]
fn two_different_presets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "preset = \"demo\"\n").unwrap();
    let options = Options {
        file: Some(file),
        preset: Some("paper".to_owned()),
        ..Options::default()
    };
    assert!(matches!(
        resolve(&options),
        Err(ConfigError::TwoPresets { .. })
    ));
}

#[test]
fn a_decay_without_a_baseline_means_the_moving_average_as_it_did_when_there_was_no_other() {
    let baseline = |text: &str| parse(text, "here").unwrap().controller.baseline;
    let old = "[controller]\nbaseline_decay = 0.8";
    assert_eq!(baseline(old), BaselineKind::MovingAverage);
    assert_eq!(
        baseline("[controller]\nentropy = 0.1"),
        BaselineKind::LeaveOneOut
    );
    let named = "[controller]\nbaseline_decay = 0.8\nbaseline = \"leave_one_out\"";
    assert_eq!(baseline(named), BaselineKind::LeaveOneOut);
    assert_eq!(baseline("preset = \"paper\""), BaselineKind::MovingAverage);
}

#[test]
fn leave_one_out_needs_more_than_one_child_per_episode() {
    let alone = |text: &str| {
        parse(
            &format!("{text}\n[search]\nchildren_per_episode = 1"),
            "here",
        )
    };
    let error = alone("").unwrap_err().to_string();
    assert!(
        error.contains("controller.baseline") && error.contains("moving_average"),
        "{error}"
    );
    assert!(alone("[controller]\nbaseline = \"moving_average\"").is_ok());
    assert!(
        parse(
            "[search]\nstrategy = \"evolution\"\nchildren_per_episode = 1",
            "here"
        )
        .is_ok()
    );
}

/// The settings of a training with the preset `paper`, which whitens and enlarges its images.
fn of_training(set: &[&str], training: bool) -> Config {
    resolve(&Options {
        preset: Some("paper".to_owned()),
        set: set.iter().map(|&set| set.to_owned()).collect(),
        training,
        ..Options::default()
    })
    .unwrap()
}

#[test]
fn a_recipe_that_says_how_images_are_prepared_is_enough_in_itself() {
    let data = of_training(&["train.recipe=night"], true).data;
    assert_eq!(
        (data.normalization, data.crop, data.flip),
        (Normalization::Standard, Crop::Pad(4), Flip::Alternating)
    );
    let paper = of_training(&[], false).data;
    assert_eq!(of_training(&[], true).data, paper, "densenet says nothing");
    let search = of_training(&["train.recipe=night"], false).data;
    assert_eq!(search, paper, "children are not trained by the recipe");
}

#[test]
fn the_command_line_overrides_what_a_recipe_says_about_the_images() {
    let set = ["train.recipe=night", "data.flip=false"];
    let data = of_training(&set, true).data;
    assert_eq!((data.crop, data.flip), (Crop::Pad(4), Flip::None));
    let set = ["train.recipe=night", "recipes.night.crop_pixels=2"];
    assert_eq!(of_training(&set, true).data.crop, Crop::Pad(2));
    let set = ["train.recipe=cosine", "recipes.cosine.cutout_pixels=8"];
    assert_eq!(of_training(&set, true).data.cutout, 8);
}

#[test]
fn a_training_is_resumed_with_the_images_it_was_begun_with() {
    let begun = of_training(&["train.recipe=night", "data.flip=false"], true);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, begun.to_toml()).unwrap();
    assert_eq!(read(&path).unwrap(), begun);
}
