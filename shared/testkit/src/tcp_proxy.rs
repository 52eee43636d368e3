use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// How often threads look whether they should do something else.
const TICK: Duration = Duration::from_millis(5);

/// What a [`TcpProxy`] does with connections, those that are open included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Traffic {
    /// Bytes go both ways.
    Pass,
    /// Nothing listens: connections are refused, open ones are closed.
    Refuse,
    /// Connections are taken and bytes are kept waiting.
    Stall,
    /// The process is told to end.
    End,
}

/// Stands between a client and a server, and breaks what is between them when told to.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    traffic: AtomicU8,
    connections: AtomicUsize,
}

impl State {
    fn is(&self, traffic: Traffic) -> bool {
        self.traffic.load(Ordering::SeqCst) == traffic as u8
    }

    fn closes(&self) -> bool {
        self.is(Traffic::Refuse) || self.is(Traffic::End)
    }
}

impl TcpProxy {
    /// A proxy on a free port of 127.0.0.1 that passes everything on to `server`.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn start(server: SocketAddr) -> Self {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let state = Arc::new(State { traffic: AtomicU8::new(Traffic::Pass as u8), connections: AtomicUsize::new(0) });
        let accepting = Arc::clone(&state);
        std::thread::spawn(move || accept(&accepting, listener, address, server));
        Self { address, state }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// What it does from now on.
    pub fn set(&self, traffic: Traffic) {
        self.state.traffic.store(traffic as u8, Ordering::SeqCst);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.set(Traffic::End);
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let listener = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.unwrap_or_else(|error| panic!("can't listen on {address}: {error}"))
}

fn accept(state: &Arc<State>, listener: TcpListener, address: SocketAddr, server: SocketAddr) {
    let mut listener = Some(listener);
    while !state.is(Traffic::End) {
        if state.is(Traffic::Refuse) {
            listener = None;
        } else if let Ok((client, _)) = listener.get_or_insert_with(|| listen(address)).accept() {
            state.connections.fetch_add(1, Ordering::SeqCst);
            connect(state, client, server);
            continue;
        }
        std::thread::sleep(TICK);
    }
}

fn connect(state: &Arc<State>, client: TcpStream, server: SocketAddr) {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        while state.is(Traffic::Stall) {
            std::thread::sleep(TICK);
        }
        let Ok(server) = TcpStream::connect(server) else { return };
        let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
        let state_too = Arc::clone(&state);
        std::thread::spawn(move || pass(&state_too, &server_too, &client_too));
        pass(&state, &client, &server);
    });
}

/// Bytes of `from` to `to` until either ends or the proxy refuses.
fn pass(state: &State, mut from: &TcpStream, mut to: &TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    let _ = from.set_nonblocking(false);
    let _ = from.set_read_timeout(Some(TICK));
    while !state.closes() {
        if state.is(Traffic::Stall) {
            std::thread::sleep(TICK);
            continue;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                // What was read before a stall waits for its end too.
                while state.is(Traffic::Stall) {
                    std::thread::sleep(TICK);
                }
                if state.closes() || to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    if state.closes() {
        let _ = from.shutdown(Shutdown::Both);
    }
    let _ = to.shutdown(Shutdown::Write);
}
