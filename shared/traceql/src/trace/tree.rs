use std::collections::HashMap;

use super::{Span, SpanId};
use crate::Kind;

/// How the spans of a trace hang together.
///
/// Every span below a root has a place: it opens with a number and closes with a greater one, between which all its descendants
/// lie. Spans whose ancestors never arrived, or that are their own ancestors, have no place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// By index of the span.
    places: Vec<Place>,
    /// Indexes of spans with a place, as they open.
    preorder: Vec<usize>,
}

/// Where one span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index of its parent, wherever both are.
    pub(crate) parent: Option<usize>,
    /// When it opens; 0 without a place.
    pub(crate) left: i64,
    /// When it closes; 0 without a place.
    pub(crate) right: i64,
    /// How many spans name it as their parent.
    pub(crate) children: i64,
}

impl Place {
    /// Whether it hangs on a root.
    pub(crate) const fn is_placed(self) -> bool {
        self.left > 0
    }
}

impl Tree {
    pub(crate) fn of(spans: &[Span]) -> Self {
        let mut places = vec![Place::default(); spans.len()];
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        let parents = Parents::of(spans);
        for (index, span) in spans.iter().enumerate() {
            let parent = parents.of_span(spans, index, span);
            places[index].parent = parent;
            if let Some(parent) = parent {
                children[parent].push(index);
                places[parent].children += 1;
            }
        }
        let roots: Vec<usize> = (0..spans.len()).filter(|index| spans[*index].parent.is_none()).collect();
        let preorder = number(&mut places, &children, &roots);
        Self { places, preorder }
    }

    pub(crate) fn place(&self, span: usize) -> Place {
        self.places.get(span).copied().unwrap_or_default()
    }

    /// How many spans there are, with a place or without.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn preorder(&self) -> &[usize] {
        &self.preorder
    }

    /// Where the parent opens: -1 for a root, 0 without a place.
    pub(crate) fn parent_left(&self, span: usize) -> i64 {
        let place = self.place(span);
        match place.parent {
            _ if !place.is_placed() => 0,
            Some(parent) => self.place(parent).left,
            None => -1,
        }
    }
}

/// Opens and closes spans from the roots down, without recursion.
fn number(places: &mut [Place], children: &[Vec<usize>], roots: &[usize]) -> Vec<usize> {
    let (mut next, mut preorder) = (1, Vec::with_capacity(places.len()));
    for root in roots.iter().copied().filter(|root| children.get(*root).is_some()) {
        let mut open = vec![(root, 0)];
        while let Some((span, child)) = open.last_mut() {
            let (index, at) = (*span, *child);
            if at == 0 {
                places[index].left = next;
                next += 1;
                preorder.push(index);
            }
            *child += 1;
            match children[index].get(at) {
                Some(below) => open.push((*below, 0)),
                None => {
                    places[index].right = next;
                    next += 1;
                    open.pop();
                }
            }
        }
    }
    preorder
}

/// Who is whose parent.
struct Parents {
    by_id: HashMap<SpanId, usize>,
    /// Servers that share the id of the client that called them, as Zipkin has it.
    callers: HashMap<usize, usize>,
}

impl Parents {
    fn of(spans: &[Span]) -> Self {
        let mut by_id: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
        let mut callers = HashMap::new();
        for (index, span) in spans.iter().enumerate() {
            let Some(known) = by_id.insert(span.id, index) else { continue };
            match (spans[known].kind, span.kind) {
                (Kind::Client, Kind::Server) => _ = callers.insert(index, known),
                (Kind::Server, Kind::Client) => {
                    callers.insert(known, index);
                    by_id.insert(span.id, known);
                }
                _ => _ = by_id.insert(span.id, known),
            }
        }
        Self { by_id, callers }
    }

    /// A root has none, even where it shares its id with a client.
    fn of_span(&self, spans: &[Span], index: usize, span: &Span) -> Option<usize> {
        let parent = self.callers.get(&index).copied().or_else(|| self.by_id.get(&span.parent?).copied());
        parent.filter(|parent| span.parent.is_some() && *parent != index && *parent < spans.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u8, parent: u8) -> Span {
        let parent = (parent > 0).then_some(SpanId([parent; 8]));
        Span { id: SpanId([id; 8]), parent, ..Span::default() }
    }

    fn numbers(spans: &[Span]) -> Vec<(i64, i64, i64, i64)> {
        let tree = Tree::of(spans);
        let one = |index| {
            let place = tree.place(index);
            (place.left, place.right, tree.parent_left(index), place.children)
        };
        (0..spans.len()).map(one).collect()
    }

    #[test]
    fn descendants_lie_between_left_and_right() {
        // 1 ─┬─ 2 ── 4
        //    └─ 3           5 is a second root
        let spans = [span(1, 0), span(2, 1), span(4, 2), span(3, 1), span(5, 0)];
        assert_eq!(numbers(&spans), [(1, 8, -1, 2), (2, 5, 1, 1), (3, 4, 2, 0), (6, 7, 1, 0), (9, 10, -1, 0)]);
    }

    #[test]
    fn spans_without_a_root_above_have_no_place_and_know_their_children() {
        // 1 has lost its parent; 3 and 4 are each other's parents; 5 is its own.
        let spans = [span(1, 9), span(2, 1), span(3, 4), span(4, 3), span(5, 5)];
        assert_eq!(numbers(&spans), [(0, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 0)]);
    }

    #[test]
    fn a_server_with_its_clients_id_is_the_clients_child() {
        let mut spans = [span(1, 0), span(2, 1), span(2, 1), span(3, 2)];
        spans[1].kind = Kind::Client;
        spans[2].kind = Kind::Server;
        assert_eq!(numbers(&spans), [(1, 8, -1, 1), (2, 7, 1, 1), (3, 6, 2, 1), (4, 5, 3, 0)]);
        spans.swap(1, 2);
        assert_eq!(numbers(&spans)[1..3], [(3, 6, 2, 1), (2, 7, 1, 1)]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_spans_needs_no_stack() {
        let id = |number: u64| SpanId(number.to_be_bytes());
        let one = |number| Span { id: id(number), parent: (number > 1).then(|| id(number - 1)), ..Span::default() };
        let tree = Tree::of(&(1..=100_000).map(one).collect::<Vec<_>>());
        assert_eq!(tree.place(0).right, 200_000);
        assert_eq!(tree.preorder().len(), 100_000);
    }
}
