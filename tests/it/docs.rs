//! The documents' statements about commands agree with the program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use nas_tui::cli::Cli;

const HEAD: &str = "# Commands\n\nEvery help text, as the program prints it (a test keeps this page the same; \
                    `UPDATE_DOCS=1 cargo nextest run --release docs` rewrites it).\n";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `command` and its subcommands, each with its help.
fn describe(command: &mut clap::Command, page: &mut String) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let name = command.get_bin_name().unwrap_or("nas-tui").to_owned();
    write!(
        page,
        "\n## {name}\n\n```text\n{}\n```\n",
        lines.join("\n").trim()
    )
    .unwrap();
    let shown =
        |command: &&mut clap::Command| !command.is_hide_set() && command.get_name() != "help";
    command
        .get_subcommands_mut()
        .filter(shown)
        .for_each(|command| describe(command, page));
}

#[test]
fn the_page_of_commands_is_the_help_text() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut page = HEAD.to_owned();
    describe(&mut command, &mut page);
    let file = path("docs/COMMANDS.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/COMMANDS.md is not what the help says; run: UPDATE_DOCS=1 cargo nextest run --release docs"
    );
}

/// The indented commands shown in a document, without their comments.
fn examples(document: &str) -> Vec<String> {
    let command = |line: &str| {
        line.strip_prefix("    nas-tui")
            .map(|rest| rest.split('#').next().unwrap_or("").trim().to_owned())
    };
    document.lines().filter_map(command).collect()
}

#[test]
fn the_program_accepts_every_command_shown_in_the_readme() {
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() > 10, "{examples:?}");
    for example in examples
        .iter()
        .filter(|example| !example.starts_with("COMMAND"))
    {
        let words = std::iter::once("nas-tui").chain(example.split_whitespace());
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("README shows `nas-tui {example}`: {error}");
        }
    }
}

/// Words of `text` that are paths of files in a folder of this repository.
fn named_files<'text>(text: &'text str, folder: &str) -> Vec<&'text str> {
    let outside = |character: char| !(character.is_alphanumeric() || "/._-".contains(character));
    text.split(outside)
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with(folder) && word.contains('.'))
        .collect()
}

#[test]
fn every_script_and_benchmark_named_in_a_document_or_help_text_is_in_the_repository() {
    let mut named = 0;
    for document in [
        "README.md",
        "docs/COMMANDS.md",
        "docs/DEPENDENCIES.md",
        "docs/PERFORMANCE.md",
        "docs/REPRODUCTION.md",
    ] {
        let text = std::fs::read_to_string(path(document)).unwrap();
        for file in ["benches/", "scripts/", "tests/"]
            .iter()
            .flat_map(|folder| named_files(&text, folder))
        {
            assert!(
                path(file).is_file(),
                "{document} names {file}, which is not there"
            );
            named += 1;
        }
    }
    assert!(named > 5, "{named}");
}
