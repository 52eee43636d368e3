//! Structural operators, each in one pass over the trace.
//!
//! Only spans with a place take part: what hangs on no root is related to nothing, and isn't unrelated either.

use super::spanset::union;
use crate::ast::SpansetOp;
use crate::trace::Tree;

/// The spans that a structural operator chooses, rising: of the right side those that have a partner on the left side (or none), and
/// of the left side as well those that are such a partner for a union.
pub(super) fn related(op: SpansetOp, tree: &Tree, left: &[usize], right: &[usize]) -> Vec<usize> {
    let (relation, reverse) = relation(op);
    let partners = relation.reached(tree, left);
    let has = |span: &&usize| tree.place(**span).is_placed() && partners[**span] != op.is_negated();
    let of_right: Vec<usize> = right.iter().filter(has).copied().collect();
    let is_union = matches!(
        op,
        SpansetOp::UnionChild
            | SpansetOp::UnionDescendant
            | SpansetOp::UnionParent
            | SpansetOp::UnionAncestor
            | SpansetOp::UnionSibling
    );
    if !is_union {
        return of_right;
    }
    let partners = reverse.reached(tree, right);
    union([left.iter().filter(|span| partners[**span]).copied().collect(), of_right])
}

/// How the right side stands to the left, and the left to the right.
const fn relation(op: SpansetOp) -> (Relation, Relation) {
    match op {
        SpansetOp::Child | SpansetOp::NotChild | SpansetOp::UnionChild => (Relation::Child, Relation::Parent),
        SpansetOp::Parent | SpansetOp::NotParent | SpansetOp::UnionParent => (Relation::Parent, Relation::Child),
        SpansetOp::Descendant | SpansetOp::NotDescendant | SpansetOp::UnionDescendant => {
            (Relation::Descendant, Relation::Ancestor)
        }
        SpansetOp::Ancestor | SpansetOp::NotAncestor | SpansetOp::UnionAncestor => (Relation::Ancestor, Relation::Descendant),
        _ => (Relation::Sibling, Relation::Sibling),
    }
}

#[derive(Clone, Copy)]
enum Relation {
    Child,
    Parent,
    Descendant,
    Ancestor,
    Sibling,
}

impl Relation {
    /// By index, which spans with a place stand so to any of `from`.
    fn reached(self, tree: &Tree, from: &[usize]) -> Vec<bool> {
        let preorder = tree.preorder();
        let mut given = vec![false; tree.len()];
        from.iter().filter(|span| tree.place(**span).is_placed()).for_each(|span| given[*span] = true);
        let mut reached = vec![false; tree.len()];
        match self {
            Self::Child => preorder.iter().for_each(|span| reached[*span] = parent(tree, *span).is_some_and(|up| given[up])),
            Self::Parent => {
                preorder
                    .iter()
                    .filter(|span| given[**span])
                    .filter_map(|span| parent(tree, *span))
                    .for_each(|up| reached[up] = true);
            }
            // A parent opens before its children, so that what holds of it is known.
            Self::Descendant => {
                preorder.iter().for_each(|span| reached[*span] = parent(tree, *span).is_some_and(|up| given[up] || reached[up]))
            }
            Self::Ancestor => {
                preorder.iter().rev().filter_map(|span| Some((*span, parent(tree, *span)?))).for_each(|(span, up)| {
                    reached[up] |= given[span] || reached[span];
                })
            }
            Self::Sibling => siblings(tree, &given, &mut reached),
        }
        reached
    }
}

fn parent(tree: &Tree, span: usize) -> Option<usize> {
    tree.place(span).parent
}

/// Roots have no siblings, and no span is its own.
fn siblings(tree: &Tree, given: &[bool], reached: &mut [bool]) {
    let mut below = vec![0_usize; given.len()];
    let with_parent = || tree.preorder().iter().filter_map(|span| Some((*span, parent(tree, *span)?)));
    with_parent().for_each(|(span, up)| below[up] += usize::from(given[span]));
    with_parent().for_each(|(span, up)| reached[span] = below[up] > usize::from(given[span]));
}
