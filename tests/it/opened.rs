//! The user's pager and editor on the terminal of the screen, with real programs and keys.

mod keys;
mod views;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, test_kill_process};

use super::terminal::Terminal;

/// A pager that shows where its text is and each key that it gets, and ends at `q`. As real ones it
/// reads single keys, leaves Ctrl-C and Ctrl-\ to signals, and sets its modes again when it is continued.
const PAGER: &str = r#"#!/bin/sh
raw() { stty -icanon -echo min 1; }
modes=$(stty -g)
trap 'printf INTERRUPTED' INT
trap 'printf TOLD-TO-QUIT' QUIT
trap 'raw; printf CONTINUED' CONT
raw
for file; do :; done
printf '%s' "$file" > shown
printf 'PAGER mode %s first %s\r\n' "$(stat -c %a "$file")" "$(head -n 1 "$file")"
while :; do
  key=$(dd bs=1 count=1 2>/dev/null)
  printf '<%s>' "$key"
  case $key in q) break ;; esac
done
stty "$modes"
"#;

/// After this time a program has not ended at once.
const NOT_AT_ONCE: Duration = Duration::from_millis(700);

/// A folder with a recorded run of its own and some programs.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs/recorded");
        fs::create_dir_all(&run).unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        fs::copy(
            fixtures.join("journal-demo.jsonl"),
            run.join("journal.jsonl"),
        )
        .unwrap();
        fs::write(run.join("config.toml"), "preset = \"demo\"\n").unwrap();
        let place = Place { folder };
        place.program("pager", PAGER);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Write a program for the shell.
    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The end of the replay, in a terminal with this pager.
    fn replay(&self, pager: &str) -> Terminal {
        let variables = [("PAGER", pager), ("VISUAL", ""), ("EDITOR", "")];
        self.replay_with(&variables)
    }

    fn replay_with(&self, variables: &[(&str, &str)]) -> Terminal {
        let arguments = ["replay", "recorded", "--speed", "100000"];
        let terminal = Terminal::start_with(variables, &arguments, self.path(), 80, 24);
        terminal.wait_for("REPLAY ENDED");
        terminal
    }

    /// The file that the pager was started with last.
    fn shown(&self) -> PathBuf {
        fs::read_to_string(self.path().join("shown"))
            .unwrap()
            .into()
    }
}

fn close_the_inspector(terminal: &mut Terminal) {
    terminal.keys("\x1b");
    terminal.wait_until("no inspector", |contents| !contents.contains("[Graph]"));
}

/// The rows of the screen except those of the machine, whose figures change.
fn without_the_machine(contents: &str) -> impl Iterator<Item = &str> {
    let mut of_machine = false;
    contents.lines().map(str::trim_end).filter(move |row| {
        if row.starts_with('─') {
            of_machine = row.contains("Host");
        }
        !of_machine
    })
}

fn leave(terminal: &mut Terminal) {
    terminal.keys("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn the_pager_gets_every_key_and_afterwards_the_screen_is_as_before() {
    let place = Place::new();
    let mut terminal = place.replay("./pager -R");
    terminal.wait_for("q quit");
    terminal.wait_until("the best child", |contents| {
        !contents.contains("reading the journal")
    });
    let before = terminal.contents();
    terminal.keys("O");
    terminal.wait_for("first preset = \"demo\"");
    assert!(place.shown().ends_with("runs/recorded/config.toml"));
    assert_eq!(terminal.mouse_mode(), vt100::MouseProtocolMode::None);
    assert!(!terminal.pastes_between_marks());
    std::thread::sleep(NOT_AT_ONCE);
    // These keys mean something to the screen, which must not get them.
    for key in "?3/jkx:e".chars() {
        terminal.keys(&key.to_string());
    }
    terminal.wait_for("<?><3></><j><k><x><:><e>");
    terminal.keys("q");
    terminal.wait_until("screen as before", |contents| {
        without_the_machine(contents).eq(without_the_machine(&before))
    });
    assert_eq!(
        terminal.mouse_mode(),
        vt100::MouseProtocolMode::ButtonMotion
    );
    assert!(terminal.pastes_between_marks());
    terminal.keys("?");
    terminal.wait_for("pause or resume the run");
    terminal.keys("\x1b");
    terminal.wait_until("screen without help", |contents| {
        !contents.contains("pause or resume the run")
    });
    leave(&mut terminal);
}

#[test]
fn a_resize_in_the_pager_is_seen_by_the_screen() {
    let place = Place::new();
    let mut terminal = place.replay("./pager");
    terminal.keys("O");
    terminal.wait_for("PAGER");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.resize(120, 40);
    terminal.keys("q");
    terminal.wait_until("footer in the new last row", |contents| {
        let last = contents.lines().nth(39);
        last.is_some_and(|row| row.contains("quit"))
    });
    leave(&mut terminal);
}

#[test]
fn interrupting_the_pager_leaves_the_screen_alone() {
    let place = Place::new();
    let mut terminal = place.replay("./pager");
    terminal.keys("V");
    terminal.wait_for("PAGER");
    std::thread::sleep(NOT_AT_ONCE);
    for _ in 0..3 {
        terminal.keys("\x03");
        std::thread::sleep(Duration::from_millis(100));
    }
    terminal.wait_for("INTERRUPTED");
    terminal.keys("q");
    terminal.wait_for("REPLAY ENDED");
    leave(&mut terminal);
}

#[test]
fn a_signal_to_end_ends_the_pager_too_and_removes_what_it_showed() {
    for signal in [Signal::TERM, Signal::HUP] {
        let place = Place::new();
        let text =
            "#!/bin/sh\necho $$ > pid\nprintf '%s' \"$1\" > shown\necho WAITING\nexec sleep 600\n";
        place.program("slow", text);
        let mut terminal = place.replay("./slow");
        terminal.keys("V");
        terminal.wait_for("WAITING");
        let pid = fs::read_to_string(place.path().join("pid")).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        assert!(place.shown().exists());
        terminal.signal(signal);
        terminal.wait_exit();
        terminal.assert_restored();
        assert!(test_kill_process(pid).is_err(), "after {signal:?}");
        assert!(!place.shown().exists(), "after {signal:?}");
    }
}

#[test]
fn suspending_in_the_pager_suspends_both_and_they_continue_together() {
    let place = Place::new();
    let arguments = ["--norc", "--noprofile", "-i"];
    let variables = [("PAGER", "./pager"), ("PS1", "shell: ")];
    let mut terminal =
        Terminal::start_program("bash", &variables, &arguments, place.path(), 80, 24);
    terminal.wait_for("shell: ");
    let program = env!("CARGO_BIN_EXE_nas-tui");
    terminal.keys(&format!("{program} replay recorded --speed 100000\n"));
    terminal.wait_for("REPLAY ENDED");
    terminal.keys("O");
    terminal.wait_for("PAGER");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.keys("\x1a");
    terminal.wait_for("Stopped");
    terminal.keys("fg\n");
    // The line feed is for the case that the shell has left the terminal reading lines.
    std::thread::sleep(Duration::from_millis(300));
    terminal.keys("x\n");
    terminal.wait_for("<x>");
    terminal.keys("q");
    terminal.wait_for("REPLAY ENDED");
    terminal.keys("q");
    terminal.wait_until("shell again", |contents| {
        let last = contents.trim_end().lines().last();
        // The pager has left its last row without an end.
        last.is_some_and(|row| row.trim_end().ends_with("shell:"))
    });
    terminal.keys("exit\n");
    terminal.wait_exit();
    terminal.assert_restored();
}

#[test]
fn code_is_shown_in_a_private_file_that_is_removed_afterwards() {
    let place = Place::new();
    let mut terminal = place.replay("./pager");
    terminal.keys("b");
    terminal.wait_until("network", |contents| {
        contents.contains("[Graph]") && !contents.contains("reading the journal")
    });
    terminal.keys("P");
    terminal.wait_for("PAGER mode 600");
    let shown = place.shown();
    let name = shown.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("child-") && name.ends_with(".py"),
        "{name}"
    );
    let code = fs::read_to_string(&shown).unwrap();
    assert!(code.contains("import torch"), "{code}");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.keys("q");
    terminal.wait_for("[Graph]");
    assert!(!shown.exists());
    close_the_inspector(&mut terminal);
    leave(&mut terminal);
}

#[test]
fn an_editor_gets_code_in_a_file_that_stays() {
    let place = Place::new();
    let editor = "#!/bin/sh\necho '# edited' >> \"$2\"\necho EDITOR $1\nsleep 0.7\n";
    place.program("editor", editor);
    let variables = [("VISUAL", "./editor --wait"), ("EDITOR", "false")];
    let mut terminal = place.replay_with(&variables);
    terminal.keys("b");
    terminal.wait_until("network", |contents| {
        contents.contains("[Graph]") && !contents.contains("reading the journal")
    });
    terminal.keys("E");
    terminal.wait_for("EDITOR --wait");
    terminal.wait_for("saved here: child-");
    let names = fs::read_dir(place.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().path());
    let file = names.find(|path| path.extension().is_some_and(|extension| extension == "py"));
    let code = fs::read_to_string(file.unwrap()).unwrap();
    assert!(code.contains("import torch") && code.ends_with("# edited\n"));
    close_the_inspector(&mut terminal);
    leave(&mut terminal);
}

#[test]
fn what_a_program_prints_at_once_can_be_read() {
    let place = Place::new();
    let mut terminal = place.replay("cat");
    terminal.keys("O");
    terminal.wait_for("press any key to return");
    terminal.wait_for("preset = \"demo\"");
    terminal.keys("x");
    terminal.wait_for("REPLAY ENDED");
    leave(&mut terminal);
}

#[test]
fn a_missing_program_and_a_failing_one_are_told() {
    let place = Place::new();
    let mut terminal = place.replay("no-such-pager");
    terminal.keys("O");
    terminal.wait_for("$PAGER is \"no-such-pager\", but there is no such program");
    terminal.keys("E");
    terminal.wait_until("no editor, or no network yet", |contents| {
        contents.contains("no editor is set") || contents.contains("is being read")
    });
    leave(&mut terminal);
    let mut terminal = place.replay("false");
    terminal.keys("O");
    terminal.wait_for("press any key to return");
    terminal.keys("x");
    terminal.wait_for("false ended with status 1");
    leave(&mut terminal);
}

#[test]
fn the_log_in_the_pager_has_every_line_with_its_date() {
    let place = Place::new();
    let mut terminal = place.replay("./pager");
    terminal.keys("V");
    terminal.wait_for("PAGER mode 600");
    let log = fs::read_to_string(place.shown()).unwrap();
    assert!(log.lines().count() > 300, "{} lines", log.lines().count());
    assert!(log.lines().all(|line| line.starts_with("20")), "{log}");
    std::thread::sleep(NOT_AT_ONCE);
    terminal.keys("q");
    terminal.wait_for("REPLAY ENDED");
    leave(&mut terminal);
}

#[cfg(feature = "torch")]
#[test]
fn the_search_goes_on_while_the_pager_is_open_and_nothing_of_it_is_missed() {
    let place = Place::new();
    let variables = [("PAGER", "./pager")];
    let arguments = Terminal::SEARCH;
    let mut terminal = Terminal::start_with(&variables, &arguments, place.path(), 80, 24);
    terminal.wait_for("loss");
    terminal.keys("V");
    terminal.wait_for("PAGER");
    std::thread::sleep(NOT_AT_ONCE);
    let journal = place.path().join("run/journal.jsonl");
    let epochs = || {
        let text = fs::read_to_string(&journal).unwrap();
        text.matches("\"event\":\"child_epoch\"").count()
    };
    let before = epochs();
    while epochs() < before + 3 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let screen = terminal.contents();
    assert!(
        screen.contains("PAGER") && !screen.contains("RUNNING"),
        "{screen}"
    );
    terminal.keys("q");
    terminal.wait_for("RUNNING");
    terminal.keys("6");
    for epoch in before + 1..=before + 3 {
        terminal.wait_for(&format!("epoch {epoch}/200"));
    }
    terminal.keys("\x03");
    terminal.wait_for("Leave the screen?");
    terminal.keys("s");
    assert_eq!(terminal.wait_exit(), 130);
    terminal.assert_restored();
}
