//! The built-in settings. `demo` is the default; the others are written as differences from it.

mod recipes;

use std::collections::BTreeMap;

use super::raw::{
    Count, RawChild, RawConfig, RawConstraints, RawController, RawCrop, RawData, RawEarlyStopping,
    RawEvolution, RawPpo, RawPredictor, RawReward, RawScreen, RawSearch, RawSpace, RawTrain,
    RawWorkers,
};
use super::slurm::{EvaluatorChoice, RawSlurm};
use super::{
    Alerts, BaselineKind, ChannelsLast, Characters, ChildSchedule, Colours, Decode, DeviceChoice,
    Flip, LayoutName, Normalization, Precision, Reuse, ThemeName, Updates,
};

pub(super) use recipes::densenet;

/// Names of the presets, default first.
pub const NAMES: [&str; 7] = [
    "demo",
    "demo-cifar",
    "monograph",
    "paper",
    "paper-strides",
    "paper-pooling",
    "nasbench201",
];

/// The settings of a preset, or `None` if there is no preset of this name.
pub fn preset(name: &str) -> Option<RawConfig> {
    let mut config = match name {
        "demo" => demo(),
        "demo-cifar" => demo_cifar(),
        "monograph" => monograph(),
        "paper" => paper(),
        "paper-strides" => paper_strides(),
        "paper-pooling" => paper_pooling(),
        "nasbench201" => nasbench201(),
        _ => return None,
    };
    config.preset = name.to_owned();
    Some(config)
}

/// Phase A of the monograph on the embedded images, scaled down so that two CPU cores finish it in
/// minutes.
pub(super) fn demo() -> RawConfig {
    RawConfig {
        preset: "demo".to_owned(),
        data: embedded_images(),
        search: growing_children(),
        controller: controller(),
        evolution: RawEvolution {
            population: 10,
            sample: 3,
        },
        ppo: RawPpo {
            epochs: 4,
            clip: 0.2,
        },
        predictor: RawPredictor {
            initial: 10,
            networks: 5,
            candidates: 100,
        },
        space: RawSpace {
            layer: "chain".to_owned(),
            kernels: vec![1, 3, 5],
            filters: vec![2, 4, 8],
            strides: vec![1, 2],
            paddings: vec![0, 1, 2],
            decode: Decode::Literal,
        },
        constraints: RawConstraints {
            max_params: None,
            max_macs: None,
            max_memory: None,
        },
        child: RawChild {
            epochs: 2,
            batch_size: 100,
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-4,
            schedule: ChildSchedule::Cosine,
        },
        early_stopping: RawEarlyStopping {
            below: 0.0,
            after: 0.5,
        },
        reward: RawReward {
            last_epochs: 2,
            power: 1.0,
            target_macs: None,
            macs_exponent: -0.07,
        },
        workers: workers(),
        slurm: RawSlurm::default(),
        train: training(),
        recipes: recipes::recipes(),
        screen: screen(),
    }
}

/// The demo on CIFAR-10 images: as many of them, and as many epochs, as two CPU cores train for 180
/// children in about a quarter of an hour. Half of the demo's batch size gives a child 240 steps, with
/// which the accuracies of its first children spread from 0.1 to 0.32. Two controls per episode,
/// because these accuracies are noisier than the demo's.
fn demo_cifar() -> RawConfig {
    let mut config = demo();
    config.data.source = "cifar10".to_owned();
    config.data.limit = Some(4_000);
    config.search.controls = 2;
    config.child.epochs = 3;
    config.child.batch_size = 50;
    config.reward.last_epochs = 3;
    config
}

/// The paper's policy, with a learning rate that learns within 160 children (docs/CONTROLLER.md).
fn controller() -> RawController {
    RawController {
        hidden_size: 35,
        layers: 2,
        init_range: 0.08,
        learning_rate: 0.03,
        entropy: 0.0,
        baseline: BaselineKind::LeaveOneOut,
        baseline_decay: 0.9,
        gradient_clip: 5.0,
    }
}

/// Ten episodes of 16 children, a layer deeper each time.
fn growing_children() -> RawSearch {
    RawSearch {
        strategy: "reinforce".to_owned(),
        episodes: 10,
        children_per_episode: 16,
        controls: 1,
        reuse: Reuse::First,
        reuse_limit: 3,
        updates: Updates::Synchronous,
        seed: 1,
        initial_depth: 6,
        depth_step: 1,
        depth_every: 16,
        reference: None,
        table: None,
    }
}

/// The embedded images, augmented only by mirroring.
fn embedded_images() -> RawData {
    RawData {
        source: "fashion-mnist-mini".to_owned(),
        dir: None,
        size: [32, 32],
        validation: 1_000,
        limit: None,
        normalization: Normalization::Standard,
        crop: RawCrop::None,
        crop_pixels: 0,
        flip: Flip::Random,
        cutout_pixels: 0,
    }
}

/// Whatever is fastest on this machine.
fn workers() -> RawWorkers {
    RawWorkers {
        evaluator: EvaluatorChoice::Local,
        count: Count::Auto,
        threads: Count::Auto,
        device: DeviceChoice::Auto,
    }
}

/// `nas-tui train`: the memory format that suits the device, and a checkpoint every ten minutes.
fn training() -> RawTrain {
    RawTrain {
        recipe: "densenet".to_owned(),
        precision: Precision::Auto,
        tf32: true,
        channels_last: ChannelsLast::Auto,
        data_on_device: true,
        checkpoint_minutes: 10.0,
        test: true,
    }
}

/// Everything that fits, in colours that everyone can tell apart.
fn screen() -> RawScreen {
    RawScreen {
        layout: LayoutName::Overview,
        theme: ThemeName::ColourBlind,
        colours: Colours::Auto,
        characters: Characters::Auto,
        refresh_rate: 1.0,
        alerts: Alerts::Off,
        mouse: true,
        title: true,
        columns: Vec::new(),
        keys: BTreeMap::new(),
    }
}

/// Phase A as described in the monograph's text: CIFAR-10, 160 children of 20 epochs, depth 6
/// growing by 1 every 16 children. (In its log the depth runs from 7 to 16.) The options are those
/// of the program that produced its results (kernels up to 7, filters 24 to 64).
fn monograph() -> RawConfig {
    let mut config = cifar10();
    config.space.kernels = vec![1, 3, 5, 7];
    config.space.filters = vec![24, 36, 48, 64];
    config.space.strides = vec![1, 2];
    config.space.paddings = vec![0, 1, 2, 3];
    config.child.epochs = 20;
    config
}

/// Zoph & Le, section 4.1 and appendix A: skip connections, stride 1. Each replica of their
/// controller samples 8 children per update.
fn paper() -> RawConfig {
    let mut config = cifar10();
    config.data.normalization = Normalization::Whitening;
    config.data.crop = RawCrop::Upsample;
    config.data.crop_pixels = 40;
    config.search.episodes = 1_600;
    config.search.children_per_episode = 8;
    config.search.controls = 0;
    config.search.depth_step = 2;
    config.search.depth_every = 1_600;
    config.controller.learning_rate = 6e-4;
    config.space.layer = "paper".to_owned();
    config.controller.baseline = BaselineKind::MovingAverage;
    config.space.kernels = vec![1, 3, 5, 7];
    config.space.filters = vec![24, 36, 48, 64];
    config.space.strides = vec![];
    config.space.paddings = vec![];
    config.child.epochs = 50;
    config
}

/// The paper's second setting, in which strides are predicted too.
fn paper_strides() -> RawConfig {
    let mut config = paper();
    config.space.layer = "paper_strides".to_owned();
    config.space.strides = vec![1, 2, 3];
    config
}

/// The paper's skip connections, with convolution and max pooling layers.
fn paper_pooling() -> RawConfig {
    let mut config = paper();
    config.space.layer = "paper_pooling".to_owned();
    config
}

/// Cells of NAS-Bench-201, looked up in a table (`search.table`): the accuracy is the one on the
/// validation images after 12 epochs.
fn nasbench201() -> RawConfig {
    let mut config = demo();
    config.search.controls = 0;
    config.search.initial_depth = 1;
    config.search.depth_step = 0;
    config.space = RawSpace {
        layer: "nasbench201".to_owned(),
        kernels: vec![],
        filters: vec![],
        strides: vec![],
        paddings: vec![],
        decode: Decode::Literal,
    };
    // Chosen on half of the benchmark's seeds (docs/BENCHMARK.md): small episodes learn sooner, and
    // without the bonus the policy settles on a cell that is not the best.
    config.search.episodes = 20;
    config.search.children_per_episode = 8;
    config.controller.learning_rate = 0.06;
    config.controller.entropy = 0.15;
    config.child.epochs = 12;
    config.reward.last_epochs = 1;
    config
}

/// What the CIFAR-10 presets share (paper, section 4.1): split, augmentation, child training and
/// reward.
fn cifar10() -> RawConfig {
    let mut config = demo();
    config.data.source = "cifar10".to_owned();
    config.data.validation = 5_000;
    config.data.crop = RawCrop::Pad;
    config.data.crop_pixels = 4;
    config.child.batch_size = 128;
    config.child.learning_rate = 0.1;
    config.child.schedule = ChildSchedule::Constant;
    config.reward.last_epochs = 5;
    config.reward.power = 3.0;
    config
}
