//! Loss and accuracy over the epochs: two charts if there is room, otherwise the one that the user
//! selected.

use ratatui::layout::Rect;

use super::chart::{Chart, look};
use super::{rates, readout};
use crate::analysis::series::Measure;
use crate::config::LayoutName;
use crate::event::TrainingEpoch;
use crate::report::page::{CsvTable, tables};
use crate::state::TrainingRun;
use crate::tui::format;
use crate::tui::keymap::{Action, Binding, Scope, keys};
use crate::tui::paint::{Painter, pieces_width};
use crate::tui::panels::chart::{ChartView, Extent, Scale};
use crate::tui::panels::help::Sign;
use crate::tui::panels::panel::{About, Hint, LazyTable, PANELS, Panel, Response, TRAINING, hints};
use crate::tui::panels::scene::Scene;
use crate::tui::panels::{self, PanelId, Row, join_ranked};
use crate::tui::plot::PlotSeries;
use crate::tui::target::Part;
use crate::tui::theme::{Glyphs, Role};

/// Number of columns from which on the charts are side by side, and of rows from which on they are
/// one above the other.
const BESIDE: usize = 84;
const STACKED: usize = 24;
/// Height of a chart in rows from which on the learning rate is shown below it.
const RATES: usize = 8;

/// The range of the epochs of a training. After one that has stopped early none are to come.
fn extent(training: &TrainingRun) -> Extent {
    let done = training.epochs.last().map_or(0, |epoch| epoch.epoch);
    let planned = match training.is_out_of_patience() {
        true => done,
        false => training.started.settings.epochs,
    };
    Extent::of_epochs(done as u64, planned as u64)
}

/// Approximate number of columns of a plot in a panel of `width` columns, which determines how far
/// a crosshair moves.
fn columns(width: usize) -> usize {
    let width = if width >= BESIDE { width / 2 } else { width };
    width.saturating_sub(7).max(1)
}

/// The state of the curves.
#[derive(Debug, Clone, Default)]
pub struct CurvesView {
    /// Scale, epochs in view and crosshair.
    chart: ChartView,
    /// The curves shown if there is no room for both.
    measure: Measure,
}

const HERE: Scope = Scope::Panel(PanelId("curves"));

/// The keys of this panel only.
const KEYS: &[Binding] = keys! {
    HERE ["o"] ToggleScale "curves: loss on a linear or logarithmic scale" ("log scale");
    HERE ["+", "="] More "curves: zoom in" ("zoom");
    HERE ["-"] Less "curves: zoom out";
    HERE ["0"] Reset "curves: all epochs";
    HERE ["H"] PanLeft "curves: earlier epochs";
    HERE ["L"] PanRight "curves: later epochs";
};

#[linkme::distributed_slice(PANELS)]
static ABOUT: About = About {
    keys: KEYS,
    leads: &[LayoutName::Overview, LayoutName::Learning],
    ..About::of::<CurvesView>("curves", "Curves", 70, TRAINING)
};

impl Panel for CurvesView {
    fn draw(&self, scene: &Scene<'_>, focused: bool, painter: &mut Painter<'_>) {
        let Some(training) = scene.state.training_run() else {
            return;
        };
        let area = panels::inside(painter.area());
        let shown = shown(
            usize::from(area.width),
            usize::from(area.height),
            self.measure,
        );
        let name = title(&self.chart, &shown);
        let room = painter.width().saturating_sub(name.len() + 5);
        let alone = shown.len() == 1;
        let mut below = None;
        let beside = match chosen(&self.chart, training) {
            Some((number, epoch)) => {
                let first = shown[0].0;
                // Where both charts are shown, nothing is below them.
                let width = if alone { usize::from(area.width) } else { 0 };
                let room = (room, width);
                let (beside, rest) = readout::rows(number, epoch, first, room);
                below = Some(rest).filter(|rest| alone && !rest.is_empty());
                beside
            }
            None => {
                let with_loss = shown.iter().any(|(measure, _)| *measure == Measure::Loss);
                legend(training, with_loss, painter.glyphs(), room)
            }
        };
        panels::title(painter, focused, &name, &beside, None);
        if training.epochs.is_empty() {
            let text = "the first epoch is under way: the curves begin when it has ended";
            for (y, line) in format::wrap(text, usize::from(area.width))
                .iter()
                .enumerate()
            {
                painter.part(area).text(0, y, Role::Dim, line);
            }
            return;
        }
        for (measure, part) in shown {
            let part = Rect {
                x: area.x + part.x,
                y: area.y + part.y,
                ..part
            };
            draw_chart(
                &self.chart,
                training,
                measure,
                alone,
                below.as_ref(),
                &mut painter.part(part),
            );
        }
    }

    fn act(&mut self, action: Action, scene: &Scene<'_>, area: Rect) -> Option<Response> {
        if action == Action::ToggleQuantity {
            self.measure = self.measure.other();
            return Some(Response::Draw);
        }
        let (training, columns) = (scene.state.training_run()?, columns(area.width.into()));
        let known = self.chart.perform(action, || extent(training), columns);
        known.then_some(Response::Draw)
    }

    fn click(&mut self, part: Part, scene: &Scene<'_>, _area: Rect) -> Option<Response> {
        let (Part::Number(epoch), Some(training)) = (part, scene.state.training_run()) else {
            return None;
        };
        let moved = self.chart.point_at(epoch, &extent(training));
        moved.then_some(Response::Draw)
    }

    fn word(&self, action: Action) -> Option<&'static str> {
        match action {
            Action::ToggleQuantity => Some("accuracy/loss"),
            Action::ToggleScale if self.chart.scale == Scale::Log => Some("linear"),
            _ => None,
        }
    }

    fn hints(&self) -> &'static [Hint] {
        hints!["crosshair": Left, Right; "zoom": More, Less]
    }

    fn more_hints(&self) -> &'static [Hint] {
        hints!["crosshair to the previous or next epoch": PageUp, PageDown]
    }

    fn table<'a>(&'a self, scene: &'a Scene<'_>) -> Option<LazyTable<'a>> {
        let training = scene.state.training_run()?;
        if training.epochs.is_empty() {
            return None;
        }
        Some(Box::new(move || in_view(&self.chart, training)))
    }
}

/// The epochs in view as a table.
fn in_view(view: &ChartView, training: &TrainingRun) -> CsvTable {
    let (span, mut table) = (view.visible(&extent(training)), tables::epochs(training));
    let mut numbers = training.epochs.iter().map(|epoch| epoch.epoch as u64);
    let is_in_view = |number| span.contains(number);
    table
        .rows
        .retain(|_| numbers.next().is_some_and(is_in_view));
    table
}

/// The charts that fit into `width` x `height`, with their areas.
fn shown(width: usize, height: usize, measure: Measure) -> Vec<(Measure, Rect)> {
    let rect = |x: usize, y: usize, width: usize, height: usize| {
        Rect::new(x as u16, y as u16, width as u16, height as u16)
    };
    if width >= BESIDE {
        let half = (width - 2) / 2;
        return vec![
            (Measure::Loss, rect(0, 0, half, height)),
            (Measure::Accuracy, rect(half + 2, 0, half, height)),
        ];
    }
    if height >= STACKED {
        let upper = height.div_ceil(2);
        return vec![
            (Measure::Accuracy, rect(0, 0, width, upper)),
            (Measure::Loss, rect(0, upper, width, height - upper)),
        ];
    }
    vec![(measure, rect(0, 0, width, height))]
}

/// Whether there is room for both charts in this area of the panel.
pub fn are_both_shown(area: Rect) -> bool {
    let inside = panels::inside(area);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    shown(width, height, Measure::default()).len() > 1
}

/// The panel's name, followed by the name of the chart if there is only one.
fn title(view: &ChartView, shown: &[(Measure, Rect)]) -> String {
    match shown {
        [(measure, _)] => format!("Curves: {}{}", measure.name(), scale(view, *measure)),
        _ => "Curves".to_owned(),
    }
}

fn scale(view: &ChartView, measure: Measure) -> &'static str {
    let is_log = view.scale == Scale::Log && measure == Measure::Loss;
    if is_log { " (log)" } else { "" }
}

/// The epoch under the crosshair, once it has ended.
fn chosen<'a>(
    view: &ChartView,
    training: &'a TrainingRun,
) -> Option<(u64, Option<&'a TrainingEpoch>)> {
    let number = view.crosshair().filter(|_| !training.epochs.is_empty())?;
    Some((
        number,
        training
            .epochs
            .iter()
            .find(|epoch| epoch.epoch as u64 == number),
    ))
}

/// The meaning of each sign in the curves.
pub fn signs(glyphs: &Glyphs) -> Vec<Sign> {
    let sign = |series: PlotSeries, text: &'static str| {
        let (role, glyph) = look(series, glyphs);
        (role, glyph, text)
    };
    vec![
        sign(
            PlotSeries::MeanLine,
            "validation, after each epoch: a solid line",
        ),
        sign(
            PlotSeries::Child,
            "training, over each epoch: a dotted line",
        ),
        sign(
            PlotSeries::Mean,
            "the best epoch: the highest validation accuracy, whose weights are kept",
        ),
        (
            Role::Baseline,
            glyphs.down,
            "from here on the learning rate has another value",
        ),
        sign(
            PlotSeries::Boundary,
            "from here on the images have another size: epochs before and after are not comparable",
        ),
        sign(PlotSeries::Chosen, "the epoch under the crosshair"),
    ]
}

fn legend(training: &TrainingRun, with_loss: bool, glyphs: &Glyphs, width: usize) -> Row {
    let entry = |series: PlotSeries, label: String| {
        let (role, glyph) = look(series, glyphs);
        vec![(role, glyph.to_owned()), (Role::Dim, format!(" {label}"))]
    };
    let of = |[valid, train, best_is]: [&str; 3]| {
        let best = training.best().map_or(Row::new(), |best| {
            entry(PlotSeries::Mean, format!("{best_is}{}", best.epoch))
        });
        vec![
            (0, entry(PlotSeries::MeanLine, valid.to_owned())),
            (1, entry(PlotSeries::Child, train.to_owned())),
            (2, best),
        ]
    };
    let needed = |entries: &[(usize, Row)], gap: usize| -> usize {
        entries.iter().map(|(_, row)| pieces_width(row) + gap).sum()
    };
    let [long, short, shortest] = labels(training, with_loss).map(of);
    if needed(&long, 2) <= width + 2 {
        return join_ranked(long, "  ", width);
    }
    // Both curves are named before the best epoch is.
    let names_both = needed(&short[..2], 1) <= width + 1;
    join_ranked(if names_both { short } else { shortest }, " ", width)
}

/// What the curves of validation and training and the best epoch are called where there is room, where there
/// is little, and where there is hardly any. Mixed images and a smoothed loss, if it is shown, are named in all.
fn labels(training: &TrainingRun, with_loss: bool) -> [[&'static str; 3]; 3] {
    let settings = &training.started.settings;
    let smoothed = settings.smooths() && with_loss;
    // Where there is hardly any room, the header still says that weights are averaged.
    let is_long = smoothed || settings.mixes();
    let [valid, short_valid] = match (settings.averages(), is_long) {
        (true, true) => ["validation (averaged weights)", "valid."],
        (true, false) => ["validation (averaged weights)", "valid. avg."],
        (false, _) => ["validation", "valid."],
    };
    let [train, short_train] = match (settings.mixes(), smoothed) {
        (true, true) => ["training (mixed images, smoothed loss)", "mixed"],
        (true, false) => ["training (mixed images)", "mixed"],
        (false, true) => ["training (smoothed loss)", "smoothed"],
        (false, false) => ["training", "train"],
    };
    [
        [valid, train, "best epoch "],
        [short_valid, short_train, ""],
        ["val", short_train, ""],
    ]
}

/// One chart, with its name in its first row unless the panel's title has it. Below it are the learning
/// rates, or a row that takes their place.
fn draw_chart(
    view: &ChartView,
    training: &TrainingRun,
    measure: Measure,
    alone: bool,
    below: Option<&Row>,
    painter: &mut Painter<'_>,
) {
    let chart = Chart {
        measure,
        training,
        best: training.best().map(|best| best.epoch),
        span: view.visible(&extent(training)),
        scale: view.scale,
        crosshair: view.crosshair(),
    };
    let height = painter.height();
    let top = usize::from(!alone);
    if !alone {
        painter.text(
            0,
            0,
            Role::Title,
            &format!("{}{}", measure.name(), scale(view, measure)),
        );
    }
    let with_rates = height >= RATES;
    let bottom = height - usize::from(with_rates);
    let frame = chart.draw(painter, top, bottom);
    match (frame.filter(|_| with_rates), below) {
        (Some(_), Some(row)) => {
            painter.pieces(0, bottom, row);
        }
        (Some(frame), None) => rates::draw(painter, bottom, &frame, chart.span, &training.epochs),
        (None, _) => {}
    }
}
