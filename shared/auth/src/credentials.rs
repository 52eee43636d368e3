use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Refusal;

/// Bytes of the longest `Authorization` that is looked at; a JWT of a large organisation has a few thousand.
const MAX_BYTES: usize = 16 << 10;

/// The key or token of a request: `Authorization: Bearer TOKEN`, or the password of `Basic` with any user, which is how Grafana's
/// data sources and many agents send one.
pub(crate) fn token(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => {
            return Err(Refusal::unauthenticated(
                "a key is needed: send Authorization: Bearer KEY, or Basic with the key as password",
            ));
        }
        (Some(_), Some(_)) => return Err(Refusal::unauthenticated("header authorization is repeated")),
        (Some(value), None) => value,
    };
    let unreadable = || Refusal::unauthenticated("header authorization can't be read: allowed are Bearer KEY and Basic");
    if value.len() > MAX_BYTES {
        return Err(Refusal::unauthenticated(format!("header authorization is longer than {MAX_BYTES} bytes")));
    }
    let (scheme, given) = value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or_else(unreadable)?;
    let given = given.trim();
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => given.to_owned(),
        "basic" => password(given).ok_or_else(unreadable)?,
        _ => return Err(unreadable()),
    };
    if token.is_empty() { Err(unreadable()) } else { Ok(token) }
}

fn password(encoded: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(values: &[&str]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("Authorization", HeaderValue::from_str(value).unwrap());
        }
        token(&headers).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_token_is_a_bearers_or_the_password_of_basic() {
        // printf grafana:ig_a_b:c | base64
        for given in ["Bearer ig_a_b:c", "bearer  ig_a_b:c ", "Basic Z3JhZmFuYTppZ19hX2I6Yw==", "BASIC Z3JhZmFuYTppZ19hX2I6Yw=="]
        {
            assert_eq!(of(&[given]).unwrap(), "ig_a_b:c", "{given}");
        }
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        assert!(of(&[]).unwrap_err().contains("a key is needed"));
        assert!(of(&["Bearer a", "Bearer a"]).unwrap_err().contains("is repeated"));
        // printf grafana | base64; printf '\xff:\xff' | base64
        for bad in ["", "Bearer", "Bearer ", "Token abc", "ig_a_b", "Basic ???", "Basic Z3JhZmFuYQ==", "Basic /zr/", "Basic Og=="]
        {
            let refusal = of(&[bad]).unwrap_err();
            assert_eq!(refusal, "header authorization can't be read: allowed are Bearer KEY and Basic", "{bad}");
        }
        assert!(of(&[&format!("Bearer {}", "x".repeat(MAX_BYTES))]).unwrap_err().contains("16384"));
    }
}
