use http::Uri;
use icegate_model::Signal;

use super::SendError;
use super::args::Transport;

/// Where requests go: a URL for HTTP, scheme and authority for gRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
}

impl Endpoint {
    /// The endpoints that were given, in their order, or the transport's default.
    ///
    /// # Errors
    /// Those of [`Endpoint::new`].
    pub(crate) fn all(given: &[String], transport: Transport, signal: Signal) -> Result<Vec<Self>, SendError> {
        if given.is_empty() {
            return Ok(vec![Self::new(None, transport, signal)?]);
        }
        given.iter().map(|text| Self::new(Some(text), transport, signal)).collect()
    }

    /// The endpoint that was given, or the transport's default. A path may be left out, be the signal's own, or with HTTP be a
    /// prefix of it.
    ///
    /// # Errors
    /// [`SendError::Endpoint`] for what isn't a plain HTTP address or has the path of another signal.
    pub(crate) fn new(given: Option<&str>, transport: Transport, signal: Signal) -> Result<Self, SendError> {
        let text = given.unwrap_or(match transport {
            Transport::Http => "http://localhost:4318",
            Transport::Grpc => "http://localhost:4317",
        });
        let refuse = |reason: String| SendError::Endpoint { text: text.to_owned(), reason };
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = with_scheme.parse().map_err(|error: http::uri::InvalidUri| refuse(error.to_string()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(refuse("https isn't supported, allowed is http".to_owned())),
            _ => return Err(refuse("allowed is http://host:port".to_owned())),
        }
        let authority = uri.authority().ok_or_else(|| refuse("it names no host".to_owned()))?;
        if uri.query().is_some() {
            return Err(refuse("a query isn't allowed".to_owned()));
        }
        let path = path(uri.path(), transport, signal).map_err(refuse)?;
        Ok(Self { url: format!("http://{authority}{path}") })
    }
}

/// The path of a signal's HTTP endpoint.
fn http_path(signal: Signal) -> String {
    format!("/v1/{}", signal.name())
}

/// The path of a signal's gRPC method.
pub(crate) const fn grpc_method(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

fn path(given: &str, transport: Transport, signal: Signal) -> Result<String, String> {
    let given = given.trim_end_matches('/');
    let names = |other: Signal| given.ends_with(&http_path(other)) || given == grpc_method(other);
    if let Some(other) = Signal::ALL.into_iter().find(|other| *other != signal && names(*other)) {
        return Err(format!("its path is the one of {other}, but --signal is {signal}"));
    }
    match transport {
        Transport::Grpc if given.is_empty() || given == http_path(signal) || given == grpc_method(signal) => Ok(String::new()),
        Transport::Grpc => Err("gRPC takes no path".to_owned()),
        Transport::Http if given.ends_with(&http_path(signal)) => Ok(given.to_owned()),
        Transport::Http => Ok(format!("{given}{}", http_path(signal))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(given: &str, transport: Transport, signal: Signal) -> Result<String, String> {
        Endpoint::new(Some(given), transport, signal).map(|endpoint| endpoint.url).map_err(|error| error.to_string())
    }

    #[test]
    fn each_transport_has_its_documented_default() {
        let default = |transport| Endpoint::new(None, transport, Signal::Logs).unwrap().url;
        assert_eq!(default(Transport::Http), "http://localhost:4318/v1/logs");
        assert_eq!(default(Transport::Grpc), "http://localhost:4317");
    }

    #[test]
    fn several_endpoints_keep_their_order_and_each_is_checked() {
        let all = |given: &[&str]| {
            let given: Vec<_> = given.iter().map(ToString::to_string).collect();
            Endpoint::all(&given, Transport::Http, Signal::Logs)
        };
        let urls: Vec<_> = all(&["b:1", "a:2"]).unwrap().into_iter().map(|endpoint| endpoint.url).collect();
        assert_eq!(urls, ["http://b:1/v1/logs", "http://a:2/v1/logs"]);
        assert_eq!(all(&[]).unwrap(), [Endpoint::new(None, Transport::Http, Signal::Logs).unwrap()]);
        assert!(all(&["a:2", "https://b:1"]).is_err());
    }

    #[test]
    fn the_signals_path_may_be_given_or_left_out() {
        for given in ["http://h:1", "http://h:1/", "http://h:1/v1/traces", "http://h:1/v1/traces/", "h:1"] {
            assert_eq!(url(given, Transport::Http, Signal::Traces).unwrap(), "http://h:1/v1/traces", "{given}");
        }
        assert_eq!(url("http://h:1/otlp", Transport::Http, Signal::Logs).unwrap(), "http://h:1/otlp/v1/logs");
        for given in ["http://h:1", "http://h:1/v1/logs", "localhost:4317"] {
            assert!(url(given, Transport::Grpc, Signal::Logs).is_ok(), "{given}");
        }
    }

    #[test]
    fn another_signals_path_is_refused_with_both_names() {
        assert_eq!(
            url("http://h:1/v1/logs", Transport::Http, Signal::Metrics).unwrap_err(),
            "endpoint \"http://h:1/v1/logs\": its path is the one of logs, but --signal is metrics"
        );
        assert!(url("http://h:1/v1/traces", Transport::Grpc, Signal::Logs).is_err());
    }

    #[test]
    fn what_cannot_be_reached_over_plain_http_is_refused() {
        for bad in ["https://h:1", "ftp://h:1", "http://", "http://h:1/v1/logs?x=1", "http://h h"] {
            assert!(url(bad, Transport::Http, Signal::Logs).is_err(), "{bad}");
        }
        assert!(url("http://h:1/prefix", Transport::Grpc, Signal::Logs).is_err());
    }
}
