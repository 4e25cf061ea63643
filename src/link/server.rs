//! The socket of a search: every client gets the news, and may send commands. A thread or two per
//! client, none of which the search waits for.

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::hub::{Hub, Listener, News};
use super::protocol::{self, ClientHello, PROTOCOL, ServerHello, ToClient, ToServer, VERSION};
use super::{Command, peer, place};

/// Clients at one time; one more is refused with words.
const MOST_CLIENTS: usize = 64;
/// A client must have said who it is within this time.
const GREETING: Duration = Duration::from_secs(5);
/// A client that does not take a message for this long is dropped. It can connect again and misses
/// nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves a search's socket while it lives.
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
    /// Where no socket can be made. The search can do without: its journal can still be watched.
    pub fn start(hub: Hub) -> io::Result<Server> {
        let (listener, path) = place::bind(hub.run())?;
        let accepting = listener.try_clone()?;
        thread::Builder::new()
            .name("nas-server".to_owned())
            .spawn(move || accept(&accepting, &hub))?;
        Ok(Server { listener, path })
    }

    /// The socket's file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        // Wakes the thread that waits in accept.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

fn accept(listener: &UnixListener, hub: &Hub) {
    let clients = Arc::new(AtomicUsize::new(0));
    loop {
        match listener.accept() {
            Ok((stream, _)) => admit(stream, hub, &clients),
            // Shut down: the search is over.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            // Out of descriptors, say: that may pass.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Counts a client for as long as it lives.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn admit(stream: UnixStream, hub: &Hub, clients: &Arc<AtomicUsize>) {
    if !peer::is_trusted(&stream) {
        return;
    }
    let taken = clients.fetch_add(1, Ordering::Relaxed);
    let place = Place(clients.clone());
    let hub = hub.clone();
    let serve = move || {
        let _place = place;
        // Whatever goes wrong with a client ends that client.
        let _ = if taken < MOST_CLIENTS {
            serve(stream, &hub)
        } else {
            refuse(&stream)
        };
    };
    // Without a thread for it the client finds its connection closed, and tries again.
    let _ = thread::Builder::new()
        .name("nas-client".to_owned())
        .spawn(serve);
}

fn refuse(stream: &UnixStream) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let message = format!("{MOST_CLIENTS} screens watch this run already: close one of them");
    protocol::send(&mut &*stream, &ToClient::Refused(message))
}

fn serve(stream: UnixStream, hub: &Hub) -> io::Result<()> {
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
    };
    protocol::send(&mut &stream, &ToClient::Hello(hello))?;
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
        return protocol::send(
            &mut &stream,
            &ToClient::Refused(format!("this client {reason}")),
        );
    }
    stream.set_read_timeout(None)?;
    let output = Output(Arc::new(Mutex::new(stream)));
    let (gone, mut client_gone) = oneshot::channel::<()>();
    let commands = (!watch).then(|| hub.commands());
    let replies = output.clone();
    thread::Builder::new()
        .name("nas-commands".to_owned())
        .spawn(move || {
            let _gone = gone;
            take_commands(&mut input, commands.as_ref(), &replies);
        })?;
    let told = tell(hub.listen()?, &output, &mut client_gone);
    // Ends the other thread too.
    let _ = output.lock().shutdown(Shutdown::Both);
    told
}

/// The way to a client, for both of its threads.
#[derive(Clone)]
struct Output(Arc<Mutex<UnixStream>>);

impl Output {
    fn lock(&self) -> std::sync::MutexGuard<'_, UnixStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, message: &ToClient) -> io::Result<()> {
        protocol::send(&mut *self.lock(), message)
    }
}

/// Tell a client the news until it goes, takes too long, or the search ends.
fn tell(
    mut listener: Listener,
    output: &Output,
    gone: &mut oneshot::Receiver<()>,
) -> io::Result<()> {
    while let Some(news) = listener.next(async { drop((&mut *gone).await) }) {
        match news {
            News::Written(seq) => output.send(&ToClient::Written(seq))?,
            News::Tick(record) => output.send(&ToClient::Tick(Box::new((*record).clone())))?,
            News::Ended(seq) => {
                output.send(&ToClient::Written(seq))?;
                return output.send(&ToClient::Ended(true));
            }
        }
    }
    Ok(())
}

/// Hand a client's commands on until it goes or cannot be understood; none of a client that only
/// watches.
fn take_commands(
    input: &mut BufReader<UnixStream>,
    commands: Option<&UnboundedSender<Command>>,
    output: &Output,
) {
    while let Ok(Some(ToServer::Command(command))) = protocol::receive(input) {
        match commands {
            // A search that is over hears nothing; the client is told of the end.
            Some(commands) => drop(commands.send(command)),
            None => {
                let refusal = ToClient::Refused(
                    "this client only watches (--watch): its commands are not obeyed".to_owned(),
                );
                if output.send(&refusal).is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Instant;

    use super::super::sample::SampleRun;
    use super::*;
    use crate::event::{Event, Level};

    /// A run that is served.
    fn serve() -> (SampleRun, Server) {
        let run = SampleRun::new();
        let server = Server::start(run.hub.clone()).unwrap();
        (run, server)
    }

    /// A connection after both greetings.
    fn greeted(server: &Server, watch: bool) -> BufReader<UnixStream> {
        let mut client = stranger(server);
        let hello = ClientHello {
            protocol: PROTOCOL.into(),
            version: VERSION,
            watch,
        };
        assert!(
            matches!(hear(&mut client), Some(ToClient::Hello(hello)) if hello.pid == std::process::id())
        );
        protocol::send(client.get_mut(), &ToServer::Hello(hello)).unwrap();
        client
    }

    /// A connection that has said nothing.
    fn stranger(server: &Server) -> BufReader<UnixStream> {
        let stream = UnixStream::connect(server.path()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        BufReader::new(stream)
    }

    fn hear(client: &mut BufReader<UnixStream>) -> Option<ToClient> {
        protocol::receive(client).unwrap()
    }

    #[test]
    fn a_client_hears_how_far_the_journal_is_written_and_the_end() {
        let (mut run, server) = serve();
        let mut client = greeted(&server, false);
        assert_eq!(hear(&mut client), Some(ToClient::Written(0)));
        run.tell("one");
        assert_eq!(hear(&mut client), Some(ToClient::Written(1)));
        run.hub.close();
        assert_eq!(hear(&mut client), Some(ToClient::Written(1)));
        assert_eq!(hear(&mut client), Some(ToClient::Ended(true)));
        assert_eq!(hear(&mut client), None);
        let mut late = greeted(&server, false);
        assert_eq!(
            hear(&mut late),
            Some(ToClient::Written(1)),
            "whoever comes at the end hears it too"
        );
        assert_eq!(hear(&mut late), Some(ToClient::Ended(true)));
    }

    #[test]
    fn commands_reach_the_search_but_not_those_of_a_client_that_only_watches() {
        let (mut run, server) = serve();
        let mut watcher = greeted(&server, true);
        protocol::send(watcher.get_mut(), &ToServer::Command(Command::Stop)).unwrap();
        while !matches!(hear(&mut watcher), Some(ToClient::Refused(reason)) if reason.contains("only watches"))
        {
        }
        let mut client = greeted(&server, false);
        protocol::send(client.get_mut(), &ToServer::Command(Command::Pause)).unwrap();
        assert_eq!(run.inbox.blocking_recv(), Some(Command::Pause));
        assert!(run.inbox.try_recv().is_err());
    }

    #[test]
    fn garbage_another_protocol_and_another_version_are_refused() {
        let (_run, server) = serve();
        let mut client = stranger(&server);
        assert!(matches!(hear(&mut client), Some(ToClient::Hello(_))));
        client
            .get_mut()
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .unwrap();
        // Closed with bytes unread, a socket says so by an error.
        assert!(
            !matches!(protocol::receive::<ToClient>(&mut client), Ok(Some(_))),
            "garbage is answered"
        );
        let mut newer = stranger(&server);
        hear(&mut newer);
        let hello = ClientHello {
            protocol: PROTOCOL.into(),
            version: 2,
            watch: false,
        };
        protocol::send(newer.get_mut(), &ToServer::Hello(hello)).unwrap();
        assert!(
            matches!(hear(&mut newer), Some(ToClient::Refused(reason)) if reason.contains("version 2"))
        );
        let mut client = greeted(&server, false);
        assert_eq!(
            hear(&mut client),
            Some(ToClient::Written(0)),
            "others are not disturbed"
        );
    }

    #[test]
    fn a_client_that_never_reads_delays_nobody_and_is_dropped() {
        let (mut run, server) = serve();
        let lazy = greeted(&server, false);
        let mut eager = greeted(&server, false);
        let begin = Instant::now();
        let tick = |text: String| Event::Notice {
            level: Level::Info,
            message: text,
        };
        let long = "x".repeat(10_000);
        for _ in 0..500 {
            let record = crate::event::Record {
                v: 1,
                seq: None,
                time: jiff::Timestamp::now(),
                event: tick(long.clone()),
            };
            run.hub.publish(&Arc::new(record));
        }
        assert!(
            begin.elapsed() < Duration::from_secs(2),
            "{:?}",
            begin.elapsed()
        );
        run.tell("still here");
        while hear(&mut eager) != Some(ToClient::Written(1)) {}
        // Its threads give up once their patience has ended: nothing of it is left in the hub's
        // way.
        let mut rest = Vec::new();
        let mut lazy = lazy;
        let again = Instant::now();
        while again.elapsed() < Duration::from_secs(4) {
            let record = crate::event::Record {
                v: 1,
                seq: None,
                time: jiff::Timestamp::now(),
                event: tick(long.clone()),
            };
            run.hub.publish(&Arc::new(record));
            thread::sleep(Duration::from_millis(20));
        }
        lazy.get_mut()
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        assert!(
            lazy.read_to_end(&mut rest).is_ok(),
            "the connection was not closed"
        );
    }

    #[test]
    fn of_70_clients_64_are_served_and_the_others_told_why_not() {
        let (_run, server) = serve();
        let served: Vec<_> = (0..MOST_CLIENTS).map(|_| greeted(&server, false)).collect();
        for _ in 0..6 {
            let mut refused = stranger(&server);
            assert!(
                matches!(hear(&mut refused), Some(ToClient::Refused(reason)) if reason.contains("64 screens"))
            );
        }
        drop(served);
        let begin = Instant::now();
        while !matches!(hear(&mut stranger(&server)), Some(ToClient::Hello(_))) {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "places do not become free"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn the_socket_goes_with_the_server() {
        let (run, server) = serve();
        let path = server.path().to_owned();
        assert!(path.exists());
        drop(server);
        assert!(!path.exists() && run.folder.path().exists());
    }
}
