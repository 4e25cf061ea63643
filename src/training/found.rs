//! What a search said of a network that is trained to completion.

use std::path::Path;

use crate::analysis::selection::Selection;
use crate::event::Found;
use crate::journal::Reader;
use crate::space::Architecture;
use crate::state::RunState;

/// What the search said of `architecture`, which ARCH as given by the user (`origin`) names; `None`
/// if that is no child of a search, or one without an accuracy.
pub fn found(origin: &str, architecture: &Architecture) -> Option<Found> {
    let (run, child) = origin.rsplit_once(':')?;
    let mut state = RunState::default();
    for record in Reader::open(&Path::new(run).join("journal.jsonl")).ok()? {
        state.apply(&record.ok()?);
    }
    let search = state.search();
    let started = search.started.as_ref()?;
    let is_best = child == "best";
    let (child, accuracy) = if is_best {
        // The search may have gone on since the network was read.
        let best = search.outcomes.best.as_ref()?;
        let is_this = search.best_architecture()?.same_network(architecture);
        (
            search.best_child()?,
            Some(best.accuracy).filter(|_| is_this),
        )
    } else {
        let number = child.strip_prefix("child-")?.parse().ok()?;
        let row = search.children.iter().find(|row| row.child == number)?;
        (number, row.accuracy)
    };
    Some(Found {
        run: started.run.clone(),
        child,
        accuracy: accuracy?,
        best_of: is_best.then(|| Selection::of(&search.outcomes.counts).children),
        child_epochs: started.child_epochs,
        train_images: started.data.train_images(),
        validation_images: started.data.validation_images(),
    })
}
