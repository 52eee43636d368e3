use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use http::{HeaderMap, HeaderValue};

/// Bodies of fewer bytes go as they are: they fit in any case, and cost less to send than to compress.
const FROM_BYTES: usize = 64 << 10;

/// Whether a client takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        named && !parts.any(|part| part.trim_start_matches("q=").parse::<f32>() == Ok(0.0))
    })
}

/// Compresses a large body for a client that takes it: six megabytes then hold many times as much JSON.
pub(crate) async fn compress(headers: &mut HeaderMap, body: Bytes, takes_gzip: bool) -> Bytes {
    if !takes_gzip || body.len() < FROM_BYTES || headers.contains_key(CONTENT_ENCODING) {
        return body;
    }
    let whole = body.clone();
    match tokio::task::spawn_blocking(move || gzip(&whole)).await {
        Ok(Ok(compressed)) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.append(VARY, HeaderValue::from_static("accept-encoding"));
            compressed
        }
        _ => body,
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_excluded() {
        for (value, takes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("x-gzip2", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(takes_gzip(&headers), takes, "{value}");
        }
    }

    #[tokio::test]
    async fn a_large_body_is_compressed_and_a_small_one_or_an_encoded_one_is_not() {
        let large = Bytes::from("a line of text\n".repeat(10_000));
        let mut headers = HeaderMap::new();
        let compressed = compress(&mut headers, large.clone(), true).await;
        assert_eq!(
            (&headers[CONTENT_ENCODING], &headers[VARY]),
            (&HeaderValue::from_static("gzip"), &HeaderValue::from_static("accept-encoding"))
        );
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut text).unwrap();
        assert_eq!((text, compressed.len() < large.len() / 10), (large.to_vec(), true));
        assert_eq!(compress(&mut headers, large.clone(), true).await, large);
        assert_eq!(compress(&mut HeaderMap::new(), large.clone(), false).await, large);
        let small = Bytes::from_static(b"small");
        assert_eq!(compress(&mut HeaderMap::new(), small.clone(), true).await, small);
    }
}
