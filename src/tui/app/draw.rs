//! Draws everything, without changing anything.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::App;
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::layout::{self, Areas, Arrangement};
use crate::tui::paint::{self, Painter};
use crate::tui::panels;
use crate::tui::panels::footer::{Footer, Page};
use crate::tui::panels::scene::Scene;
use crate::tui::target::{Target, Targets};
use crate::tui::theme::Role;
use crate::tui::title;

impl App {
    /// Draw the whole screen into `frame`, whose size determines the arrangement. Returns what can
    /// be clicked in it.
    pub fn draw(&self, frame: &mut Buffer) -> Targets {
        let (area, mut targets) = (frame.area, Targets::default());
        self.paint(Painter::new(frame, area, &self.theme).marking(&mut targets));
        targets
    }

    fn paint(&self, mut screen: Painter<'_>) {
        let arrangement = Arrangement {
            size: screen.area().as_size(),
            ..self.arrangement()
        };
        let scene = Scene {
            arrangement,
            ..self.scene()
        };
        let Some(areas) = scene.areas() else {
            draw_too_small(&scene, &mut screen);
            return;
        };
        panels::header::draw(&scene, &mut screen.part(areas.header));
        match &self.view.inspector {
            Some(inspector) => self.draw_inspector(inspector, &mut screen),
            None => self.draw_panels(&scene, &areas, &mut screen),
        }
        panels::header::draw_blocked(&scene, &mut screen);
        self.draw_runs(&scene, &mut screen);
        if self.view.help.is_some() {
            self.draw_help(&scene, &mut screen);
        }
        self.draw_palette(&mut screen);
        if let Some(question) = self.view.question {
            panels::question::draw(&scene, question, self.view.answer, &mut screen);
        }
        // Its keys can be clicked whatever covers the rest.
        let footer = self.footer();
        footer.draw(&scene, &mut screen.part(areas.footer));
        footer.draw_above(&mut screen);
    }

    /// The title of the terminal; `None` if it is not to be changed.
    pub fn title(&self) -> Option<String> {
        self.has_title.then(|| title::of(&self.scene()))
    }

    /// Rows whose text scrolls as a whole: those of a panel like the log, if it has the full width.
    pub fn scrolling_rows(&self) -> Option<std::ops::Range<u16>> {
        let covered = self.view.help.is_some()
            || self.palette().is_some()
            || self.view.question.is_some()
            || self.view.inspector.is_some()
            || self.view.runs.is_some();
        let areas = self.areas().filter(|_| !covered)?;
        let mut panels = areas.panels.iter();
        let (_, area) = panels.find(|(panel, area)| {
            panel.about().scrolls_whole && area.width == self.view.size.width
        })?;
        Some(area.y + 1..area.bottom())
    }

    fn draw_panels(&self, scene: &Scene<'_>, areas: &Areas, screen: &mut Painter<'_>) {
        for separator in &areas.separators {
            draw_separator(areas, *separator, screen);
        }
        if let Some(tabs) = areas.tabs {
            self.draw_tabs(&mut screen.part(tabs));
        }
        for (panel, area) in &areas.panels {
            let mut painter = screen.part(*area);
            let focused = *panel == self.view.focus;
            painter.target_all(Target::Panel(*panel));
            let panel = self.view.panels.get(*panel);
            panel.draw(scene, focused, &mut painter);
        }
    }

    /// The content of the last row.
    fn footer(&self) -> Footer<'_> {
        match (&self.view.text, &self.view.message) {
            (Some(line), _) => Footer::Typed(line),
            (None, Some(message)) => Footer::Told(message),
            (None, None) => Footer::Keys(Page {
                context: self.context(),
                ..self.page()
            }),
        }
    }

    /// What keys are about without overlays.
    pub fn page(&self) -> Page<'_> {
        Page {
            context: self.page_context(),
            panels: &self.view.panels,
            inspector: self.view.inspector.as_ref().map(|inspector| {
                let detail = self.detail(inspector.child());
                let size = panels::inside(self.inspector_area()).as_size();
                let scrolls = inspector.scrolls(&self.known(detail.as_ref()), size);
                (inspector, scrolls)
            }),
            runs: self.view.runs.as_ref().map(|view| {
                let area = self.list_area();
                (view.page, view.is_longer(&self.scene(), area))
            }),
        }
    }

    /// The area for overlays: centred, between header and footer.
    pub(super) fn overlay_area(&self) -> Rect {
        self.overlay_of(96)
    }

    /// The same for lists, whose rows can be longer than lines to be read.
    pub(super) fn list_area(&self) -> Rect {
        self.overlay_of(160)
    }

    /// The area for an overlay of at most `widest` columns.
    fn overlay_of(&self, widest: u16) -> Rect {
        let Size { width, height } = self.view.size;
        let wide = width.saturating_sub(4).min(widest);
        Rect::new((width - wide) / 2, 2, wide, height.saturating_sub(4))
    }

    pub(super) fn overlay_inside(&self) -> Rect {
        let area = self.overlay_area();
        Rect::new(
            area.x + 2,
            area.y + 1,
            area.width.saturating_sub(4),
            area.height.saturating_sub(2),
        )
    }

    fn draw_help(&self, scene: &Scene<'_>, screen: &mut Painter<'_>) {
        let (top, inside) = (self.view.help.unwrap_or(0), self.overlay_inside());
        // Beside the help a click closes it.
        screen.target_all(Target::Action(Action::Back));
        let mut painter = screen.part(self.overlay_area());
        painter.target_all(Target::Nothing);
        paint::frame(&mut painter, "Keys");
        let content = panels::help::content(scene, &self.page(), usize::from(inside.width));
        content.draw(&mut painter.part(inside), top);
        if let Some(position) = content.position(usize::from(inside.height), top) {
            let (width, height) = (painter.width(), painter.height());
            painter.right(
                width.saturating_sub(2),
                height.saturating_sub(1),
                Role::Focus,
                &format!(" {position} "),
            );
        }
    }
}

/// Which run this is, its progress, and how large the screen would have to be to show more.
fn draw_too_small(scene: &Scene<'_>, screen: &mut Painter<'_>) {
    let Size { width, height } = layout::SMALLEST;
    let x = screen.pieces(0, 0, &[panels::header::status(scene)]) + 1;
    let name = scene.run_name();
    let name = format::fit(
        name,
        screen.width().saturating_sub(x),
        scene.glyphs().ellipsis,
    );
    screen.text(x, 0, Role::Title, &name);
    let needed = panels::header::why_blocked(scene)
        .unwrap_or_else(|| format!("needs {width} x {height} characters"));
    for (y, line) in format::wrap(&needed, screen.width()).iter().enumerate() {
        screen.text(0, 1 + y, Role::Text, line);
    }
}

fn draw_separator(areas: &Areas, separator: Rect, screen: &mut Painter<'_>) {
    let mut line = screen.part(separator);
    for y in 0..line.height() {
        let row = line.area().y + y as u16;
        // Titles that meet the line here, from the left and from the right.
        let left = areas
            .panels
            .iter()
            .any(|(_, area)| area.y == row && area.right() == separator.x);
        let right = areas
            .panels
            .iter()
            .any(|(_, area)| area.y == row && area.x == separator.x + 1);
        let glyphs = line.glyphs();
        let glyph = match (left, right) {
            (true, true) if y == 0 => glyphs.junctions[0],
            (true, false) => glyphs.junctions[1],
            (false, true) => glyphs.junctions[2],
            (true, true) => glyphs.junctions[3],
            (false, false) => glyphs.vertical,
        };
        line.text(0, y, Role::Dim, glyph);
    }
}
