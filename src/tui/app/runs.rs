//! Other runs: the list of them, showing one in place of the present one, and comparing some with it.

use std::path::PathBuf;

use super::{App, Effect};
use crate::analysis::series::Quantity;
use crate::event::{Level, RunKind};
use crate::tui::keymap::Action;
use crate::tui::other_runs::{Listed, MOST, OtherRun};
use crate::tui::paint::Painter;
use crate::tui::palette::other_kind;
use crate::tui::panels;
use crate::tui::panels::runs::{Page, RunsView};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::scroll::Scroll;
use crate::tui::target::{Part, Target};
use crate::tui::text_line::Purpose;

impl App {
    /// Open the list of runs at this page, or close it if the page is shown.
    pub(super) fn open_runs(&mut self, page: Page) {
        self.view.help = None;
        let mut view = match self.view.runs.take() {
            Some(view) if view.page == page => return,
            Some(view) => RunsView {
                page,
                top: 0,
                ..view
            },
            None => RunsView::new(page),
        };
        self.neighbours.is_list_wanted |= page == Page::List;
        if view.selected.is_none() {
            self.select_another(&mut view);
        }
        self.view.runs = Some(view);
    }

    fn select_another(&self, view: &mut RunsView) {
        if let Some(listed) = &self.neighbours.listed {
            let shown = listed.place_of(&self.neighbours.folder);
            let home = self.neighbours.home.as_deref();
            view.select_another(listed, shown.unwrap_or(usize::MAX), home);
        }
    }

    /// Process the list of the runs that exist; the selected one stays selected, as does what is selected in
    /// the palette.
    pub fn take_list(&mut self, listed: Listed) {
        let chosen = self.selected_choice();
        let mut view = self.view.runs.take();
        if let Some(view) = &mut view {
            let before = self.neighbours.listed.as_ref();
            let folder = before
                .zip(view.selected)
                .and_then(|(before, place)| before.folders.get(place));
            view.selected = folder.and_then(|folder| listed.place_of(folder));
        }
        self.neighbours.listed = Some(listed);
        if let Some(view) = view.as_mut().filter(|view| view.selected.is_none()) {
            self.select_another(view);
        }
        self.view.runs = view;
        if let Some(choice) = chosen {
            self.select_choice(&choice);
        }
    }

    /// Perform an action in the list of runs; `None` if it means the same as elsewhere.
    pub(super) fn perform_in_runs(&mut self, action: Action) -> Option<Effect> {
        match action {
            Action::Back => self.view.runs = None,
            // It would not be the selected run that pauses.
            Action::TogglePause => {
                let key = self.keymap.key_of(action);
                let text = format!("close the list first: {key} pauses the run shown");
                self.tell(Level::Warning, text);
            }
            Action::OpenRun => return Some(self.show_selected_run()),
            Action::Mark => {
                if let Some(place) = self.selected_run() {
                    self.toggle_other(place);
                }
            }
            Action::ClearMarks => self.neighbours.others.clear(),
            Action::LookAgain => self.neighbours.is_list_wanted = true,
            action => self.scroll_runs(Scroll::of(action)?),
        }
        Some(Effect::Draw)
    }

    /// The place of the selected run in the list, while that is shown.
    fn selected_run(&self) -> Option<usize> {
        let view = self.view.runs.as_ref();
        view.filter(|view| view.page == Page::List)?.selected
    }

    /// A click selects a run; one on the selected run shows it.
    pub(super) fn click_in_runs(&mut self, part: Part) -> Effect {
        let Part::Row(place) = part else {
            return Effect::Draw;
        };
        if self.selected_run() == Some(place) {
            return self.show_selected_run();
        }
        if let Some(view) = &mut self.view.runs {
            view.selected = Some(place);
        }
        Effect::Draw
    }

    pub(super) fn scroll_runs(&mut self, scroll: Scroll) {
        let Some(mut view) = self.view.runs.take() else {
            return;
        };
        view.scroll(scroll, &self.scene(), self.list_area());
        self.view.runs = Some(view);
    }

    fn show_selected_run(&mut self) -> Effect {
        let listed = self.neighbours.listed.as_ref();
        let run = self
            .selected_run()
            .and_then(|place| Some(listed?.runs.get(place)?.path.clone()));
        match run {
            Some(run) => self.show_run(run),
            None => Effect::Draw,
        }
    }

    /// Ask for another run to be shown in place of this one.
    pub(super) fn show_run(&mut self, run: PathBuf) -> Effect {
        let listed = self.neighbours.listed.as_ref();
        let folder = listed.and_then(|listed| listed.folder_of(&run));
        if folder == Some(self.neighbours.folder.as_path()) {
            self.view.runs = None;
            self.tell(Level::Info, "this is the run shown");
            return Effect::Draw;
        }
        if let Some(reason) = self.neighbours.switching.obstacle() {
            self.tell(Level::Warning, reason);
            return Effect::Draw;
        }
        (self.view.inspector, self.view.runs) = (None, None);
        self.tell(Level::Info, format!("opening {}", run.display()));
        Effect::Show(run)
    }

    /// Compare with the run at this place of the list, or no longer.
    pub(super) fn toggle_other(&mut self, place: usize) {
        let listed = self.neighbours.listed.as_ref();
        let found = listed.and_then(|listed| {
            let run = listed.runs.get(place)?;
            Some((
                listed.folders.get(place)?.clone(),
                run.name.clone(),
                run.work.kind(),
            ))
        });
        let Some((folder, name, kind)) = found else {
            return;
        };
        if folder == self.neighbours.folder {
            self.tell(Level::Info, "this is the run shown");
        } else if self.neighbours.others.remove(&folder) {
            self.tell(Level::Info, format!("{name} is no longer compared"));
        } else if kind != self.kind() {
            self.tell(Level::Warning, other_kind(self.kind()));
        } else if self.neighbours.others.add(folder, name.clone()) {
            let text = match kind {
                RunKind::Search => being_read(&name),
                RunKind::Training => {
                    let key = self.keymap.key_of(Action::Differences);
                    format!("{name} is compared: {key} shows the settings that differ")
                }
            };
            self.tell(Level::Info, text);
        } else {
            let key = self.keymap.key_of(Action::Mark);
            let text = format!("at most {MOST} runs are compared; {key} on one of them makes room");
            self.tell(Level::Warning, text);
        }
    }

    /// Compare with the run shown what can be compared by now, and tell what has become of the one that was
    /// just marked.
    pub(super) fn compare_others(&mut self) {
        let now = self.live.search().started.as_ref();
        for folder in self.neighbours.compare(now) {
            let run = self.neighbours.others.of(&folder);
            let told = self.view.message.as_ref();
            let is_waited_for =
                |run: &&OtherRun| told.is_some_and(|message| message.text == being_read(&run.name));
            if let Some(run) = run.filter(is_waited_for) {
                let (level, text) = outcome(run, &self.keymap.key_of(Action::Differences));
                self.tell(level, text);
            }
        }
    }

    /// Take the place of the screen of another run, called `name`.
    pub fn follow_on(&mut self, before: &mut App, name: String) {
        let (kind, own) = (self.kind(), &self.neighbours.folder);
        // Runs of the other kind cannot be compared with this one. Its own have not been followed while that
        // one was shown: they are attached to again.
        let others = match kind == before.kind() {
            true => &before.neighbours.others,
            false => &self.neighbours.others,
        };
        let shown_before = (before.neighbours.folder.clone(), name);
        self.neighbours.others = others.beside(own, shown_before);
        self.neighbours.listed = before.neighbours.listed.take();
        self.show_layout(before.view.layout);
        if before.view.focus.is_of(kind) {
            self.view.focus = before.view.focus;
        }
        self.view.maximised = before.view.maximised;
        // Notes are on the children of that run.
        let mut typed = std::mem::take(&mut before.view.typed);
        typed.retain(|purpose, _| !matches!(purpose, Purpose::Note(_)));
        self.view.typed = typed;
        // It told of what led away from here.
        self.view.message = None;
    }

    pub(super) fn draw_runs(&self, scene: &Scene<'_>, screen: &mut Painter<'_>) {
        let Some(view) = &self.view.runs else { return };
        // Beside the list a click closes it.
        screen.target_all(Target::Action(Action::Back));
        let mut painter = screen.part(self.list_area());
        panels::runs::draw(view, scene, &mut painter);
    }
}

/// What is told of a search until it is known whether it can be drawn.
fn being_read(name: &str) -> String {
    format!("{name} is being read")
}

/// Whether a search that was marked is drawn; `key` leads to what keeps it off.
fn outcome(run: &OtherRun, key: &str) -> (Level, String) {
    let name = &run.name;
    let obstacle = |quantity| {
        let found = run.comparability.as_ref();
        found.and_then(|found| found.obstacle(quantity))
    };
    match (obstacle(Quantity::Reward), obstacle(Quantity::Accuracy)) {
        (None, _) => (Level::Info, format!("{name} is drawn over the chart")),
        (Some(reason), Some(_)) => {
            let text = format!("{name} is not drawn: {reason} ({key} shows what differs)");
            (Level::Warning, text)
        }
        (Some(reason), None) => {
            let text = format!("{name} is drawn over the accuracies, not the rewards: {reason}");
            (Level::Info, text)
        }
    }
}
