//! The settings in which the runs that are compared differ.

use crate::tui::format;
use crate::tui::keymap::Action;
use crate::tui::other_runs::differences::{DifferingSetting, differing};
use crate::tui::other_runs::{OtherRun, Standing};
use crate::tui::paint::{Piece, pieces_width};
use crate::tui::panels::chart::others::number;
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{Content, Row, words, wrapped};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// Columns between two columns of settings.
const GAP: usize = 2;
/// Columns that each value has before the values are put below each other for lack of room.
const WIDEST: usize = 24;

/// A run on the page of differing settings: its sign, its name, its settings, and what must be known
/// about it.
struct Column<'a> {
    sign: Piece,
    name: &'a str,
    settings: &'a [(String, String)],
    remark: String,
    problem: Option<&'a str>,
}

/// The run shown, then those that it is compared with.
fn columns<'a>(scene: &Scene<'a>) -> Vec<Column<'a>> {
    let neighbours = scene.neighbours;
    let own = Column {
        sign: (Role::Mean, scene.glyphs().mean.to_owned()),
        name: scene.run_name(),
        settings: &neighbours.settings.by_key,
        remark: format!("shown, {}", scene.status().word()),
        problem: neighbours.settings.problem.as_deref(),
    };
    let other = |run: &'a OtherRun| {
        let number = number(run.place).to_owned();
        let (remark, problem) = match &run.standing {
            Standing::Wanted | Standing::Opening => ("opening".to_owned(), None),
            Standing::Reading { percent } => (format!("reading {percent} %"), None),
            Standing::Lost(problem) => ("unreadable".to_owned(), Some(problem.as_str())),
            Standing::Damaged(problem) => ("damaged".to_owned(), Some(problem.as_str())),
            Standing::Known => (standing(run), run.settings.problem.as_deref()),
        };
        Column {
            sign: (Role::OtherRun(run.place), number),
            name: &run.name,
            settings: &run.settings.by_key,
            remark,
            problem,
        }
    };
    let others = neighbours.others.runs().iter().map(other);
    std::iter::once(own).chain(others).collect()
}

/// The status of a run and how far it is.
fn standing(run: &OtherRun) -> String {
    let word = run.status().word();
    run.started.as_ref().map_or_else(
        || word.to_owned(),
        |begun| {
            let (done, planned) = (run.last_episode(), begun.episodes);
            format!("{word}, {done} of {planned} episodes finished")
        },
    )
}

/// The page of differing settings, in `width` columns.
pub(super) fn content(scene: &Scene<'_>, width: usize) -> Content {
    let columns = columns(scene);
    if columns.len() < 2 {
        let [runs, mark] = [Action::Runs, Action::Mark].map(|action| scene.keymap.key_of(action));
        let text = format!(
            "No other run is compared with this one yet. {runs} opens the list of runs, where {mark} \
             compares the selected one."
        );
        return wrapped(Role::Text, &text, width).into();
    }
    let mut rows: Vec<Row> = Vec::new();
    for column in &columns {
        let name = (Role::Strong, format!(" {}", column.name));
        let remark = (Role::Dim, format!("  {}", column.remark));
        rows.push(vec![column.sign.clone(), name, remark]);
        let problem = column.problem.map(format::without_error_number);
        rows.extend(problem.iter().flat_map(|problem| indented(problem, width)));
    }
    rows.push(Row::new());
    let readable: Vec<&Column<'_>> = columns
        .iter()
        .filter(|column| !column.settings.is_empty())
        .collect();
    let by_run: Vec<&[(String, String)]> = readable.iter().map(|column| column.settings).collect();
    let differing = differing(&by_run);
    if differing.is_empty() && readable.len() > 1 {
        rows.push(words(Role::Text, "All of their settings are the same."));
    }
    let table = Table {
        columns: &readable,
        differs: scene.glyphs().differs,
        ellipsis: scene.glyphs().ellipsis,
    };
    rows.extend(table.rows(&differing, width));
    rows.extend(beyond_settings(scene, &differing, width));
    if differing.iter().any(|setting| setting.decides) {
        let differs = scene.glyphs().differs;
        let text = format!("{differs} affects what a reward means: such runs are not alike.");
        rows.push(Row::new());
        rows.extend(wrapped(Role::Dim, &text, width));
    }
    rows.into()
}

fn indented(text: &str, width: usize) -> Vec<Row> {
    let rows = wrapped(Role::Warning, text, width.saturating_sub(GAP));
    let indent = |mut row: Row| {
        row.insert(0, (Role::Text, " ".repeat(GAP)));
        row
    };
    rows.into_iter().map(indent).collect()
}

/// What differs besides settings: the images themselves, and what only journals tell.
fn beyond_settings(scene: &Scene<'_>, listed: &[DifferingSetting], width: usize) -> Vec<Row> {
    let (mut rows, mut is_explained) = (Vec::new(), false);
    for run in scene.neighbours.others.runs() {
        let Some(found) = &run.comparability else {
            continue;
        };
        let is_listed = |key: &str| listed.iter().any(|setting| setting.key == key);
        let differences = found.differences.iter();
        for difference in differences.filter(|difference| !is_listed(&difference.key)) {
            if !found.settings_known && !is_explained {
                let text = "Where settings cannot be read, these are from the journals:";
                rows.extend(wrapped(Role::Dim, text, width));
                is_explained = true;
            }
            let text = format!("run {}: {}", number(run.place), difference.text);
            rows.extend(indented(&text, width));
        }
    }
    rows
}

/// Settings and their values in each run.
struct Table<'a> {
    columns: &'a [&'a Column<'a>],
    differs: &'static str,
    ellipsis: &'static str,
}

impl Table<'_> {
    /// A row for each setting; or several, if that is too narrow.
    fn rows(&self, settings: &[DifferingSetting], width: usize) -> Vec<Row> {
        if settings.is_empty() {
            return Vec::new();
        }
        let keys = settings.iter().map(|setting| setting.key.width());
        let keys = keys.max().unwrap_or(0) + self.differs.width() + 1;
        let widest = |column: usize| {
            let values = settings.iter();
            let widths = values.map(|setting| value(setting, column).width());
            widths.max().unwrap_or(0)
        };
        let widest: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let room = width.saturating_sub(keys + GAP * widest.len());
        let Some(widths) = shared(&widest, room) else {
            let each = settings.iter();
            return each
                .flat_map(|setting| self.stacked(setting, width))
                .collect();
        };
        let heading = self.columns.iter().zip(&widths).map(|(column, width)| {
            let ((role, sign), width) = (&column.sign, *width);
            (*role, format!("{:GAP$}{sign:<width$}", ""))
        });
        let mut heading: Row = heading.collect();
        heading.insert(0, (Role::Dim, format!("{:<keys$}", "setting")));
        let row = |setting: &DifferingSetting| {
            let mut row = self.key(setting);
            let used = pieces_width(&row);
            row.push((Role::Text, " ".repeat(keys.saturating_sub(used))));
            for (column, width) in widths.iter().enumerate() {
                let value = format::fit(value(setting, column), *width, self.ellipsis);
                let pad = width.saturating_sub(value.width());
                row.push((Role::Text, format!("{:GAP$}{value}{:pad$}", "", "")));
            }
            row
        };
        let rows = settings.iter().map(row);
        std::iter::once(heading).chain(rows).collect()
    }

    fn key(&self, setting: &DifferingSetting) -> Row {
        let mark = match setting.decides {
            true => (Role::Warning, format!("{} ", self.differs)),
            false => (Role::Text, " ".repeat(self.differs.width() + 1)),
        };
        vec![mark, (Role::Text, setting.key.clone())]
    }

    /// The key, then each value in rows of its own.
    fn stacked(&self, setting: &DifferingSetting, width: usize) -> Vec<Row> {
        let mut rows = vec![self.key(setting)];
        for (place, column) in self.columns.iter().enumerate() {
            let (role, sign) = &column.sign;
            let room = width.saturating_sub(GAP + 2);
            let lines = format::wrap(value(setting, place), room);
            for (line, text) in lines.into_iter().enumerate() {
                let sign = if line == 0 { sign.as_str() } else { " " };
                let sign = (*role, format!("{:GAP$}{sign} ", ""));
                rows.push(vec![sign, (Role::Text, text)]);
            }
        }
        rows
    }
}

/// The widths of columns whose widest values are these, in `room` together: as much as is needed or, if there
/// is less, at most so much of each that they fit; `None` if that would be less than [`WIDEST`].
fn shared(widest: &[usize], room: usize) -> Option<Vec<usize>> {
    let cut = |most: usize| widest.iter().map(move |width: &usize| (*width).min(most));
    let fits = |most: &usize| cut(*most).sum::<usize>() <= room;
    let longest = widest.iter().copied().max().unwrap_or(0).max(WIDEST);
    let most = (WIDEST..=longest.min(room.max(WIDEST))).rev().find(fits)?;
    Some(cut(most).collect())
}

fn value(setting: &DifferingSetting, column: usize) -> &str {
    let value = setting.values.get(column);
    value.and_then(Option::as_deref).unwrap_or("absent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_only_where_there_is_no_room_for_them() {
        assert_eq!(shared(&[40, 3], 50), Some(vec![40, 3]));
        assert_eq!(shared(&[40, 60, 3], 70), Some(vec![33, 33, 3]));
        assert_eq!(shared(&[usize::MAX, 3], 70), Some(vec![67, 3]));
        assert_eq!(shared(&[40, 60], 47), None);
    }
}
