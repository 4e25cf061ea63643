//! Panels: parts of the screen that draw themselves from a [`Scene`] and handle keys.

use std::borrow::Cow;
use std::fmt::Debug;

use ratatui::layout::Rect;

use super::scene::Scene;
use super::scroll::Scroll;
use super::{Content, PanelId, Row, inside, title_in_forms};
use crate::config::LayoutName;
use crate::event::{Level, RunKind};
use crate::report::page::CsvTable;
use crate::tui::keymap::{Action, Binding};
use crate::tui::paint::Painter;
use crate::tui::target::Part;
use crate::tui::text_line::Purpose;

/// The fixed properties of a panel.
pub struct About {
    /// Unique among all panels.
    pub id: PanelId,
    /// Its name in the row of tabs.
    pub name: &'static str,
    /// Its place in the order of Tab.
    pub place: u16,
    /// The kinds of runs that have it.
    pub runs: &'static [RunKind],
    /// The keys specific to it, in the order of the help.
    pub keys: &'static [Binding],
    /// Makes the panel, as it is at first.
    pub make: fn() -> Box<dyn Panel>,
    /// The layouts in which it has the focus at first.
    pub leads: &'static [LayoutName],
    /// The panel that takes over its focus when the network has been tested.
    pub after_test: Option<PanelId>,
    /// Whether all of its rows move up together, which the terminal can do by itself.
    pub scrolls_whole: bool,
    /// How many rows below its title it needs in so many columns, so that nothing is cut; `None` if it
    /// uses any number. See [`crate::tui::layout::Needs`].
    pub need: fn(&Scene<'_>, usize) -> Option<usize>,
    /// Whether it can show something in more rows than it needs, which it does without if another panel needs
    /// them.
    pub fills_more: bool,
}

/// Every panel, in no particular order. Each registers itself in the file that contains it.
#[linkme::distributed_slice]
pub static PANELS: [About];

impl About {
    /// A panel without keys of its own, which leads no layout.
    pub const fn of<P: Panel + Default + 'static>(
        id: &'static str,
        name: &'static str,
        place: u16,
        runs: &'static [RunKind],
    ) -> About {
        About {
            id: PanelId(id),
            name,
            place,
            runs,
            make: || Box::new(P::default()),
            keys: &[],
            leads: &[],
            after_test: None,
            scrolls_whole: false,
            need: |_, _| None,
            fills_more: false,
        }
    }
}

/// For panels of every run.
pub const ANY_RUN: &[RunKind] = &[RunKind::Search, RunKind::Training];
/// For panels of searches only.
pub const SEARCH: &[RunKind] = &[RunKind::Search];
/// For panels of trainings only.
pub const TRAINING: &[RunKind] = &[RunKind::Training];

/// Keys that belong together on a page of the screen, and the word for them in the footer.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    /// What the keys do.
    pub actions: &'static [Action],
    /// The word.
    pub word: &'static str,
}

/// Hints in a row: the word, then its actions.
macro_rules! hints {
    ($($word:literal: $($action:ident),+);* $(;)?) => {
        &[$($crate::tui::panels::panel::Hint {
            actions: &[$($crate::tui::keymap::Action::$action),+],
            word: $word,
        }),*]
    };
}
pub(crate) use hints;

/// What a panel asks of the screen in response to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Only to be redrawn.
    Draw,
    /// Show this child in all panels; `None` means the one in training.
    Choose(Option<u64>),
    /// Show the child of the next or previous worker.
    StepWorker { forward: bool },
    /// Show the user a message until the next key.
    Tell(Level, String),
}

/// The child that keys are about while a panel has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtHand {
    /// The one shown in all panels.
    Shown,
    /// The one under the panel's cursor.
    Child(u64),
    /// None: the panel's filter admits none.
    FilteredOut,
}

/// What a panel shows, as a table for a file, to be made when it is wanted.
pub type LazyTable<'a> = Box<dyn Fn() -> CsvTable + 'a>;

/// A part of the screen and its interface state. It sees the run only through a [`Scene`].
pub trait Panel: Debug {
    /// Draw it with its title row, without changing anything.
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>);

    /// Perform `action` in an `area` of the screen that includes the title row (empty if the panel
    /// is not shown); `None` if it means nothing here.
    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response>;

    /// Do what a click on one of its parts means; `None` if it means nothing.
    fn click(&mut self, _part: Part, _scene: &Scene<'_>, _area: Rect) -> Option<Response> {
        None
    }

    /// Scroll down by `rows` (up if they are negative), as the wheel does; `None` if it does not
    /// scroll.
    fn wheel(&mut self, _rows: isize, _scene: &Scene<'_>, _area: Rect) -> Option<Response> {
        None
    }

    /// Whether all of its rows move up and down and not all of them fit into `area`, which includes the
    /// title row.
    fn is_cut(&self, _scene: &Scene<'_>, _area: Rect) -> bool {
        false
    }

    /// The word in the footer for what `action` would do now, if that varies.
    fn word(&self, _action: Action) -> Option<&'static str> {
        None
    }

    /// What its page is about, for the footer: these keys come before all others.
    fn hints(&self) -> &'static [Hint] {
        &[]
    }

    /// Further keys of all panels that mean something particular here, for the help: in the footer they have
    /// no room, or a place of their own.
    fn more_hints(&self) -> &'static [Hint] {
        &[]
    }

    /// Whether `action`, which is one of its keys or hints, means something on the page that it shows now.
    fn offers(&self, _action: Action, _scene: &Scene<'_>) -> bool {
        true
    }

    /// Update what it keeps about the run.
    fn refresh(&mut self, _scene: &Scene<'_>) {}

    /// Another child is shown in all panels from now on.
    fn child_chosen(&mut self) {}

    /// The text it uses for this purpose now; `None` if it has no such text.
    fn text(&self, _purpose: Purpose) -> Option<&str> {
        None
    }

    /// The words that its texts for this purpose are made of.
    fn words(&self, _purpose: Purpose) -> Vec<&'static str> {
        Vec::new()
    }

    /// Use a text typed for a purpose that it has.
    ///
    /// # Errors
    ///
    /// Why the text cannot be used.
    fn set_text(
        &mut self,
        _purpose: Purpose,
        _text: &str,
        _scene: &Scene<'_>,
    ) -> Result<Response, String> {
        Ok(Response::Draw)
    }

    /// The child that keys are about while it has the focus.
    fn at_hand(&self, _scene: &Scene<'_>) -> AtHand {
        AtHand::Shown
    }

    /// The children whose details it could show now if they were available.
    fn wanted(&self, _scene: &Scene<'_>) -> Vec<u64> {
        Vec::new()
    }

    /// What it shows as a table; `None` if it is no table, or is empty.
    fn table<'a>(&'a self, _scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        None
    }
}

/// A panel of rows that scroll, as most panels are.
pub trait TextPanel: Debug {
    /// Its name, and the text beside it, for a panel of `width` columns below its title.
    fn title(&self, scene: &Scene<'_>, width: usize) -> (Cow<'static, str>, Row);

    /// Shorter forms of the text beside its name, longest first, for where the whole of it has no room.
    fn shorter(&self, _scene: &Scene<'_>) -> Vec<Row> {
        Vec::new()
    }

    /// Its content for `width` x `height`, below its title.
    fn content(&self, scene: &Scene<'_>, width: usize, height: usize) -> Content;

    /// See `Panel::refresh`.
    fn refresh(&mut self, _scene: &Scene<'_>) {}

    /// Whether it shows a child, so that it starts at its top when another one is chosen.
    fn shows_child(&self) -> bool {
        false
    }

    /// Perform `action` unless it scrolls; `None` if it means nothing.
    fn act(&mut self, _action: Action) -> Option<Response> {
        None
    }

    /// See `Panel::word`.
    fn word(&self, _action: Action) -> Option<&'static str> {
        None
    }

    /// See `Panel::hints`.
    fn hints(&self) -> &'static [Hint] {
        &[]
    }

    /// See `Panel::offers`.
    fn offers(&self, _action: Action, _scene: &Scene<'_>) -> bool {
        true
    }

    /// See `Panel::table`.
    fn table<'a>(&'a self, _scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        None
    }
}

/// A text panel and its scroll position.
#[derive(Debug, Clone, Default)]
pub struct Scrolled<P> {
    /// First row shown.
    pub top: usize,
    /// The text panel.
    pub panel: P,
}

impl<P: TextPanel> Scrolled<P> {
    fn scroll(&mut self, scroll: Scroll, scene: &Scene<'_>, area: Rect) {
        let area = inside(area);
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = self.panel.content(scene, width, height);
        self.top = scroll.apply(self.top, &content, height);
    }
}

impl<P: TextPanel> Panel for Scrolled<P> {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let area = inside(painter.area());
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = self.panel.content(scene, width, height);
        let (name, beside) = self.panel.title(scene, width);
        let forms = [vec![beside], self.panel.shorter(scene)].concat();
        let position = content.position(height, self.top);
        title_in_forms(painter, focused, &name, &forms, position.as_deref());
        content.draw(&mut painter.part(area), self.top);
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        if let Some(response) = self.panel.act(action) {
            return Some(response);
        }
        let scroll = Scroll::of(action).filter(|_| !area.is_empty())?;
        self.scroll(scroll, scene, area);
        Some(Response::Draw)
    }

    fn wheel(&mut self, rows: isize, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        self.scroll(Scroll::By(rows), scene, area);
        Some(Response::Draw)
    }

    fn is_cut(&self, scene: &Scene<'_>, area: Rect) -> bool {
        let area = inside(area);
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let content = self.panel.content(scene, width, height);
        content.last_top(height) > 0
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        self.panel.word(action)
    }

    fn hints(&self) -> &'static [Hint] {
        self.panel.hints()
    }

    fn offers(&self, action: Action, scene: &Scene<'_>) -> bool {
        self.panel.offers(action, scene)
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        self.panel.table(scene)
    }

    fn refresh(&mut self, scene: &Scene<'_>) {
        self.panel.refresh(scene);
    }

    fn child_chosen(&mut self) {
        if self.panel.shows_child() {
            self.top = 0;
        }
    }
}
