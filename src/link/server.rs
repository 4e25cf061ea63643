//! The socket of a run: every client gets the news and may send commands. Each client has one or
//! two threads, which the run never waits for.

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::hub::{Hub, HubNews, Listener};
use super::protocol::{self, ClientHello, PROTOCOL, ServerHello, ToClient, ToServer, VERSION};
use super::{CommandSender, peer, place};
use crate::foundation::messages::{self, SharedOutput};
use crate::foundation::thread::spawn;

/// Maximum number of simultaneous clients; further ones are refused with an explanation.
const MOST_CLIENTS: usize = 64;
/// Time limit for a client's greeting.
const GREETING: Duration = Duration::from_secs(5);
/// A client that does not read a message for this long is dropped. It can connect again without
/// missing anything.
const PATIENCE: Duration = Duration::from_secs(2);
/// Minimum mean time between the commands of one client: many times what a user's keys need.
const PER_COMMAND: Duration = Duration::from_millis(20);
/// A client may be this far ahead of that mean; then its commands wait in its socket.
const HEAD_START: Duration = Duration::from_secs(1);

/// Serves a run's socket as long as it exists.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Server {
    /// Serve the search behind `hub` under the name of its run directory. The caller holds the
    /// run's lock.
    ///
    /// # Errors
    /// If no socket can be created. The search can continue without one: its journal can still be
    /// watched.
    pub fn start(hub: Hub) -> io::Result<Server> {
        let (listener, path) = place::bind(hub.run())?;
        let accepting = listener.try_clone()?;
        spawn("nas-server", move || accept(&accepting, &hub))?;
        Ok(Server { listener, path })
    }

    /// Remove the socket that a killed process has left. The caller holds the run's lock, and serves no socket.
    pub fn remove_left_behind(run: &Path) {
        for path in place::candidates(run) {
            // Without one there is nothing to remove; any other error leaves a file that does no harm.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The socket's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        // Wakes the thread that is blocked in accept.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

fn accept(listener: &UnixListener, hub: &Hub) {
    let clients = Arc::new(AtomicUsize::new(0));
    loop {
        match listener.accept() {
            Ok((stream, _)) => admit(stream, hub, &clients),
            // Shut down: the search has ended.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            // For example out of descriptors, which may be temporary.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// A client that counts towards the maximum while this value exists.
struct CountedClient(Arc<AtomicUsize>);

impl Drop for CountedClient {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn admit(stream: UnixStream, hub: &Hub, clients: &Arc<AtomicUsize>) {
    if !peer::is_trusted(&stream) {
        return;
    }
    let taken = clients.fetch_add(1, Ordering::Relaxed);
    let counted = Arc::new(CountedClient(clients.clone()));
    let hub = hub.clone();
    let serve = move || {
        // Any error with a client ends only that client.
        let _ = if taken < MOST_CLIENTS {
            serve(stream, &hub, &counted)
        } else {
            refuse(&stream)
        };
    };
    // If no thread can be started, the client finds its connection closed and tries again.
    let _ = spawn("nas-client", serve);
}

fn refuse(stream: &UnixStream) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let message =
        format!("{MOST_CLIENTS} screens are already watching this run: close one of them");
    messages::send(&mut &*stream, &ToClient::Refused(message))
}

fn serve(stream: UnixStream, hub: &Hub, counted: &Arc<CountedClient>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(GREETING))?;
    let run = hub
        .run()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let host = crate::foundation::host::host_name();
    let hello = ServerHello {
        protocol: PROTOCOL.to_owned(),
        version: VERSION,
        pid: std::process::id(),
        host,
        run,
        blocked: hub.blocked(),
    };
    messages::send(&mut &stream, &ToClient::Hello(hello))?;
    let mut input = BufReader::new(stream.try_clone()?);
    let Some(ToServer::Hello(ClientHello {
        protocol,
        version,
        watch,
    })) = protocol::receive(&mut input)?
    else {
        return Ok(());
    };
    if let Err(reason) = protocol::check_greeting(&protocol, version) {
        return messages::send(
            &mut &stream,
            &ToClient::Refused(format!("this client {reason}")),
        );
    }
    stream.set_read_timeout(None)?;
    let output = ToClientPipe::new(stream);
    let (gone, mut client_gone) = oneshot::channel::<()>();
    let (listener, commands) = hub.listen()?;
    let commands = (!watch).then_some(commands);
    let replies = output.clone();
    // Its last command may wait longer than the client does.
    let counted = counted.clone();
    spawn("nas-commands", move || {
        let _both = (gone, counted);
        take_commands(&mut input, commands.as_ref(), &replies);
    })?;
    let told = tell(listener, &output, &mut client_gone);
    // This also ends the other thread.
    let _ = output.lock().shutdown(Shutdown::Both);
    told
}

/// The connection to a client, shared by both of its threads.
type ToClientPipe = SharedOutput<UnixStream>;

/// Send a client the news until it goes, is too slow, or the search ends.
fn tell(
    mut listener: Listener,
    output: &ToClientPipe,
    gone: &mut oneshot::Receiver<()>,
) -> io::Result<()> {
    while let Some(news) = listener.next(async { drop((&mut *gone).await) }) {
        match news {
            HubNews::Written(seq, blocked) => {
                output.send(&ToClient::Written(seq))?;
                if let Some(tick) = blocked {
                    output.send(&ToClient::Tick(Box::new((*tick).clone())))?;
                }
            }
            HubNews::Tick(record) => output.send(&ToClient::Tick(Box::new((*record).clone())))?,
            HubNews::Refused(reason) => output.send(&ToClient::Refused(reason))?,
            HubNews::Ended(seq) => {
                output.send(&ToClient::Written(seq))?;
                return output.send(&ToClient::Ended(true));
            }
        }
    }
    Ok(())
}

/// Pass a client's commands on until it goes or sends something invalid, no faster than a run can
/// take them; `None` for a client that only watches.
fn take_commands(
    input: &mut BufReader<UnixStream>,
    commands: Option<&CommandSender>,
    output: &ToClientPipe,
) {
    let mut paid_until = Instant::now();
    while let Ok(Some(ToServer::Command(command))) = protocol::receive(input) {
        let now = Instant::now();
        paid_until = paid_until.max(now) + PER_COMMAND;
        thread::sleep(paid_until.saturating_duration_since(now + HEAD_START));
        match commands {
            // A search that has ended takes no commands; the client is told of the end.
            Some(commands) => commands.send_in_turn(command),
            None => {
                let refusal = ToClient::Refused(
                    "this client only watches (--watch): its commands are ignored".to_owned(),
                );
                if output.send(&refusal).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
