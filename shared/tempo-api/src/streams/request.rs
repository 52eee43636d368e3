use icegate_http::Params;
use icegate_syntax::text::quote;
use prost::Message;

use super::Method;
use crate::TempoError;
use crate::message::{QueryRangeRequest, SearchRequest, SearchTagValuesRequest, SearchTagsRequest};

/// The parameter that holds the name of a tag, which is in the path of an HTTP request.
pub(super) const TAG: &str = "tagName";

type Pairs = Vec<(&'static str, String)>;

/// The parameters that a request's message holds. What is zero or empty there isn't given.
pub(super) fn params(method: Method, request: &[u8]) -> Result<Params, TempoError> {
    let pairs = match method {
        Method::Search => of_search(decode(request)?),
        Method::SearchTags | Method::SearchTagsV2 => of_tags(decode(request)?),
        Method::SearchTagValues | Method::SearchTagValuesV2 => of_values(decode(request)?),
        Method::MetricsQueryRange | Method::MetricsQueryInstant => of_metrics(decode(request)?),
    };
    Ok(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

fn decode<M: Message + Default>(request: &[u8]) -> Result<M, TempoError> {
    M::decode(request).map_err(|error| TempoError::Parameters(format!("can't read the request: {error}")))
}

fn of_search(request: SearchRequest) -> Pairs {
    let mut tags: Vec<_> = request.tags.iter().map(|(key, value)| format!("{key}={}", quote(value))).collect();
    tags.sort_unstable();
    let millis = |number: u32| if number == 0 { String::new() } else { format!("{number}ms") };
    vec![
        ("q", request.query),
        ("tags", tags.join(" ")),
        ("minDuration", millis(request.min_duration_ms)),
        ("maxDuration", millis(request.max_duration_ms)),
        ("limit", given(request.limit)),
        ("spss", given(request.spans_per_span_set)),
        ("start", given(request.start)),
        ("end", given(request.end)),
    ]
}

fn of_tags(request: SearchTagsRequest) -> Pairs {
    vec![
        ("scope", request.scope),
        ("limit", given(request.max_tags_per_scope)),
        ("start", given(request.start)),
        ("end", given(request.end)),
    ]
}

fn of_values(request: SearchTagValuesRequest) -> Pairs {
    vec![
        (TAG, request.tag_name),
        ("q", request.query),
        ("limit", given(request.max_tag_values)),
        ("start", given(request.start)),
        ("end", given(request.end)),
    ]
}

fn of_metrics(request: QueryRangeRequest) -> Pairs {
    // As many digits as no time in seconds has.
    let nanos = |number: u64| if number == 0 { String::new() } else { format!("{number:020}") };
    vec![
        ("q", request.query),
        ("start", nanos(request.start)),
        ("end", nanos(request.end)),
        ("step", if request.step == 0 { String::new() } else { format!("{}ns", request.step) }),
        ("exemplars", given(request.exemplars)),
    ]
}

fn given(number: u32) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_holds_are_the_parameters_of_a_request() {
        let search = SearchRequest {
            tags: [("a".to_owned(), "b \"c\"".to_owned()), ("A".to_owned(), "d".to_owned())].into(),
            min_duration_ms: 5,
            limit: 7,
            start: 10,
            ..SearchRequest::default()
        };
        let params = params(Method::Search, &search.encode_to_vec()).unwrap();
        assert_eq!(params.get("tags"), Some(r#"A="d" a="b \"c\"""#));
        assert_eq!((params.get("minDuration"), params.get("maxDuration")), (Some("5ms"), None));
        assert_eq!((params.get("limit"), params.get("start"), params.get("end")), (Some("7"), Some("10"), None));
    }

    #[test]
    fn times_of_metrics_are_nanoseconds_however_few() {
        let metrics = QueryRangeRequest { start: 5, end: 1_700_000_000_000_000_001, step: 1_500, ..QueryRangeRequest::default() };
        let params = params(Method::MetricsQueryRange, &metrics.encode_to_vec()).unwrap();
        let time = |name| params.read(name, icegate_http::time).unwrap().unwrap().nanos();
        assert_eq!((time("start"), time("end"), params.get("step")), (5, 1_700_000_000_000_000_001, Some("1500ns")));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let error = params(Method::Search, &[0xff, 0xff]).unwrap_err();
        assert_eq!(error.status().as_u16(), 400, "{error}");
    }
}
