//! Halves find each other.

use std::collections::HashMap;

use icegate_model::Timestamp;

use crate::ServiceGraphs;
use crate::edge::Edge;
use crate::half::{Half, Side};

type Key = (Side, Vec<u8>, Vec<u8>);

/// The halves of one tenant's account that wait.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    /// In the order in which they came; none where the other half was found.
    waiting: Vec<Option<Half>>,
    places: HashMap<Key, usize>,
}

/// What is left when a pass is over.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Requests whose other side is known by name only.
    pub(crate) edges: Vec<Edge>,
    /// Halves that go on waiting.
    pub(crate) waiting: Vec<Half>,
    /// Halves that waited in vain and tell no edge.
    pub(crate) expired: u64,
    /// Halves that are given up because there are too many.
    pub(crate) dropped: u64,
}

impl Pairing {
    /// Takes a half in: an edge, if the other one is there. Of several halves of one side the first counts, whether the other side is
    /// there or not: a message may be taken by many.
    pub(crate) fn add(&mut self, half: Half) -> Option<Edge> {
        let key = |side| (side, half.trace.clone(), half.span.clone());
        if let Some(other) = self.take(&key(half.side.other())) {
            return Some(match half.side {
                Side::Client => Edge::paired(half, other),
                Side::Server => Edge::paired(other, half),
            });
        }
        let place = self.waiting.len();
        let known = self.places.entry(key(half.side)).or_insert(place);
        if *known == place {
            self.waiting.push(Some(half));
        }
        None
    }

    fn take(&mut self, key: &Key) -> Option<Half> {
        let place = self.places.remove(key)?;
        self.waiting.get_mut(place)?.take()
    }

    /// Ends the pass at `now`. With `expire`, what has waited long enough no longer waits.
    pub(crate) fn finish(self, options: &ServiceGraphs, now: Timestamp, expire: bool) -> Left {
        let mut left = Left::default();
        for half in self.waiting.into_iter().flatten() {
            if expire && half.arrived + options.wait <= now {
                match half.peer.clone().filter(|_| half.side == Side::Client) {
                    Some(peer) => left.edges.push(Edge::to(half, peer)),
                    None => left.expired += 1,
                }
            } else if left.waiting.len() < options.max_items {
                left.waiting.push(half);
            } else {
                left.dropped += 1;
            }
        }
        left
    }
}
