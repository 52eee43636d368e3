//! `ip("…")`: an address, a network or a range, looked for in lines and labels.

use std::net::IpAddr;

use icegate_syntax::Span;

use crate::LogqlError;

/// Addresses from one to another, both of one family, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IpRange {
    is_v4: bool,
    first: u128,
    last: u128,
}

impl IpRange {
    /// Reads `10.0.0.1`, `10.0.0.0/8` or `10.0.0.1-10.0.0.9`.
    pub(crate) fn new(pattern: &str, span: Span) -> Result<Self, LogqlError> {
        Self::read(pattern).ok_or_else(|| {
            let message = format!("invalid ip pattern {pattern:?}, allowed are an address, a network a/bits and a range a-b");
            LogqlError::meaning(message, span)
        })
    }

    fn read(pattern: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().map(number);
        if let Some((first, last)) = pattern.split_once('-') {
            let ((is_v4, first), (same, last)) = (number(first)?, number(last)?);
            return (is_v4 == same && first <= last).then_some(Self { is_v4, first, last });
        }
        let (address, bits) = pattern.split_once('/').map_or((pattern, None), |(address, bits)| (address, Some(bits)));
        let (is_v4, first) = number(address)?;
        let width = if is_v4 { 32 } else { 128 };
        let bits: u32 = bits.map_or(Some(width), |bits| bits.parse().ok())?;
        let hosts = u128::MAX.checked_shr(128 - width.checked_sub(bits)?).unwrap_or(0);
        Some(Self { is_v4, first: first & !hosts, last: first | hosts })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let (is_v4, address) = number(address);
        is_v4 == self.is_v4 && self.first <= address && address <= self.last
    }

    /// Whether the whole text is an address of the range.
    pub(crate) fn is_at(&self, text: &str) -> bool {
        text.parse().is_ok_and(|address| self.holds(address))
    }

    /// Whether an address of the range stands anywhere in a line.
    pub(crate) fn is_in(&self, line: &str) -> bool {
        let separates = |byte: u8| match self.is_v4 {
            true => !(byte.is_ascii_digit() || byte == b'.'),
            false => !(byte.is_ascii_hexdigit() || byte == b':' || byte == b'.'),
        };
        // Bytes that separate are ASCII or parts of longer characters, so each piece is whole text.
        let is_mark = |byte: &u8| *byte == if self.is_v4 { b'.' } else { b':' };
        let pieces =
            line.as_bytes().split(|byte| separates(*byte)).filter(|piece| piece.iter().filter(|byte| is_mark(byte)).count() > 1);
        pieces.filter_map(|piece| std::str::from_utf8(piece).ok()).any(|piece| {
            self.is_at(piece) || self.is_at(piece.trim_matches('.')) || self.is_at(piece.trim_end_matches([':', '.']))
        })
    }
}

/// Whether an address is of version 4, and its number.
fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(u32::from(address))),
        IpAddr::V6(address) => (false, u128::from(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_networks_and_ranges_are_found_in_lines() {
        for (pattern, line, expected) in [
            ("192.168.0.1", "from 192.168.0.1.", true),
            ("192.168.0.1", "from 192.168.0.10", false),
            ("192.168.0.1", "192.168.0.1:8080", true),
            ("10.0.0.0/8", "x=10.255.0.1,", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.5/8", "10.9.9.9", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.4-10.0.0.6", "10.0.0.7 10.0.0.5", true),
            ("2001:db8::/32", "peer [2001:db8::7]:80", true),
            ("2001:db8::/32", "peer 2001:db9::7", false),
            ("::1", "at ::1", true),
            ("::1", "é::1: refused", true),
            ("1.2.3.4", "v1.2.3.4.5", false),
        ] {
            assert_eq!(IpRange::read(pattern).unwrap().is_in(line), expected, "{pattern} {line}");
        }
    }

    #[test]
    fn what_is_no_range_is_an_error() {
        for bad in ["10.0.0.300", "10.0.0.0/33", "10.0.0.1 - 10.0.0.2", "10.0.0.2-10.0.0.1", "::1-1.2.3.4", "", "x", "1.2.3.4/"] {
            assert_eq!(IpRange::read(bad), None, "{bad}");
        }
    }
}
