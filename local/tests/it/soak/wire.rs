use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way over TCP to a server that comes back on other ports; it counts what passes, breaks and swallows replies when told to.
pub(super) struct Wire {
    pub(super) port: u16,
    shared: Arc<Shared>,
}

/// What has passed. With HTTP/2 a frame of the protocol's own may count as a request or reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    /// Requests of which the first bytes went to the server.
    pub(super) requests: u64,
    /// Replies of which the first bytes came back.
    pub(super) replies: u64,
    /// Replies that came and were not handed on.
    pub(super) swallowed: u64,
}

struct Shared {
    server: AtomicU16,
    to_swallow: AtomicU64,
    passed: watch::Sender<Passed>,
    cuts: watch::Sender<u64>,
}

impl Wire {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            server: AtomicU16::new(0),
            to_swallow: AtomicU64::new(0),
            passed: watch::Sender::default(),
            cuts: watch::Sender::default(),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, Arc::clone(&accepting)));
            }
        });
        Self { port, shared }
    }

    /// New connections go to this port; 0 refuses them.
    pub(super) fn lead_to(&self, port: u16) {
        self.shared.server.store(port, Ordering::SeqCst);
    }

    /// Ends all connections, whatever is under way on them.
    pub(super) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// The next so many replies are dropped, each with its connection: the server did the work and the client never learns it.
    pub(super) fn swallow(&self, replies: u64) {
        self.shared.to_swallow.fetch_add(replies, Ordering::SeqCst);
    }

    pub(super) fn passed(&self) -> watch::Receiver<Passed> {
        self.shared.passed.subscribe()
    }
}

impl Shared {
    fn swallows(&self) -> bool {
        self.to_swallow.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

async fn relay(client: TcpStream, shared: Arc<Shared>) {
    const BUFFER: usize = 64 << 10;
    let mut cuts = shared.cuts.subscribe();
    let port = shared.server.load(Ordering::SeqCst);
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    let (mut request, mut reply) = (vec![0; BUFFER], vec![0; BUFFER]);
    let mut is_asked = false;
    loop {
        tokio::select! {
            _ = cuts.changed() => return,
            read = from_client.read(&mut request) => {
                let Ok(size @ 1..) = read else { return };
                if !is_asked {
                    is_asked = true;
                    shared.passed.send_modify(|passed| passed.requests += 1);
                }
                if to_server.write_all(&request[..size]).await.is_err() {
                    return;
                }
            }
            read = from_server.read(&mut reply) => {
                let Ok(size @ 1..) = read else { return };
                if is_asked {
                    is_asked = false;
                    if shared.swallows() {
                        shared.passed.send_modify(|passed| passed.swallowed += 1);
                        return;
                    }
                    shared.passed.send_modify(|passed| passed.replies += 1);
                }
                if to_client.write_all(&reply[..size]).await.is_err() {
                    return;
                }
            }
        }
    }
}
