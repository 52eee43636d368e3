use std::fmt;

use icegate_syntax::number;

use super::Histogram;

/// Count, sum and the buckets with observations.
impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", number::print(self.count), number::print(self.sum))?;
        for range in self.ranges() {
            let (open, close) = if range.is_zero {
                ('[', ']')
            } else if range.is_negative {
                ('[', ')')
            } else {
                ('(', ']')
            };
            let print = number::print;
            write!(f, ", {open}{},{}{close}:{}", print(range.lower), print(range.upper), print(range.count))?;
        }
        f.write_str("}")
    }
}
