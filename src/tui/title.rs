//! The title of the terminal's window or tab: how the run stands, for whoever looks at another one.

use std::time::{Duration, Instant};

use super::format;
use super::panels::header;
use super::panels::scene::Scene;
use crate::foundation::text::line;
use crate::state::{RunState, RunStatus};

/// Longest name of a run in a title, in columns.
const LONGEST_NAME: usize = 40;
/// The title changes at most once in this time.
const INTERVAL: Duration = Duration::from_secs(1);

/// `RUNNING 45 %, best 84.56 % - NAME`: as it is now, whatever moment is shown.
pub fn of(scene: &Scene<'_>) -> String {
    let (_, mut title) = header::status(scene);
    let is_known = !matches!(scene.link, crate::link::LinkStatus::Reading { .. });
    if let Some(fraction) = scene.live.fraction_done().filter(|_| is_known) {
        if scene.status() != RunStatus::Completed {
            title.push_str(&format!(" {} %", (fraction.min(1.0) * 100.0).floor()));
        }
        title.extend(best(scene.live).map(|best| format!(", {best}")));
    }
    let name = scene.run_name();
    let name = format::fit(&line(name), LONGEST_NAME, scene.glyphs().ellipsis);
    format!("{title} - {name}")
}

/// The best validation accuracy so far; after a test, its accuracy. (Of how many children it is the
/// best is left to the header: that number would have the title sent again after each of them.)
fn best(state: &RunState) -> Option<String> {
    let (name, accuracy) = match state.training_run() {
        None => ("best", state.search().outcomes.best.as_ref()?.accuracy),
        Some(training) => match &training.test {
            Some(test) => ("test", test.report.accuracy),
            None => ("best", training.best()?.valid_accuracy),
        },
    };
    Some(format!("{name} {}", format::accuracy(accuracy)))
}

/// Whether a terminal like this one has a title. One that does not might print it.
pub fn exists(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    let without = ["linux", "dumb", "vt", "cons", "ansi"];
    !term.is_empty() && !without.iter().any(|prefix| term.starts_with(prefix))
}

/// The title that the terminal has, and the one that it should have.
#[derive(Debug, Default)]
pub struct TitleBar {
    shown: Option<String>,
    wanted: Option<String>,
    sent: Option<Instant>,
}

impl TitleBar {
    /// Have the terminal show a title, as soon as it may change again; none if it has no title.
    pub fn set(&mut self, title: Option<String>) {
        self.wanted = title;
    }

    /// Forget what the terminal shows: it may be something else.
    pub fn forget(&mut self) {
        (self.shown, self.sent) = (None, None);
    }

    /// Whether the terminal shows another title than the one set.
    pub fn is_late(&self) -> bool {
        self.shown != self.wanted
    }

    /// What must be sent now, if anything; from then on the terminal is assumed to show it.
    pub fn due(&mut self, now: Instant) -> Option<String> {
        let is_soon = |sent| now.saturating_duration_since(sent) < INTERVAL;
        if !self.is_late() || self.sent.is_some_and(is_soon) {
            return None;
        }
        (self.shown, self.sent) = (self.wanted.clone(), Some(now));
        self.shown
            .as_deref()
            .map(|title| format!("\x1b]2;{}\x07", line(title)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_title_is_sent_when_it_changes_and_at_most_once_a_second() {
        let (mut bar, start) = (TitleBar::default(), Instant::now());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(bar.due(start), None);
        bar.set(title("RUNNING 1 %"));
        assert_eq!(bar.due(start).as_deref(), Some("\x1b]2;RUNNING 1 %\x07"));
        bar.set(title("RUNNING 1 %"));
        assert_eq!(bar.due(later(5_000)), None);
        bar.set(title("RUNNING 2 %"));
        assert!(bar.due(later(5_000)).is_some());
        bar.set(title("RUNNING 3 %"));
        assert_eq!((bar.due(later(5_900)), bar.is_late()), (None, true));
        assert!(bar.due(later(6_000)).is_some() && !bar.is_late());
        bar.forget();
        assert!(bar.due(later(6_100)).is_some());
    }

    #[test]
    fn nothing_in_a_title_can_end_it() {
        let mut bar = TitleBar::default();
        bar.set(title("a\x07b\x1b]0;c\x1b\\d\u{9c}e"));
        let sent = bar.due(Instant::now()).unwrap();
        let inside = &sent[4..sent.len() - 1];
        assert!(
            !inside.contains(crate::foundation::text::controls),
            "{sent:?}"
        );
    }

    #[test]
    fn terminals_that_would_print_a_title_get_none() {
        let term = |name: &'static str| move |_: &str| (!name.is_empty()).then(|| name.to_owned());
        for name in [
            "xterm-256color",
            "tmux-256color",
            "screen",
            "alacritty",
            "xterm-kitty",
        ] {
            assert!(exists(term(name)), "{name}");
        }
        for name in ["linux", "dumb", "vt220", ""] {
            assert!(!exists(term(name)), "{name:?}");
        }
    }
}
