//! The page in a headless Chromium, if there is one: nothing is too wide, every figure is visible,
//! and a PDF can be printed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::samples::{SEARCH, with_test};
use super::{read, reported};

/// Chromium's options: quiet, and without any network access of its own.
const QUIET: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=10000",
];

/// Sent from within a frame to the surrounding page: the result of the browser's layout.
const PROBE: &str = r#"<script>addEventListener("load", () => {
  const drawn = figure => [...figure.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width > 0);
  const smallest = svg => Math.min(...[...svg.querySelectorAll("text")].map(text =>
    parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width));
  parent.postMessage(JSON.stringify({
    wide: document.documentElement.scrollWidth, inner: innerWidth,
    loaded: performance.getEntriesByType("resource").length,
    figures: [...document.querySelectorAll("figure")].map(figure => ({
      name: figure.id, drawings: drawn(figure).length,
      width: drawn(figure)[0]?.getBoundingClientRect().width ?? 0, height: drawn(figure)[0]?.getBoundingClientRect().height ?? 0,
      text: Math.min(...drawn(figure).map(smallest))})),
  }), "*");
});</script>"#;

#[derive(Debug, Deserialize)]
struct Seen {
    /// Width of the page's content, and of the window.
    wide: f64,
    inner: f64,
    /// Number of files that the page requested.
    loaded: usize,
    figures: Vec<SeenFigure>,
}

#[derive(Debug, Deserialize)]
struct SeenFigure {
    name: String,
    /// How many of its forms are visible.
    drawings: usize,
    width: f64,
    height: f64,
    /// Height of its smallest letters, in CSS pixels.
    text: f64,
}

/// Chromium from `NAS_TUI_CHROMIUM` or its usual places; if there is none, a message says that
/// nothing was checked.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("NAS_TUI_CHROMIUM")
        .map(PathBuf::from)
        .filter(|path| !path.as_os_str().is_empty());
    let usual = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .map(PathBuf::from);
    let found = named.or_else(|| usual.into_iter().find(|path| path.exists()));
    if found.is_none() {
        // Not eprintln: the test runner would hide it.
        let name = std::thread::current().name().unwrap_or("test").to_owned();
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {name}: no Chromium; name one with NAS_TUI_CHROMIUM"
        );
    }
    found
}

/// Chromium's output with these options for the page at `path`.
fn run(chromium: &Path, profile: &Path, options: &[String], path: &Path) -> String {
    let mut command = Command::new(chromium);
    command
        .args(QUIET)
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(options);
    let output = command
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The layout of the page in a window of this size.
fn look(chromium: &Path, folder: &Path, page: &str, (width, height): (u32, u32)) -> Seen {
    std::fs::write(
        folder.join("probed.html"),
        page.replace("</body>", &format!("{PROBE}</body>")),
    )
    .unwrap();
    // A window of Chromium has a minimum width, but a frame does not.
    let around = format!(
        r#"<!DOCTYPE html><body style="margin:0"><pre id="seen"></pre><script>addEventListener("message", event => seen.textContent = event.data)</script>
        <iframe src="probed.html" style="border:0;width:{width}px;height:{height}px"></iframe></body>"#
    );
    std::fs::write(folder.join("around.html"), around).unwrap();
    let options = ["--dump-dom".to_owned(), "--window-size=1400,900".to_owned()];
    let dom = run(
        chromium,
        &folder.join("profile"),
        &options,
        &folder.join("around.html"),
    );
    let text = dom
        .split_once(r#"<pre id="seen">"#)
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map(|(text, _)| text)
        .unwrap();
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {dom:.300}"))
}

#[test]
fn in_chromium_nothing_is_too_wide_for_a_phone_or_a_desk_and_every_figure_is_visible() {
    let Some(chromium) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    for journal in [SEARCH, &with_test()] {
        let page = read(reported(folder.path(), journal).join("report.html"));
        for window in [(360, 740), (1280, 800)] {
            let seen = look(&chromium, folder.path(), &page, window);
            assert_eq!(seen.inner, f64::from(window.0));
            assert!(seen.wide <= seen.inner, "{window:?}: {} wide", seen.wide);
            assert_eq!(seen.loaded, 0, "the page asked for files");
            assert!(seen.figures.len() >= 6);
            for figure in &seen.figures {
                assert!(figure.name.starts_with("figure-"));
                assert_eq!(figure.drawings, 1, "{window:?}: {figure:?}");
                assert!(
                    figure.width > 250.0 && figure.height > 50.0,
                    "{window:?}: {figure:?}"
                );
                assert!(
                    figure.text >= 8.0,
                    "{window:?}: letters too small: {figure:?}"
                );
            }
        }
    }
}

#[test]
fn in_chromium_the_page_is_printed() {
    let Some(chromium) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = reported(folder.path(), SEARCH).join("report.html");
    let pdf = folder.path().join("report.pdf");
    let options = [
        format!("--print-to-pdf={}", pdf.display()),
        "--no-pdf-header-footer".to_owned(),
    ];
    run(&chromium, &folder.path().join("profile"), &options, &page);
    let bytes = std::fs::read(pdf).unwrap();
    assert!(
        bytes.starts_with(b"%PDF-") && bytes.len() > 20_000,
        "{} bytes",
        bytes.len()
    );
}
