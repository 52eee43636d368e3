use std::fmt;
use std::str::FromStr;

/// Identifies an OTLP request by its content: a 128-bit hash of tenant, account, signal and decoded body.
///
/// The same bytes sent again by the same tenant have the same id, which is how a retry is told from new data (WAL-2).
/// Prints as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);

/// An id that no other process has made: names of segments, files and commits. Prints as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(pub u128);

macro_rules! hex_id {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = hex::FromHexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0_u8; 16];
                hex::decode_to_slice(text, &mut bytes)?;
                Ok(Self(u128::from_be_bytes(bytes)))
            }
        }
    };
}

hex_id!(RequestId);
hex_id!(UniqueId);

/// Makes ids. Handed in, so that a test can repeat a run exactly.
pub trait IdGenerator: Send + Sync + fmt::Debug {
    /// An id that was never given out before, by this or any other process.
    fn unique(&self) -> UniqueId;
}

/// Ids from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    #[allow(clippy::disallowed_methods, reason = "the one place that draws random ids")]
    fn unique(&self) -> UniqueId {
        UniqueId(uuid::Uuid::new_v4().as_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_what_it_prints() {
        let id = RequestId(0x1f);
        assert_eq!(id.to_string(), "0000000000000000000000000000001f");
        assert_eq!(id.to_string().parse::<RequestId>().unwrap(), id);
        assert!("1f".parse::<RequestId>().is_err());
    }
}
