//! Themes and depths of colour.

use super::*;

fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

#[test]
fn colour_depth_follows_the_environment() {
    let cases: [(&[(&str, &str)], ColourDepth); 7] = [
        (
            &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
            ColourDepth::True,
        ),
        (&[("TERM", "xterm-256color")], ColourDepth::Indexed),
        (&[("TERM", "xterm")], ColourDepth::Sixteen),
        (&[("TERM", "vt100")], ColourDepth::None),
        (
            &[("TERM", "dumb"), ("COLORTERM", "truecolor")],
            ColourDepth::None,
        ),
        (
            &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
            ColourDepth::None,
        ),
        (
            &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
            ColourDepth::Indexed,
        ),
    ];
    for (pairs, depth) in cases {
        assert_eq!(ColourDepth::detect(environment(pairs)), depth, "{pairs:?}");
    }
}

#[test]
fn the_linux_console_gets_only_characters_that_its_fonts_have() {
    assert!(is_console(environment(&[("TERM", "linux")])));
    assert!(!is_console(environment(&[("TERM", "xterm")])));
    let glyphs = Theme::new(ThemeName::default(), ColourDepth::Sixteen, false)
        .for_console()
        .glyphs;
    assert!(!glyphs.ascii && !glyphs.braille);
    let known = "─│┌┐└┘├┤┬┴┼═░▒▓█▄←→↑↓·±°";
    let drawn = format!("{glyphs:?}");
    let strange: String = drawn
        .chars()
        .filter(|character| !character.is_ascii() && !known.contains(*character))
        .collect();
    assert_eq!(strange, "", "{drawn}");
}

#[test]
fn the_first_locale_variable_that_is_set_decides() {
    assert!(locale_is_utf8(environment(&[("LANG", "C.UTF-8")])));
    assert!(locale_is_utf8(environment(&[
        ("LC_ALL", "de_DE.utf8"),
        ("LANG", "C")
    ])));
    assert!(!locale_is_utf8(environment(&[
        ("LC_ALL", "C"),
        ("LANG", "C.UTF-8")
    ])));
    assert!(!locale_is_utf8(environment(&[])));
}

#[test]
fn without_colour_no_style_has_a_colour() {
    let theme = Theme::new(ThemeName::default(), ColourDepth::None, true);
    for role in [
        Role::Dim,
        Role::Focus,
        Role::Child,
        Role::Mean,
        Role::Baseline,
        Role::Best,
        Role::Warning,
        Role::Error,
    ] {
        assert_eq!(
            (theme.style(role).fg, theme.style(role).bg),
            (None, None),
            "{role:?}"
        );
    }
}

#[test]
fn other_runs_have_colours_of_their_own_wherever_there_are_colours() {
    let names = [
        ThemeName::ColourBlind,
        ThemeName::Light,
        ThemeName::HighContrast,
    ];
    let depths = [
        ColourDepth::Sixteen,
        ColourDepth::Indexed,
        ColourDepth::True,
    ];
    for (name, depth) in names
        .into_iter()
        .flat_map(|name| depths.map(|depth| (name, depth)))
    {
        let theme = Theme::new(name, depth, false);
        let colours: std::collections::HashSet<_> = (0..4)
            .map(|place| theme.style(Role::OtherRun(place)).fg)
            .collect();
        assert_eq!(colours.len(), 4, "{name:?} {depth:?}");
        assert!(!colours.contains(&theme.style(Role::Mean).fg));
    }
}

#[test]
fn an_ascii_theme_has_only_ascii() {
    assert!(
        format!(
            "{:?}",
            Theme::new(ThemeName::default(), ColourDepth::True, true).glyphs
        )
        .is_ascii()
    );
}
