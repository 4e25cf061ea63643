//! What a panel is: a part of the screen that draws itself from a [`Scene`] and answers keys.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::scene::Scene;
use super::scroll::Scroll;
use super::{Content, Row, inside, title};
use crate::event::{Level, RunKind};
use crate::tui::keymap::{Action, Binding};
use crate::tui::paint::Painter;

/// What is known of a panel before there is one.
#[derive(Debug)]
pub struct About {
    /// As the row of tabs names it.
    pub name: &'static str,
    /// The kinds of run that have it.
    pub runs: &'static [RunKind],
    /// The keys that it alone has, in the order of the help.
    pub keys: &'static [Binding],
}

impl About {
    /// A panel of this name, of these runs, with keys of its own.
    pub const fn new(
        name: &'static str,
        runs: &'static [RunKind],
        keys: &'static [Binding],
    ) -> About {
        About { name, runs, keys }
    }
}

/// Panels of every run.
pub const ANY_RUN: &[RunKind] = &[RunKind::Search, RunKind::Training];
/// Panels of a search alone.
pub const SEARCH: &[RunKind] = &[RunKind::Search];
/// Panels of a training alone.
pub const TRAINING: &[RunKind] = &[RunKind::Training];

/// What a key in a panel asks of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Nothing more than to be drawn.
    Draw,
    /// Show this child in all panels; none: the one in training.
    Choose(Option<u64>),
    /// Show the child of the next worker, or of the one before.
    StepWorker { forward: bool },
    /// Tell the user something until the next key.
    Tell(Level, String),
}

/// A part of the screen, as the user left it. It sees the run through a [`Scene`] and nothing else.
pub trait Panel {
    /// What is known of it beforehand.
    fn about() -> About
    where
        Self: Sized;

    /// Draw it, with its title row. Changes nothing.
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>);

    /// Do what `action` means here, in an `area` of the screen that includes the title row (empty
    /// where the panel is not shown); none where it means nothing here.
    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response>;

    /// The word in the footer for what `action` would do now, where it is not always the same.
    fn word(&self, _action: Action) -> Option<&'static str> {
        None
    }

    /// Bring what it keeps of the run up to date.
    fn refresh(&mut self, _scene: &Scene<'_>) {}

    /// The child at its cursor.
    fn selected(&self, _scene: &Scene<'_>) -> Option<u64> {
        None
    }

    /// The children whose details it could show now, if they were there.
    fn wanted(&self, _scene: &Scene<'_>) -> Vec<u64> {
        Vec::new()
    }
}

/// A panel of rows that scroll: all that most panels are.
pub trait TextPanel {
    /// See [`Panel::about`].
    fn about() -> About;

    /// Its name, and what stands beside it.
    fn title(&self, scene: &Scene<'_>) -> (Cow<'static, str>, Row);

    /// What it shows in `width` x `height`, below its title.
    fn content(&self, scene: &Scene<'_>, width: usize, height: usize) -> Content;

    /// Do what `action` means here besides scrolling; none where it means nothing.
    fn act(&mut self, _action: Action) -> Option<Response> {
        None
    }

    /// See [`Panel::word`].
    fn word(&self, _action: Action) -> Option<&'static str> {
        None
    }
}

/// A panel of text and how far the user has scrolled it.
#[derive(Debug, Clone, Default)]
pub struct Scrolled<P> {
    /// First row shown.
    pub top: usize,
    /// What is shown.
    pub panel: P,
}

impl<P: TextPanel> Panel for Scrolled<P> {
    fn about() -> About {
        P::about()
    }

    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let area = inside(painter.area());
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = self.panel.content(scene, width, height);
        let (name, beside) = self.panel.title(scene);
        let position = content.position(height, self.top);
        title(painter, focused, &name, &beside, position.as_deref());
        content.draw(&mut painter.part(area), self.top);
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        if let Some(response) = self.panel.act(action) {
            return Some(response);
        }
        let scroll = Scroll::of(action).filter(|_| !area.is_empty())?;
        let area = inside(area);
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = self.panel.content(scene, width, height);
        self.top = scroll.apply(self.top, &content, height);
        Some(Response::Draw)
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        self.panel.word(action)
    }
}
