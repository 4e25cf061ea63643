//! The two rows at the top: which run, its state, its progress, and the best so far.

mod blocked;
mod search;

use std::ops::RangeInclusive;

use super::{Row, join_fitting, labelled, training_run, words};
use crate::analysis::SearchTimeLeft;
use crate::event::RunKind;
use crate::link::LinkStatus;
use crate::state::{RunState, RunStatus};
use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::paint::{self, Painter, Piece, pieces_width};
use crate::tui::panels::scene::Scene;
use crate::tui::theme::{Glyphs, Role};
pub use blocked::{draw_blocked, why_blocked};
use unicode_width::UnicodeWidthStr;

/// Fill the two rows of `painter`.
pub fn draw(scene: &Scene<'_>, painter: &mut Painter<'_>) {
    let width = painter.width().saturating_sub(2);
    let (left, right) = first_row(scene, painter.glyphs(), width);
    painter.pieces(1, 0, &left);
    painter.pieces((width + 1).saturating_sub(pieces_width(&right)), 0, &right);
    let second = standing(scene, painter.glyphs(), width);
    painter.pieces(1, 1, &second);
}

/// Word and role of the status of the run, or of its replay.
pub fn status(scene: &Scene<'_>) -> Piece {
    let replay = match scene.link {
        LinkStatus::Reading { percent } => format!("READING {percent} %"),
        LinkStatus::Replay { ended: true, .. } => "REPLAY ENDED".to_owned(),
        LinkStatus::Replay { speed, paused, .. } => {
            let state = if *paused { "REPLAY PAUSED" } else { "REPLAY" };
            format!("{state} {}{speed}", scene.glyphs().times)
        }
        _ => {
            let status = scene.status();
            let role = match status {
                RunStatus::Starting => Role::Dim,
                RunStatus::Running | RunStatus::Completed => Role::Good,
                RunStatus::Pausing | RunStatus::Paused => Role::Warning,
                RunStatus::Stopping | RunStatus::Stopped => Role::Warning,
                RunStatus::Blocked | RunStatus::Failed => Role::Error,
                RunStatus::Dead | RunStatus::Unreadable => Role::Error,
            };
            return (role, status.word().to_uppercase());
        }
    };
    (Role::Warning, replay)
}

/// Columns between the groups of the first row.
const GAP: &str = "  ";
/// Columns of the name that come before the time spent.
const LEAST_NAME: usize = 8;
/// Columns of the bar: at least, and at most.
const BAR: RangeInclusive<usize> = 3..=24;

/// Both ends of the first row: the run's name, status and progress; its times. If `width` is short, the
/// bar goes first, then that the screen only watches, most of the name, and the time spent.
fn first_row(scene: &Scene<'_>, glyphs: &Glyphs, width: usize) -> (Row, Row) {
    let (standing, aside) = (standing_words(scene), watching(scene));
    // Of a run that is still being read, it is not known.
    let is_known = !matches!(scene.link, LinkStatus::Reading { .. });
    let fraction = scene.state.fraction_done().filter(|_| is_known);
    let percentage = fraction.map_or(Row::new(), percentage);
    let [elapsed, left] = clock(scene);
    let name = scene.run_name();

    let mut room = width.saturating_sub(pieces_width(&standing) + pieces_width(&percentage));
    let least_name = name.width().min(LEAST_NAME);
    let columns = take(&mut room, GAP.len(), least_name..=least_name);
    let left = whole(&mut room, GAP.len(), left);
    let elapsed = whole(&mut room, GAP.len(), elapsed);
    let columns = match columns {
        0 => 0,
        least => least + take(&mut room, 0, 0..=name.width() - least),
    };
    let aside = whole(&mut room, 0, aside);
    let bar = fraction.map_or(Row::new(), |fraction| {
        let columns = take(&mut room, GAP.len(), BAR);
        paint::bar(glyphs, columns, fraction, Role::Gauge)
    });

    let name = match columns {
        0 => Row::new(),
        columns => words(Role::Title, format::fit(name, columns, glyphs.ellipsis)),
    };
    let status = [standing, aside].concat();
    let left_end = match pieces_width(&bar) {
        0 => vec![name, [status, percentage].concat()],
        _ => vec![name, status, [bar, percentage].concat()],
    };
    let join = |groups| join_fitting(groups, GAP, width);
    (join(left_end), join(vec![elapsed, left]))
}

/// Take columns after a gap from what is left of a row, as many as there are; none, and no gap, if
/// there are fewer than the least.
fn take(room: &mut usize, gap: usize, columns: RangeInclusive<usize>) -> usize {
    let taken = room.saturating_sub(gap).min(*columns.end());
    if taken == 0 || taken < *columns.start() {
        return 0;
    }
    *room -= taken + gap;
    taken
}

/// The row, if all of it fits.
fn whole(room: &mut usize, gap: usize, row: Row) -> Row {
    let columns = pieces_width(&row);
    match take(room, gap, columns..=columns) {
        0 => Row::new(),
        _ => row,
    }
}

/// The status of the run, and what else must be known to read the screen: an earlier moment, a
/// replay, a search that is gone.
fn standing_words(scene: &Scene<'_>) -> Row {
    let (search, stands) = (scene.live.search(), scene.status());
    let mut row = vec![status(scene)];
    match scene.link {
        LinkStatus::Dead { .. } => row.push((Role::Dim, " resume it".to_owned())),
        LinkStatus::Lost { .. } => row.push((Role::Dim, " files lost".to_owned())),
        LinkStatus::Damaged { place } => row.push((Role::Dim, format!(" {place}"))),
        _ => {}
    }
    if let Some(moment) = scene.moment {
        let key = scene.keymap.key_of(Action::Live);
        row = vec![
            (
                Role::Warning,
                format!("AFTER {} {moment}", scene.step_name().to_uppercase()),
            ),
            (Role::Dim, format!(" {key}: now")),
        ];
    }
    if search.stops_after_episode && stands.is_live() && stands != RunStatus::Stopping {
        let text = format!(" stops after episode {}", search.episode);
        row.push((Role::Warning, text));
    }
    row
}

/// That this screen cannot command the run; empty if it can, and at an earlier moment.
fn watching(scene: &Scene<'_>) -> Row {
    let watches = matches!(
        scene.link,
        LinkStatus::Live { watch_only: true } | LinkStatus::Journal { .. }
    );
    match watches && !scene.in_the_past() {
        true => words(Role::Dim, " watching"),
        false => Row::new(),
    }
}

/// The run's progress, in as many columns whatever it is.
fn percentage(fraction: f64) -> Row {
    let percent = (fraction.min(1.0) * 100.0).floor();
    words(Role::Text, format!(" {percent:>3} %"))
}

/// How long the run has worked, and how long it will still take, if that is known.
fn clock(scene: &Scene<'_>) -> [Row; 2] {
    let elapsed = |seconds| labelled("elapsed", Role::Text, elapsed(scene, seconds));
    if scene.in_the_past()
        || scene.status() == RunStatus::Blocked
        || !matches!(
            scene.link,
            LinkStatus::Live { .. } | LinkStatus::Journal { .. }
        )
    {
        return [elapsed(scene.state.clock.seconds()), Row::new()];
    }
    let left = time_left(scene.state).map_or(Row::new(), |left| {
        let about = scene.theme.glyphs.about;
        labelled("left", Role::Text, format!("{about} {left}"))
    });
    [elapsed(scene.state.clock.seconds_until(scene.now)), left]
}

/// Working time; a session that was cut off counts only until its last record.
fn elapsed(scene: &Scene<'_>, seconds: f64) -> String {
    let is_open = matches!(scene.status(), RunStatus::Dead | RunStatus::Unreadable);
    let time = format::duration(seconds);
    if scene.state.clock.is_cut_off() || (is_open && !scene.in_the_past()) {
        format!("{} {time}", scene.theme.glyphs.at_least)
    } else {
        time
    }
}

fn standing(scene: &Scene<'_>, glyphs: &Glyphs, width: usize) -> Row {
    let state = scene.state;
    if let Some(training) = state.training_run() {
        // At an earlier moment, the last epoch that has ended is shown.
        let is_over = state.status.is_over() || scene.in_the_past();
        return training_run::standing::row(training, is_over, glyphs, width);
    }
    let Some(run) = &state.search().started else {
        return words(Role::Dim, before_it_began(scene).to_owned());
    };
    search::row(scene, run, glyphs, width)
}

/// What the run does of which no record tells how it began.
fn before_it_began(scene: &Scene<'_>) -> &'static str {
    match (scene.status(), scene.kind) {
        (RunStatus::Unreadable, _) => "nothing of the journal can be read: the log says why",
        (RunStatus::Dead, _) => "nothing is recorded of it",
        (_, RunKind::Search) => "waiting for the run to start",
        (_, RunKind::Training) => "preparing the images",
    }
}

/// How long the run will still take, in words; `None` if unknown or over.
fn time_left(state: &RunState) -> Option<String> {
    let Some(training) = state.training_run() else {
        let left = SearchTimeLeft::of(state)?;
        return Some(match left.range {
            Some(range) => format::estimate_between(range),
            None => format::estimate(left.seconds),
        });
    };
    let is_ending = state.status.is_over() || state.status == RunStatus::Stopping;
    let left = training.time_left().filter(|_| !is_ending);
    left.map(|left| format::estimate(left.seconds))
}
