//! Protobuf's wire format, field by field and without copies: nothing is allocated for what a message only promises.

/// Bytes of the longest number.
const MAX_VARINT_BYTES: usize = 10;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They end inside a field.
    #[error("the bytes end inside a field")]
    Truncated,
    /// A number is too long.
    #[error("a number has more than 64 bits")]
    Varint,
    /// A field has a number or a wire type that none can have.
    #[error("{key} is no key of a field")]
    Key {
        /// The field's number and wire type, as they are written.
        key: u64,
    },
    /// A field of the message has a value of another type.
    #[error("field {field} of {message} has another type")]
    Field {
        /// The message.
        message: &'static str,
        /// The field's number.
        field: u32,
    },
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    message: &'static str,
    pub(super) number: u32,
    value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order in which they were written. Ends after the first error.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'static str, bytes: &'a [u8]) -> Self {
        Self { message, rest: bytes }
    }

    fn field(&mut self) -> Result<Field<'a>, WireError> {
        let key = varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0).ok_or(WireError::Key { key })?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(fixed(&mut self.rest)?)),
            2 => {
                let length = usize::try_from(varint(&mut self.rest)?).map_err(|_| WireError::Truncated)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => {
                fixed::<4>(&mut self.rest)?;
                Value::Fixed32
            }
            _ => return Err(WireError::Key { key }),
        };
        Ok(Field { message: self.message, number, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Field<'a> {
    const fn wrong(&self) -> WireError {
        WireError::Field { message: self.message, field: self.number }
    }

    /// Of a text, of bytes or of a message inside.
    pub(super) fn bytes(&self) -> Result<&'a [u8], WireError> {
        if let Value::Bytes(bytes) = self.value { Ok(bytes) } else { Err(self.wrong()) }
    }

    pub(super) fn uint(&self) -> Result<u64, WireError> {
        if let Value::Varint(number) = self.value { Ok(number) } else { Err(self.wrong()) }
    }

    pub(super) fn int(&self) -> Result<i64, WireError> {
        self.uint().map(u64::cast_signed)
    }

    /// Of a number whose sign is its last bit.
    pub(super) fn sint(&self) -> Result<i64, WireError> {
        self.uint().map(zigzag)
    }

    /// All bits are kept, also those of numbers that are none.
    pub(super) fn double(&self) -> Result<f64, WireError> {
        if let Value::Fixed64(bits) = self.value { Ok(f64::from_bits(bits)) } else { Err(self.wrong()) }
    }

    /// The numbers of a list, packed or one of them.
    pub(super) fn each_uint(&self, mut put: impl FnMut(u64)) -> Result<(), WireError> {
        let mut rest = match self.value {
            Value::Bytes(bytes) => bytes,
            _ => return self.uint().map(put),
        };
        while !rest.is_empty() {
            put(varint(&mut rest)?);
        }
        Ok(())
    }

    /// The same for numbers whose sign is their last bit.
    pub(super) fn each_sint(&self, mut put: impl FnMut(i64)) -> Result<(), WireError> {
        self.each_uint(|number| put(zigzag(number)))
    }

    /// The doubles of a list, packed or one of them.
    pub(super) fn each_double(&self, mut put: impl FnMut(f64)) -> Result<(), WireError> {
        let mut rest = match self.value {
            Value::Bytes(bytes) => bytes,
            _ => return self.double().map(put),
        };
        while !rest.is_empty() {
            put(f64::from_le_bytes(fixed(&mut rest)?));
        }
        Ok(())
    }
}

const fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut number = 0;
    for (at, byte) in rest.iter().take(MAX_VARINT_BYTES).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            // Of the last byte, one bit is left for 64 of them.
            let is_too_long = at + 1 == MAX_VARINT_BYTES && *byte > 1;
            *rest = rest.get(at + 1..).unwrap_or_default();
            return if is_too_long { Err(WireError::Varint) } else { Ok(number) };
        }
    }
    Err(if rest.len() < MAX_VARINT_BYTES { WireError::Truncated } else { WireError::Varint })
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], WireError> {
    let (bytes, left) = rest.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
    *rest = left;
    Ok(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Result<Field<'_>, WireError> {
        Fields::of("M", bytes).next().unwrap()
    }

    #[test]
    fn fields_are_read_as_the_wire_format_writes_them() {
        // The documentation's own examples: 150 as field 1, "testing" as field 2; zigzag of -2 is 3.
        assert_eq!(first(&[0x08, 0x96, 0x01]).unwrap().uint(), Ok(150));
        assert_eq!(first(b"\x12\x07testing").unwrap().bytes(), Ok(&b"testing"[..]));
        assert_eq!(first(&[0x08, 0x03]).unwrap().sint(), Ok(-2));
        assert_eq!(first(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).unwrap().int(), Ok(-1));
        assert_eq!(first(&[0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]).unwrap().double(), Ok(1.0));
        let mut packed = Vec::new();
        first(&[0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]).unwrap().each_uint(|number| packed.push(number)).unwrap();
        assert_eq!(packed, [3, 270, 86_942]);
        assert_eq!(Fields::of("M", &[0x08, 1, 0x0d, 1, 2, 3, 4, 0x10, 2]).flatten().map(|field| field.number).sum::<u32>(), 4);
    }

    #[test]
    fn bytes_that_are_no_message_are_told() {
        for (bytes, error) in [
            (&[0x08][..], WireError::Truncated),
            (&[0x08, 0x80], WireError::Truncated),
            (&[0x12, 0x05, 1], WireError::Truncated),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], WireError::Truncated),
            (&[0x09, 1, 2, 3], WireError::Truncated),
            (&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], WireError::Varint),
            (&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], WireError::Varint),
            (&[0x00, 1], WireError::Key { key: 0 }),
            (&[0x0b], WireError::Key { key: 11 }),
        ] {
            assert_eq!(first(bytes).unwrap_err(), error, "{bytes:?}");
        }
        assert_eq!(first(&[0x08, 1]).unwrap().bytes(), Err(WireError::Field { message: "M", field: 1 }));
        assert_eq!(first(&[0x0a, 3, 1, 2, 3]).unwrap().each_double(|_| {}), Err(WireError::Truncated));
    }
}
