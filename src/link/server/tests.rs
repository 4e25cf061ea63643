use std::io::{Read, Write};
use std::time::Instant;

use super::super::sample::SampleRun;
use super::*;
use crate::event::{Event, Level};
use crate::link::Command;

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
    messages::send(client.get_mut(), &ToServer::Hello(hello)).unwrap();
    client
}

/// A connection that has not sent its greeting.
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
fn a_client_is_told_how_far_the_journal_is_written_and_of_the_end() {
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
        "a client that comes at the end is told too"
    );
    assert_eq!(hear(&mut late), Some(ToClient::Ended(true)));
}

#[test]
fn only_commands_of_a_client_that_does_not_just_watch_reach_the_search() {
    let (mut run, server) = serve();
    let mut watcher = greeted(&server, true);
    messages::send(watcher.get_mut(), &ToServer::Command(Command::Stop)).unwrap();
    while !matches!(hear(&mut watcher), Some(ToClient::Refused(reason)) if reason.contains("only watches"))
    {
    }
    let mut client = greeted(&server, false);
    messages::send(client.get_mut(), &ToServer::Command(Command::Pause)).unwrap();
    assert_eq!(run.inbox.wait(), Some(Command::Pause));
    assert!(run.inbox.poll().is_none());
}

#[test]
fn a_client_is_told_why_its_command_has_no_effect_and_others_are_not() {
    let (mut run, server) = serve();
    let (mut client, mut other) = (greeted(&server, false), greeted(&server, false));
    let skip = ToServer::Command(Command::Skip { child: 9 });
    messages::send(client.get_mut(), &skip).unwrap();
    while run.inbox.poll().is_none_or(|order| {
        order.client.refuse("no child 9".to_owned());
        order.command != Command::Skip { child: 9 }
    }) {
        thread::yield_now();
    }
    let refusal = ToClient::Refused("no child 9".to_owned());
    while hear(&mut client).as_ref() != Some(&refusal) {}
    run.hub.close();
    assert!(std::iter::from_fn(|| hear(&mut other)).all(|message| message != refusal));
}

#[test]
fn a_client_that_sends_without_pause_is_slowed_and_a_stop_of_another_is_heard() {
    let (mut run, server) = serve();
    let mut flood = greeted(&server, false).into_inner();
    let line = b"{\"command\":{\"skip\":{\"child\":1}}}\n";
    flood
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    while flood.write_all(&line.repeat(100)).is_ok() {}
    let mut client = greeted(&server, false);
    messages::send(client.get_mut(), &ToServer::Command(Command::Stop)).unwrap();
    assert!(
        run.hub
            .stop_request()
            .is_requested_within(Duration::from_secs(20))
    );
    assert_eq!(run.inbox.wait(), Some(Command::Stop));
    let begin = Instant::now();
    let mut taken = 0.0;
    while begin.elapsed() < Duration::from_millis(600) {
        taken += f64::from(u8::from(run.inbox.poll().is_some()));
    }
    let most = HEAD_START.as_secs_f64() + 2.0 + begin.elapsed().as_secs_f64();
    assert!(taken < most / PER_COMMAND.as_secs_f64(), "{taken} commands");
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
    // Closing a socket with unread bytes causes an error at the other end.
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
    messages::send(newer.get_mut(), &ToServer::Hello(hello)).unwrap();
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
fn a_client_that_never_reads_delays_no_one_and_is_dropped() {
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
    // Its threads give up once their patience has run out: it no longer delays the hub.
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
fn of_70_clients_64_are_served_and_the_others_are_told_why_not() {
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
fn the_socket_disappears_with_the_server() {
    let (run, server) = serve();
    let path = server.path().to_owned();
    assert!(path.exists());
    drop(server);
    assert!(!path.exists() && run.folder.path().exists());
}
