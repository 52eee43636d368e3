use http::HeaderMap;
use http::header::ACCEPT;

/// Whether `Accept` names the media type; a wildcard doesn't count.
#[must_use]
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    ranges.map(|range| range.split(';').map(str::trim)).any(|mut range| {
        range.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type)) && !range.any(|parameter| parameter == "q=0")
    })
}
