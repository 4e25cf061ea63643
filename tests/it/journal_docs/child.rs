//! The events of a child.

use nas_tui::event::{
    ChildEpoch, ChildFinished, ChildProgress, ChildQueued, ChildSampled, Choice, Event, MeanOf,
};
use nas_tui::space::{Architecture, Design, Dna, Layer};

use super::text;

pub fn child_sampled() -> Event {
    let layer = Layer {
        kind: Default::default(),
        kernel: [3, 3],
        filters: 8,
        stride: [1, 1],
        padding: [1, 1],
        inputs: vec![0],
    };
    let choice = Choice {
        layer: 1,
        head: 0,
        index: 0,
        log_prob: 0.0,
        entropy: 0.0,
        probabilities: vec![1.0],
    };
    Event::ChildSampled(ChildSampled {
        child: 1,
        episode: 1,
        dna: Dna(vec![vec![3, 8, 1, 1]]),
        design: Design::Network(Architecture {
            name: text(),
            input: [1, 28, 28],
            classes: 10,
            layers: vec![layer],
            output: vec![1],
        }),
        params: 1,
        macs: 1,
        log_prob: Some(0.0),
        entropy: Some(0.0),
        max_entropy: Some(0.0),
        choices: vec![choice],
        parent: Some(1),
        staleness: 1,
        control: true,
    })
}

/// A child of a space that is looked up in a table.
pub fn tabular_child() -> Event {
    let Event::ChildSampled(sampled) = child_sampled() else {
        unreachable!()
    };
    Event::ChildSampled(ChildSampled {
        design: Design::Key(text()),
        ..sampled
    })
}

pub fn child_progress() -> Event {
    Event::ChildProgress(ChildProgress {
        child: 1,
        worker: 0,
        epoch: 1,
        epochs: 1,
        batch: 1,
        batches: 1,
        loss: 0.0,
        images_per_second: 1.0,
    })
}

pub fn child_epoch() -> Event {
    Event::ChildEpoch(ChildEpoch {
        child: 1,
        worker: 0,
        epoch: 1,
        epochs: 1,
        train_loss: 0.0,
        train_accuracy: 0.0,
        valid_loss: 0.0,
        valid_accuracy: 0.0,
        learning_rate: 0.0,
        images_per_second: 0.0,
        seconds: 0.0,
    })
}

pub fn child_finished() -> Event {
    Event::ChildFinished(ChildFinished {
        child: 2,
        episode: 1,
        dna: Dna(vec![]),
        accuracy: 0.0,
        reward: 0.0,
        params: 1,
        macs: 1,
        seconds: 0.0,
        repeat_of: Some(1),
        mean: Some(Box::new(MeanOf {
            children: vec![1, 2],
            own_accuracy: Some(0.0),
            own_reward: Some(0.0),
        })),
        valid_accuracies: vec![],
        skipped: true,
        stopped_early: true,
        control: true,
        energy_wh: Some(0.0),
        test_accuracy: Some(0.0),
    })
}

pub fn child_queued() -> Event {
    let Event::ChildSampled(ChildSampled {
        dna,
        design,
        params,
        macs,
        ..
    }) = child_sampled()
    else {
        unreachable!()
    };
    Event::ChildQueued(ChildQueued {
        child: 3,
        episode: 1,
        parent: 1,
        dna,
        design,
        params,
        macs,
    })
}

pub fn child_started() -> Event {
    Event::ChildStarted {
        child: 1,
        episode: 1,
        worker: 0,
        device: text(),
        attempt: 1,
        host: Some(text()),
        task: Some(text()),
    }
}

pub fn child_failed() -> Event {
    Event::ChildFailed {
        child: 1,
        episode: 1,
        reason: text(),
        reward: 0.0,
        control: true,
        seconds: 0.0,
    }
}

pub fn child_excluded() -> Event {
    Event::ChildExcluded {
        child: 1,
        episode: 1,
        reason: text(),
        control: true,
        seconds: 0.0,
    }
}

pub fn batch_intended() -> Event {
    Event::BatchIntended {
        batch: 1,
        job: text(),
        tasks: 1,
        children: vec![1],
    }
}

pub fn child_retried() -> Event {
    Event::ChildRetried {
        child: 1,
        reason: text(),
    }
}

pub fn skip_requested() -> Event {
    Event::SkipRequested { child: 1 }
}

pub fn child_noted() -> Event {
    Event::ChildNoted {
        child: 1,
        text: text(),
    }
}
