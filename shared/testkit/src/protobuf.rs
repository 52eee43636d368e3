/// Writes messages of protobuf field by field, as the wire format's documentation says: what the code under test reads comes from elsewhere.
///
/// ```
/// use icegate_testkit::Protobuf;
///
/// assert_eq!(Protobuf::new().uint(1, 150).text(2, "testing").bytes(), b"\x08\x96\x01\x12\x07testing");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Protobuf(Vec<u8>);

impl Protobuf {
    /// A message without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// A number.
    #[must_use]
    pub fn uint(mut self, field: u64, number: u64) -> Self {
        push(&mut self.0, field << 3);
        push(&mut self.0, number);
        self
    }

    /// A number with a sign, of type `int64`.
    #[must_use]
    pub fn int(self, field: u64, number: i64) -> Self {
        self.uint(field, number.cast_unsigned())
    }

    /// A number with a sign, of type `sint64`.
    #[must_use]
    pub fn sint(self, field: u64, number: i64) -> Self {
        self.uint(field, zigzag(number))
    }

    /// A double.
    #[must_use]
    pub fn double(mut self, field: u64, number: f64) -> Self {
        push(&mut self.0, (field << 3) | 1);
        self.0.extend_from_slice(&number.to_bits().to_le_bytes());
        self
    }

    /// Bytes, of a text or of anything that isn't one.
    #[must_use]
    pub fn blob(mut self, field: u64, bytes: &[u8]) -> Self {
        push(&mut self.0, (field << 3) | 2);
        push(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A text.
    #[must_use]
    pub fn text(self, field: u64, text: &str) -> Self {
        self.blob(field, text.as_bytes())
    }

    /// A message inside.
    #[must_use]
    pub fn message(self, field: u64, message: &Self) -> Self {
        self.blob(field, &message.0)
    }

    /// Messages inside.
    #[must_use]
    pub fn messages(self, field: u64, messages: impl IntoIterator<Item = Self>) -> Self {
        messages.into_iter().fold(self, |outer, message| outer.message(field, &message))
    }

    /// A packed list of numbers.
    #[must_use]
    pub fn uints(self, field: u64, numbers: &[u64]) -> Self {
        let mut packed = Vec::new();
        numbers.iter().for_each(|number| push(&mut packed, *number));
        self.blob(field, &packed)
    }

    /// A packed list of numbers of type `sint64`.
    #[must_use]
    pub fn sints(self, field: u64, numbers: &[i64]) -> Self {
        self.uints(field, &numbers.iter().copied().map(zigzag).collect::<Vec<_>>())
    }

    /// A packed list of doubles.
    #[must_use]
    pub fn doubles(self, field: u64, numbers: &[f64]) -> Self {
        self.blob(field, &numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect::<Vec<_>>())
    }

    /// What was written.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}

fn push(bytes: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}
