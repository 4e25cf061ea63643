//! Arbitrary keys and clicks at arbitrary sizes.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use nas_tui::tui::Targets;

use super::*;

#[derive(Debug, Clone)]
pub enum Step {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Resize(u16, u16),
    Records(usize),
    Gpus,
}

pub fn step() -> impl Strategy<Value = Step> {
    let codes = prop_oneof![
        4 => prop::sample::select(" q?bafkjgGhlpnscyxde[]/123456+-0vVmMrSoHLYCtw<>NRD".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        2 => prop::sample::select(vec![KeyCode::Tab, KeyCode::BackTab, KeyCode::Esc, KeyCode::Enter, KeyCode::Up, KeyCode::Down,
            KeyCode::Left, KeyCode::Right, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End, KeyCode::F(1)]),
    ];
    let key = (codes, any::<bool>()).prop_map(|(code, control)| {
        Step::Key(KeyEvent::new(
            code,
            if control {
                KeyModifiers::CONTROL
            } else {
                KeyModifiers::NONE
            },
        ))
    });
    let kinds = vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ];
    let mouse =
        (prop::sample::select(kinds), 0u16..260, 0u16..90).prop_map(|(kind, column, row)| {
            Step::Mouse(MouseEvent {
                kind,
                column,
                row,
                modifiers: KeyModifiers::NONE,
            })
        });
    let size = prop_oneof![
        (0u16..12, 0u16..8),
        (55u16..90, 12u16..30),
        (0u16..260, 0u16..90)
    ];
    prop_oneof![
        6 => key,
        6 => mouse,
        2 => size.prop_map(|(width, height)| Step::Resize(width, height)),
        2 => (0usize..200).prop_map(Step::Records),
        1 => Just(Step::Gpus),
    ]
}

/// A user who takes these steps while these records arrive.
pub fn live_through(records: &[Record], steps: Vec<Step>, theme: Theme) {
    let mut left = records.iter();
    let mut app = App::new(
        &settings(theme),
        TimeZone::UTC,
        Size::new(0, 0),
        records[0].time,
    );
    let mut targets = Targets::default();
    for step in steps {
        match step {
            Step::Key(key) => {
                app.key(&key);
            }
            Step::Mouse(mouse) => {
                app.mouse(&mouse, &targets);
            }
            Step::Resize(width, height) => app.view.size = Size::new(width, height),
            Step::Records(count) => left
                .by_ref()
                .take(count)
                .for_each(|record| app.take(record)),
            Step::Gpus => app.view.take_gpu(gpus(), app.view.now),
        }
        targets = app.draw(&mut Buffer::empty(Rect::from(app.view.size)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_and_no_clicks_at_any_size_ever_panic(steps in proptest::collection::vec(step(), 0..40), ascii: bool, depth in 0usize..4) {
        let depth = [ColourDepth::None, ColourDepth::Sixteen, ColourDepth::Indexed, ColourDepth::True][depth];
        live_through(&journal(), steps, theme(depth, ascii));
    }
}
