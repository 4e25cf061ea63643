//! The list of children among the panels: its keys, and the child at its cursor, which other panels
//! show too.

use super::App;
use crate::tui::keymap::Action;
use crate::tui::paint::Painter;
use crate::tui::panels::{self, list::ListAction};
use crate::tui::view::Panel;

impl App {
    /// Take in the children that have ended, and let the cursor stand on the child that is chosen.
    pub(super) fn refresh_list(&mut self) {
        let mut list = std::mem::take(&mut self.view.list);
        list.refresh(self.state());
        if let Some(child) = self.view.chosen {
            list.stand_on(child, self.state());
        }
        self.view.list = list;
    }

    /// Do what an action means in the list; false if it means nothing there.
    pub(super) fn perform_in_list(&mut self, action: Action) -> bool {
        let Some(action) = list_action(action) else {
            return false;
        };
        let area = self
            .areas()
            .and_then(|areas| areas.of(Panel::Children))
            .map(panels::inside);
        let mut list = std::mem::take(&mut self.view.list);
        let before = list.selected(self.state());
        list.act(
            action,
            self.state(),
            area.map_or(0, |area| usize::from(area.height)),
        );
        let chosen = list.selected(self.state());
        // Sorting leaves a cursor that has not been moved on the first child, but chooses none.
        if chosen != before && is_movement(action) {
            self.view.chosen = chosen;
            self.view.dna_top = 0;
        }
        self.view.list = list;
        true
    }

    /// The child that Enter opens: the one at the cursor of the focused list, else the one that the
    /// panels show.
    pub(super) fn child_at_hand(&self) -> Option<u64> {
        let in_list = (self.view.focus == Panel::Children)
            .then(|| self.view.list.selected(self.state()))
            .flatten();
        in_list.or_else(|| self.shown_child())
    }

    pub(super) fn draw_list(&self, painter: &mut Painter<'_>) {
        let focused = self.view.focus == Panel::Children;
        panels::list::draw(painter, self.state(), &self.view.list, focused, &|child| {
            self.detail(child)
        });
    }
}

fn list_action(action: Action) -> Option<ListAction> {
    Some(match action {
        Action::Up => ListAction::Up,
        Action::Down => ListAction::Down,
        Action::PageUp => ListAction::PageUp,
        Action::PageDown => ListAction::PageDown,
        Action::Top => ListAction::Top,
        Action::Bottom | Action::Live => ListAction::Bottom,
        Action::SortNext => ListAction::SortNext,
        Action::SortPrevious => ListAction::SortPrevious,
        Action::ReverseSort => ListAction::ReverseSort,
        Action::Mark => ListAction::Mark,
        Action::ClearMarks => ListAction::ClearMarks,
        Action::Compare => ListAction::Compare,
        Action::TogglePareto => ListAction::TogglePareto,
        _ => return None,
    })
}

fn is_movement(action: ListAction) -> bool {
    use ListAction::{Bottom, Down, PageDown, PageUp, Top, Up};
    matches!(action, Up | Down | PageUp | PageDown | Top | Bottom)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use jiff::tz::TimeZone;
    use ratatui::layout::Size;

    use super::*;
    use crate::config::ScreenConfig;
    use crate::journal::{self, Archive};
    use crate::tui::Settings;
    use crate::tui::app::chosen::Details;
    use crate::tui::app::{Past, Wanted};

    fn demo() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal-demo.jsonl")
    }

    /// The recorded run with the list in focus.
    fn app() -> App {
        let settings = Settings::new(&ScreenConfig::default(), |_| None).unwrap();
        let records = journal::read(&demo()).unwrap();
        let mut app = App::new(&settings, TimeZone::UTC, Size::new(80, 24), records[0].time);
        records.iter().for_each(|record| app.take(record));
        // As for a screen that was opened after all of them had ended.
        app.details = Details::default();
        app.refresh();
        press(&mut app, "3");
        app
    }

    fn press(app: &mut App, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                key => KeyCode::Char(key),
            };
            app.key(&KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    /// Read whatever the screen wants until it wants nothing more.
    fn read_all(app: &mut App) -> Vec<Wanted> {
        let mut archive = Archive::open(&demo()).unwrap();
        let mut wanted = Vec::new();
        while let Some(next) = app.wanted() {
            assert!(wanted.len() < 20, "asks without end: {wanted:?}");
            match next {
                Wanted::Child {
                    child,
                    sampled_seq,
                    ended_seq,
                } => {
                    app.take_detail(
                        archive
                            .child(child, sampled_seq, ended_seq)
                            .unwrap()
                            .unwrap(),
                    );
                }
                Wanted::State { seq } => app.take_past(Past {
                    seq,
                    state: Box::new(archive.state_at(seq).unwrap()),
                }),
            }
            wanted.push(next);
        }
        wanted
    }

    #[test]
    fn the_child_at_the_cursor_is_the_one_that_the_other_panels_show() {
        let mut app = app();
        press(&mut app, "jj");
        assert_eq!(app.view.list.selected(app.state()), Some(64));
        assert_eq!(app.shown_child(), Some(64));
        press(&mut app, "l");
        assert_eq!(app.view.list.selected(app.state()), Some(65));
    }

    #[test]
    fn enter_opens_the_child_at_the_cursor_even_before_it_was_moved() {
        let mut app = app();
        press(&mut app, "\n");
        assert_eq!(app.child_at_hand(), Some(23));
        assert_ne!(app.shown_child(), Some(23));
    }

    #[test]
    fn a_filter_is_typed_and_a_wrong_one_says_where_it_is_wrong() {
        let mut app = app();
        press(&mut app, "/acc>\n");
        let problem = app
            .view
            .text
            .as_ref()
            .and_then(|line| line.problem.clone())
            .unwrap();
        assert_eq!(problem, "at 5: expected a number");
        press(&mut app, "74%\n");
        assert_eq!(
            (app.view.text.is_none(), app.view.list.filter_text()),
            (true, "acc>74%")
        );
        assert_eq!(app.view.list.selected(app.state()), Some(23));
    }

    #[test]
    fn escape_takes_the_filter_away_before_it_leads_anywhere_else() {
        let mut app = app();
        press(&mut app, "/acc>74%\n[");
        press(&mut app, "\x1b");
        assert_eq!((app.view.list.filter_text(), app.in_the_past()), ("", true));
        press(&mut app, "\x1b");
        assert!(!app.in_the_past());
    }

    #[test]
    fn what_is_wrong_with_a_long_filter_is_read_whole_at_80_columns() {
        let mut app = app();
        press(
            &mut app,
            "/acc>0.5 & params<1e6 & macs<20M & depth>8 & entropy<40 & size>3\n",
        );
        let mut frame = crate::tui::display::blank(Size::new(80, 24));
        app.draw(&mut frame);
        let footer: String = (0..80).map(|x| frame[(x, 23)].symbol()).collect();
        assert!(
            footer.contains("at 58: there is no `size`; the help (?) has the names"),
            "{footer}"
        );
    }

    #[test]
    fn a_comparison_asks_the_journal_for_both_children_and_escape_leaves_it() {
        let mut app = app();
        read_all(&mut app);
        press(&mut app, "mjjjmc");
        let children: Vec<u64> = read_all(&mut app)
            .into_iter()
            .filter_map(|wanted| {
                if let Wanted::Child { child, .. } = wanted {
                    Some(child)
                } else {
                    None
                }
            })
            .collect();
        assert!(
            children.contains(&23) && children.len() == 2,
            "{children:?}"
        );
        press(&mut app, "\x1b");
        assert_eq!(app.view.list.wanted(app.state()), None);
    }

    #[test]
    fn a_child_that_the_journal_does_not_tell_of_is_asked_for_once() {
        let mut app = app();
        press(&mut app, "j");
        let wanted = app.wanted().unwrap();
        app.take_failure(wanted, "the journal is gone".to_owned());
        assert_eq!(app.wanted(), None);
        assert!(app.view.message.is_some());
    }

    #[test]
    fn at_an_earlier_moment_the_list_has_the_children_of_that_moment() {
        let mut app = app();
        press(&mut app, "[");
        read_all(&mut app);
        app.refresh();
        assert_eq!(app.state().search().episodes.len(), 5);
        let newest = app
            .state()
            .search()
            .children
            .iter()
            .map(|row| row.child)
            .max();
        press(&mut app, "sssssG");
        assert!(app.view.list.selected(app.state()) <= newest);
        press(&mut app, "\x1b");
        assert_eq!(app.state().search().episodes.len(), 6);
    }
}
