//! The layers of the network in training as a table.

use std::borrow::Cow;

use crate::report::page::tables;
use crate::tui::panels::layers::{Extras, table};
use crate::tui::panels::panel::{About, LazyTable, PANELS, Scrolled, TRAINING, TextPanel};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Content, Row};
use crate::tui::theme::Role;

/// The panel.
#[derive(Debug, Clone, Default)]
pub struct Layers;

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    need: |scene, _| Some(1 + scene.live.training_run()?.started.architecture.layers.len()),
    ..About::of::<Scrolled<Layers>>("layers", "Layers", 100, TRAINING)
};

impl TextPanel for Layers {
    fn title(&self, scene: &Scene<'_>, _width: usize) -> (Cow<'static, str>, Row) {
        let training = scene.state.training_run();
        let layers = training.map_or(0, |training| training.started.architecture.layers.len());
        ("Layers".into(), vec![(Role::Text, layers.to_string())])
    }

    fn content(&self, scene: &Scene<'_>, width: usize, _height: usize) -> Content {
        let Some(training) = scene.state.training_run() else {
            return Content::default();
        };
        let architecture = &training.started.architecture;
        table(architecture, &Extras::default(), width, scene.glyphs())
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        let table = tables::layers(&scene.state.training_run()?.started.architecture)?;
        Some(Box::new(move || table.clone()))
    }
}
