use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that systems give to outgoing connections (Linux begins at 32768, others at 49152).
const SERVERS: Range<u32> = 10_000..32_000;

/// Ports of this machine that nothing listens on, for servers that are told their port before they start.
///
/// No call of this process gets a port that another one got, and no outgoing connection takes one before its server does: asking the
/// system for a free port gives one from the very range that connections use.
///
/// # Panics
/// Where every port is taken.
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    std::array::from_fn(|_| free_port())
}

fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test binaries that run at the same time begin at different places.
    let first = std::process::id().wrapping_mul(97);
    SERVERS
        .map(|_| first.wrapping_add(NEXT.fetch_add(1, Ordering::SeqCst)))
        .filter_map(|number| u16::try_from(SERVERS.start + number % (SERVERS.end - SERVERS.start)).ok())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap_or_else(|| panic!("no free port in {SERVERS:?}"))
}
