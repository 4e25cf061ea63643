//! Takes over the terminal and restores it, whatever happens in between.
//!
//! What is needed to restore it is kept outside the guard, where the panic hook also finds it.

use std::fs::File;
use std::io::{self, IsTerminal, PipeWriter, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

use ratatui::layout::Size;
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::ansi::Tty;
use super::capture::Redirection;

/// Alternate screen, cleared, cursor hidden. Pasted text comes between marks, so that it is not taken for keys.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[0m\x1b[2J\x1b[H";
/// The title is kept on the terminal's stack (xterm's), and taken from there. A terminal without a
/// stack then has an empty title, not one that is no longer true.
const KEEP_TITLE: &[u8] = b"\x1b[22;2t";
const RESTORE_TITLE: &[u8] = b"\x1b]2;\x07\x1b[23;2t";
/// Buttons, the wheel, and motion while a button is held down (any other motion would be sent too
/// often over a slow line), as numbers of any size (SGR).
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Main screen with its cursor, attributes off, cursor shown. (Restoring the cursor also restores
/// the attributes.)
const LEAVE: &[u8] = b"\x1b[?2004l\x1b[?2026l\x1b[r\x1b[?1049l\x1b[0m\x1b[?25h";
/// What another program may have left behind: keys of applications, marks around pasted text, the mouse.
const AFTER_OTHERS: &[u8] = b"\x1b[?1l\x1b>\x1b[?2004l\x1b[?1003l\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Shown below what a program has left on the terminal. What is printed after the screen has been left
/// begins in a row of its own.
const ANY_KEY: &[u8] = b"\r\n[nas-tui: press any key to return to the screen]\r\n";

/// What is used of the terminal besides its cells and keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// Reports of the mouse.
    pub mouse: bool,
    /// The title.
    pub title: bool,
}

impl Extras {
    fn enter(self) -> Vec<u8> {
        let title: &[u8] = if self.title { KEEP_TITLE } else { b"" };
        let mouse: &[u8] = if self.mouse { MOUSE_ON } else { b"" };
        [title, ENTER, mouse].concat()
    }

    fn leave(self) -> Vec<u8> {
        let mouse: &[u8] = if self.mouse { MOUSE_OFF } else { b"" };
        let title: &[u8] = if self.title { RESTORE_TITLE } else { b"" };
        [mouse, LEAVE, title].concat()
    }
}

/// What is needed to restore the terminal.
struct HeldTerminal {
    tty: File,
    extras: Extras,
    redirection: Redirection,
    thread: ThreadId,
    /// The modes in which it was lent to another program.
    lent: Option<Termios>,
}

static HELD: Mutex<Option<HeldTerminal>> = Mutex::new(None);
static PANIC_HOOK: Once = Once::new();

/// The terminal of standard output, for drawing.
#[derive(Debug)]
pub struct Terminal {
    tty: File,
}

impl Terminal {
    /// Open the terminal of standard output.
    ///
    /// # Errors
    /// If standard output is not a terminal.
    pub fn of_stdout() -> io::Result<Terminal> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "standard output is not a terminal (use --headless)",
            ));
        }
        Ok(Terminal {
            tty: File::from(io::stdout().as_fd().try_clone_to_owned()?),
        })
    }

    fn try_clone(&self) -> io::Result<File> {
        self.tty.try_clone()
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tty.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tty.flush()
    }
}

impl Tty for Terminal {
    fn size(&self) -> io::Result<Size> {
        let size = rustix::termios::tcgetwinsize(&self.tty)?;
        Ok(match (size.ws_col, size.ws_row) {
            // A terminal that does not know its size (a serial line) is assumed to have the usual
            // one.
            (0, 0) => Size::new(80, 24),
            (width, height) => Size::new(width, height),
        })
    }
}

/// Holds the terminal for the screen while it exists.
pub struct Guard {
    terminal: File,
    pipe: PipeWriter,
    extras: Extras,
}

impl Guard {
    /// Enter raw mode and the alternate screen, and redirect standard output and error into `pipe`.
    pub fn enter(terminal: &Terminal, pipe: PipeWriter, extras: Extras) -> io::Result<Guard> {
        install_panic_hook();
        let guard = Guard {
            terminal: terminal.try_clone()?,
            pipe,
            extras,
        };
        guard.take()?;
        Ok(guard)
    }

    fn take(&self) -> io::Result<()> {
        let mut tty = self.terminal.try_clone()?;
        crossterm::terminal::enable_raw_mode()?;
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = std::thread::current().id();
        // From here on, dropping the guard restores whatever was changed.
        let redirection = Redirection::start(&self.pipe);
        match redirection {
            Ok(redirection) => {
                *held = Some(HeldTerminal {
                    tty: tty.try_clone()?,
                    extras: self.extras,
                    redirection,
                    thread,
                    lent: None,
                })
            }
            Err(error) => {
                let _ = crossterm::terminal::disable_raw_mode();
                return Err(error);
            }
        }
        drop(held);
        tty.write_all(&self.extras.enter())
    }

    /// Restore the terminal, stop the process (and its group, like the terminal's own Ctrl-Z), and
    /// take over the terminal again when the process continues.
    pub fn suspend(&self) -> io::Result<()> {
        give_back();
        if let Err(error) = kill_current_process_group(Signal::TSTP) {
            return self.take().and(Err(error.into()));
        }
        // The signal may reach another thread first: do not draw before it has stopped this one.
        std::thread::sleep(std::time::Duration::from_millis(50));
        self.take()
    }

    /// Lend the terminal to another program: restore it, except that standard output and standard error
    /// are still captured. Returns the terminal for that program.
    pub fn lend(&self) -> io::Result<File> {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_mut().ok_or_else(not_held)?;
        held.tty.write_all(&held.extras.leave())?;
        crossterm::terminal::disable_raw_mode()?;
        held.lent = Some(tcgetattr(&held.tty)?);
        held.tty.try_clone()
    }

    /// Take over the lent terminal again.
    pub fn take_back(&self) -> io::Result<()> {
        take_keys_back()?;
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.as_mut().ok_or_else(not_held)?;
        held.lent = None;
        held.tty
            .write_all(&[AFTER_OTHERS, &held.extras.enter()].concat())
    }

    /// Leave on the lent terminal what a program has written there, but read keys from it again.
    pub fn read_keys_again(&self) -> io::Result<()> {
        take_keys_back()
    }

    /// Have the user press a key, once whoever reads keys no longer discards any.
    pub fn ask_for_any_key(&self) -> io::Result<()> {
        (&self.terminal).write_all(ANY_KEY)
    }

    /// After a stop from outside and SIGCONT: the shell has changed the terminal's modes.
    pub fn retake(&self) -> io::Result<()> {
        crossterm::terminal::disable_raw_mode()?;
        crossterm::terminal::enable_raw_mode()?;
        // Entering twice would lose the position of the main screen's cursor.
        (&self.terminal).write_all(&[self.extras.leave(), self.extras.enter()].concat())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Read single keys from the lent terminal again, whichever modes a program has left. What was typed for
/// that program, and the terminal's late answers to it, are no keys of the screen.
fn take_keys_back() -> io::Result<()> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.as_mut().ok_or_else(not_held)?;
    if let Some(modes) = &held.lent {
        crossterm::terminal::disable_raw_mode()?;
        tcsetattr(&held.tty, OptionalActions::Flush, modes)?;
    }
    crossterm::terminal::enable_raw_mode()
}

fn not_held() -> io::Error {
    io::Error::other("the terminal has been given back")
}

/// Restore the terminal if it is held. Errors are ignored: it may be gone, and there is no one to
/// tell.
fn give_back() {
    let held = HELD.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(mut held) = held {
        if held.lent.is_none() {
            let _ = held.tty.write_all(&held.extras.leave());
        }
        let _ = crossterm::terminal::disable_raw_mode();
        if let Some(modes) = &held.lent {
            let _ = tcsetattr(&held.tty, OptionalActions::Now, modes);
        }
        held.redirection.end();
    }
}

/// Install a hook such that a panic in the screen's own thread restores the terminal before its
/// message is printed. The message of a panic in any other thread goes to the log panel, like all
/// other output.
fn install_panic_hook() {
    PANIC_HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let own = HELD.try_lock().is_ok_and(|held| {
                held.as_ref()
                    .is_some_and(|held| held.thread == std::thread::current().id())
            });
            if own {
                give_back();
            }
            previous(panic);
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    /// Not an independent test: it runs in the terminal that the test below creates for it.
    #[test]
    #[ignore = "run by a_panic_restores_the_terminal_before_its_message, in a terminal"]
    fn panics_while_it_holds_the_terminal() {
        let terminal = Terminal::of_stdout().expect("a terminal");
        let (pipe, _lines) = super::super::capture::line_pipe().expect("a pipe");
        let extras = Extras {
            mouse: true,
            title: true,
        };
        let _guard = Guard::enter(&terminal, pipe, extras).expect("the terminal can be taken");
        eprintln!("a stray line");
        panic!("something broke");
    }

    #[test]
    fn a_panic_restores_the_terminal_before_its_message() {
        let size = PtySize {
            rows: 24,
            cols: 80,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let modes = |pair: &portable_pty::PtyPair| format!("{:?}", pair.master.get_termios());
        let before = modes(&pair);
        let mut command =
            CommandBuilder::new(std::env::current_exe().expect("this test binary has a path"));
        let name = "tui::terminal::tests::panics_while_it_holds_the_terminal";
        command.args([
            name,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        let mut child = pair
            .slave
            .spawn_command(command)
            .expect("the test binary starts");
        let mut reader = pair
            .master
            .try_clone_reader()
            .expect("its output can be read");
        let reading = std::thread::spawn(move || {
            let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&all).contains("test result") {
                match reader.read(&mut bytes) {
                    Ok(length @ 1..) => all.extend_from_slice(&bytes[..length]),
                    _ => break,
                }
            }
            String::from_utf8_lossy(&all).into_owned()
        });
        assert!(!child.wait().expect("it can be waited for").success());
        let output = reading.join().expect("reading does not panic");
        assert_eq!(modes(&pair), before);
        let left = output
            .find("\x1b[?1049l")
            .expect("the alternate screen is left");
        let message = output
            .find("something broke")
            .expect("the message is printed");
        assert!(left < message, "{output:?}");
        for restored in [MOUSE_OFF, RESTORE_TITLE] {
            let restored = std::str::from_utf8(restored).unwrap();
            let at = output
                .find(restored)
                .expect("mouse and title are given back");
            assert!(at < message, "{output:?}");
        }
        assert!(!output.contains("a stray line"), "{output:?}");
    }
}
