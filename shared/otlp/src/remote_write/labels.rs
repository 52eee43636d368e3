//! The labels of a series or an exemplar.

use super::wire::{Field, Fields, WireError};
use crate::Limits;
use crate::check::{Cause, SCALAR_BYTES};

/// Where a message has its texts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Texts<'a> {
    /// Where they are used.
    Inline,
    /// In one list that the others refer to.
    Symbols(&'a [&'a [u8]]),
}

impl<'a> Texts<'a> {
    /// The text that a reference means.
    pub(super) fn text(&self, reference: u64) -> Result<&'a str, Cause> {
        let Self::Symbols(symbols) = self else { return Ok("") };
        let found = usize::try_from(reference).ok().and_then(|at| symbols.get(at));
        utf8(found.ok_or(Cause::Symbol { reference, symbols: symbols.len() })?)
    }
}

/// Labels as they are found, within a bound.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    inline: Vec<(&'a [u8], &'a [u8])>,
    references: Vec<u64>,
    bytes: usize,
    limit: usize,
}

impl<'a> Labels<'a> {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { inline: Vec::new(), references: Vec::new(), bytes: 0, limit: limits.record_bytes }
    }

    /// Reads a field of labels: a label, or references.
    pub(super) fn add(&mut self, field: &Field<'a>, texts: Texts<'a>) -> Result<(), WireError> {
        match texts {
            Texts::Inline => {
                let (mut name, mut value) = (&[][..], &[][..]);
                for field in Fields::of("Label", field.bytes()?) {
                    let field = field?;
                    match field.number {
                        1 => name = field.bytes()?,
                        2 => value = field.bytes()?,
                        _ => {}
                    }
                }
                if self.has_room(name.len() + value.len()) {
                    self.inline.push((name, value));
                }
                Ok(())
            }
            Texts::Symbols(_) => field.each_uint(|reference| {
                if self.has_room(0) {
                    self.references.push(reference);
                }
            }),
        }
    }

    /// Takes what one more costs. What goes over the bound isn't kept, and refuses the whole.
    fn has_room(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(SCALAR_BYTES + bytes);
        self.bytes <= self.limit
    }

    /// Names and values, by name. Labels without a value are none.
    pub(super) fn finish(self, texts: Texts<'a>) -> Result<Vec<(&'a str, &'a str)>, Cause> {
        let Self { inline, references, bytes, limit } = self;
        if bytes > limit {
            return Err(Cause::TooLarge { bytes, limit });
        }
        if references.len() % 2 != 0 {
            return Err(Cause::OddReferences { count: references.len() });
        }
        let mut labels = Vec::with_capacity(inline.len() + references.len() / 2);
        for (name, value) in inline {
            labels.push((utf8(name)?, utf8(value)?));
        }
        for pair in references.chunks_exact(2) {
            labels.push((texts.text(pair[0])?, texts.text(pair[1])?));
        }
        labels.sort_unstable();
        if labels.first().is_some_and(|(name, _)| name.is_empty()) {
            return Err(Cause::EmptyLabelName);
        }
        if let Some(pair) = labels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Cause::RepeatedLabel { name: pair[0].0.chars().take(Cause::SHOWN).collect() });
        }
        labels.retain(|(_, value)| !value.is_empty());
        Ok(labels)
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Cause> {
    std::str::from_utf8(bytes).map_err(|_| Cause::LabelNotUtf8)
}
