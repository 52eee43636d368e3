//! Sizes: a decimal number and a unit of 1000 (`KB`) or 1024 (`KiB`).

/// Units, all written exactly so.
const UNITS: [(&str, u64); 12] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
];

/// A size as a query writes it: number and unit, no space, unit in its exact case. `None` where it isn't one.
#[must_use]
pub fn literal(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    scaled(number, scale)
}

/// A size as people write it in log lines: spaces, any case, no unit or just its letter (`12`, `1.5KB`, `3 MiB`, `7k`). `None`
/// where it isn't one.
#[must_use]
pub fn lenient(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len()));
    let unit = unit.trim().to_ascii_lowercase();
    let scale = match unit.as_str() {
        "" | "b" => 1,
        "e" | "eb" => 1_000_000_000_000_000_000,
        "ei" | "eib" => 1 << 60,
        _ => {
            let found = |(name, _): &&(&str, u64)| {
                let name = name.to_ascii_lowercase();
                name == unit || name.len() > 1 && name.strip_suffix('b') == Some(unit.as_str())
            };
            UNITS.iter().find(found)?.1
        }
    };
    scaled(&number.replace(',', ""), scale)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "checked to be in range")]
fn scaled(number: &str, scale: u64) -> Option<u64> {
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale);
    }
    let size = number.parse::<f64>().ok()? * scale as f64;
    (number.bytes().any(|byte| byte.is_ascii_digit()) && size < u64::MAX as f64).then_some(size as u64)
}

/// Writes a size with the largest decimal unit that divides it.
#[must_use]
pub fn print(size: u64) -> String {
    let decimal =
        |(name, scale): &&(&str, u64)| *name != "kB" && !name.contains('i') && size.is_multiple_of(*scale) && size >= *scale;
    match UNITS.iter().rev().find(decimal) {
        Some((name, scale)) => format!("{}{name}", size / scale),
        None => format!("{size}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_need_the_exact_unit() {
        assert_eq!(literal("1KB"), Some(1_000));
        assert_eq!(literal("1.5KiB"), Some(1_536));
        assert_eq!(literal("1PiB"), Some(1 << 50));
        for bad in ["1kb", "1EB", "1", "KB", "1 KB", "1KBx"] {
            assert_eq!(literal(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_in_lines_are_read_leniently() {
        for (text, size) in [("12", 12), ("1.5KB", 1_500), ("3 MiB", 3 << 20), ("7k", 7_000), ("1,024 b", 1_024)] {
            assert_eq!(lenient(text), Some(size), "{text}");
        }
        for bad in ["", "x", "-1", "1 XB", ".", "99999999999EB"] {
            assert_eq!(lenient(bad), None, "{bad}");
        }
    }

    #[test]
    fn printed_sizes_read_back_equal() {
        for size in [0, 1, 999, 1_000, 1_500, 3 << 20, 10_000_000, u64::MAX] {
            assert_eq!(literal(&print(size)), Some(size));
        }
    }
}
