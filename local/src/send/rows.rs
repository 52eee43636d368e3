use icegate_model::Signal;

/// Fields that lead from an export request to its rows: resources, scopes, records; for metrics on through the kinds of data to
/// the points.
const RECORDS: &[&[u64]] = &[&[1], &[2], &[2]];
const POINTS: &[&[u64]] = &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]];

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// Log records, spans or points of an export request in protobuf, without decoding them.
///
/// # Errors
/// Why the bytes aren't protobuf, as far as they are walked.
pub(crate) fn count(signal: Signal, request: &[u8]) -> Result<u64, &'static str> {
    walk(request, if signal == Signal::Metrics { POINTS } else { RECORDS })
}

fn walk(mut message: &[u8], path: &[&[u64]]) -> Result<u64, &'static str> {
    let Some((numbers, deeper)) = path.split_first() else { return Ok(1) };
    let mut rows = 0;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let content = match key & 7 {
            VARINT => varint(&mut message).map(|_| None)?,
            FIXED_64 => take(&mut message, 8).map(|_| None)?,
            FIXED_32 => take(&mut message, 4).map(|_| None)?,
            BYTES => {
                let length = varint(&mut message)?;
                Some(take(&mut message, length)?)
            }
            _ => return Err("a field has an unknown wire type"),
        };
        if let Some(content) = content
            && numbers.contains(&(key >> 3))
        {
            rows += walk(content, deeper)?;
        }
    }
    Ok(rows)
}

fn varint(message: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first().ok_or("it ends inside a number")?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number has more than ten bytes")
}

fn take<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], &'static str> {
    let length = usize::try_from(length).map_err(|_| "a field is longer than memory")?;
    let (taken, rest) = message.split_at_checked(length).ok_or("it ends inside a field")?;
    *message = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_across_resources_and_scopes() {
        // Two resources: a scope with two records, one of them empty and one with a time; a scope with none.
        let time = [0x09, 1, 0, 0, 0, 0, 0, 0, 0];
        let mut scope = vec![0x12, 0, 0x12, 9];
        scope.extend(time);
        let mut request = vec![0x0a, 15, 0x12, 13];
        request.extend(scope);
        request.extend([0x0a, 2, 0x12, 0]);
        assert_eq!(count(Signal::Logs, &request), Ok(2));
        assert_eq!(count(Signal::Traces, &request), Ok(2));
        // As metrics the same bytes are two metrics, neither with a point.
        assert_eq!(count(Signal::Metrics, &request), Ok(0));
    }

    #[test]
    fn points_of_every_kind_of_metric_are_counted() {
        // A gauge (5) with two points and a summary (11) with one, as two metrics of one scope.
        let request = [0x0a, 14, 0x12, 12, 0x12, 6, 0x2a, 4, 0x0a, 0, 0x0a, 0, 0x12, 2, 0x5a, 0];
        assert_eq!(count(Signal::Metrics, &request), Ok(2));
    }

    #[test]
    fn bytes_that_end_early_or_make_no_sense_are_refused() {
        for bad in [&[0x0a, 5, 0x12][..], &[0x0a], &[0x80], &[0xff; 11], &[0x0b]] {
            assert!(count(Signal::Logs, bad).is_err(), "{bad:?}");
        }
        assert_eq!(count(Signal::Logs, &[]), Ok(0));
    }
}
