use super::{Strategy, Translation};

/// What kind of metric a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Gauge,
    Sum { monotonic: bool },
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl Kind {
    /// As the column `metric_type` says it.
    pub(crate) fn of(metric_type: &str, monotonic: bool) -> Option<Self> {
        match metric_type {
            "gauge" => Some(Self::Gauge),
            "sum" => Some(Self::Sum { monotonic }),
            "histogram" => Some(Self::Histogram),
            "exponential_histogram" => Some(Self::ExponentialHistogram),
            "summary" => Some(Self::Summary),
            _ => None,
        }
    }

    /// What Prometheus calls it.
    pub(crate) const fn prometheus(self) -> &'static str {
        match self {
            Self::Gauge | Self::Sum { monotonic: false } => "gauge",
            Self::Sum { monotonic: true } => "counter",
            Self::Histogram | Self::ExponentialHistogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// What is added to the metric's name for each of its series; native histograms have the bare name.
    pub(crate) const fn endings(self, nhcb: bool) -> &'static [&'static str] {
        match self {
            Self::Histogram if !nhcb => &["_bucket", "_sum", "_count"],
            Self::Summary => &["", "_sum", "_count"],
            Self::Gauge | Self::Sum { .. } | Self::Histogram | Self::ExponentialHistogram => &[""],
        }
    }
}

/// A metric as its sender names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric<'a> {
    pub(crate) name: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) kind: Kind,
    /// The type that a remote write says, whose names and labels are Prometheus' already; empty for OTLP.
    pub(crate) written: &'a str,
}

impl Metric<'_> {
    pub(crate) const fn is_written(&self) -> bool {
        !self.written.is_empty()
    }
}

const UNITS: [(&str, &str); 31] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tebibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("KB", "kilobytes"),
    ("MB", "megabytes"),
    ("GB", "gigabytes"),
    ("TB", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
    ("bytes", "bytes"),
];

const PER: [(&str, &str); 7] =
    [("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

/// The words of a unit: what is counted, and per what. Empty where there is none.
fn words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let word = |text: &str, known: &[(&str, &str)]| {
        let text = text.trim();
        if text.contains(['{', '}']) {
            return String::new();
        }
        let found = known.iter().find(|(short, _)| *short == text);
        clean(found.map_or(text, |(_, long)| long))
    };
    (word(main, &UNITS), word(per, &PER))
}

/// Letters, digits and colons, with one `_` for whatever lies between.
fn clean(text: &str) -> String {
    tokens(text).join("_")
}

fn tokens(text: &str) -> Vec<&str> {
    text.split(|char: char| !(char.is_ascii_alphanumeric() || char == ':')).filter(|token| !token.is_empty()).collect()
}

/// The unit in Prometheus' words; empty where there is none.
pub(crate) fn unit(unit: &str) -> String {
    let (main, per) = words(unit);
    match (main.is_empty(), per.is_empty()) {
        (_, true) => main,
        (true, false) => format!("per_{per}"),
        (false, false) => format!("{main}_per_{per}"),
    }
}

/// The name of a metric's series, before what each series adds; `None` where nothing is left of it.
pub(crate) fn name(translation: &Translation, metric: &Metric<'_>) -> Option<String> {
    if metric.is_written() {
        return Some(metric.name.to_owned());
    }
    let name = match translation.strategy {
        Strategy::UnderscoreEscapingWithSuffixes => with_suffixes(metric),
        Strategy::UnderscoreEscapingWithoutSuffixes => {
            let is_valid = |char: char| char.is_ascii_alphanumeric() || char == ':' || char == '_';
            let parts = metric.name.split(|char: char| !is_valid(char)).filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("_")
        }
        Strategy::NoUtf8EscapingWithSuffixes => appended(metric),
        Strategy::NoTranslation => return Some(metric.name.to_owned()).filter(|name| !name.is_empty()),
    };
    if name.bytes().all(|byte| byte == b'_') {
        return None;
    }
    let is_digit = translation.strategy.escapes() && name.starts_with(|char: char| char.is_ascii_digit());
    Some(if is_digit { format!("_{name}") } else { name })
}

/// The word that the kind of a metric puts last.
fn last_word(metric: &Metric<'_>) -> Option<&'static str> {
    match metric.kind {
        Kind::Sum { monotonic: true } => Some("total"),
        Kind::Gauge if metric.unit == "1" => Some("ratio"),
        _ => None,
    }
}

fn with_suffixes(metric: &Metric<'_>) -> String {
    let (main, per) = words(metric.unit);
    let mut all = tokens(metric.name);
    if all.is_empty() {
        return String::new();
    }
    if !main.is_empty() && !all.contains(&main.as_str()) {
        all.push(&main);
    }
    if !per.is_empty() && !all.contains(&per.as_str()) {
        if !all.contains(&"per") {
            all.push("per");
        }
        all.push(&per);
    }
    if let Some(last) = last_word(metric) {
        all.retain(|token| *token != last);
        all.push(last);
    }
    all.join("_")
}

/// The name as it is, and after it what it doesn't end with already.
fn appended(metric: &Metric<'_>) -> String {
    let (main, per) = words(metric.unit);
    let last = last_word(metric);
    let mut name = metric.name;
    if let Some(last) = last {
        name = without_ending(name, last);
    }
    let per = if per.is_empty() { per } else { format!("per_{per}") };
    if !per.is_empty() {
        name = without_ending(name, &per);
    }
    let mut name = name.to_owned();
    let main = Some(main.as_str()).filter(|main| !main.is_empty() && !name.ends_with(*main)).map(str::to_owned);
    for part in main.into_iter().chain(Some(per).filter(|per| !per.is_empty())).chain(last.map(str::to_owned)) {
        name.push('_');
        name.push_str(&part);
    }
    name
}

/// Without an ending and the one character before it.
fn without_ending<'a>(name: &'a str, ending: &str) -> &'a str {
    let Some(rest) = name.strip_suffix(ending) else { return name };
    let mut chars = rest.chars();
    match chars.next_back() {
        Some(delimiter) if !delimiter.is_alphanumeric() => chars.as_str(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(strategy: Strategy, name: &str, unit: &str, kind: Kind) -> Option<String> {
        super::name(&Translation { strategy, ..Translation::default() }, &Metric { name, unit, kind, written: "" })
    }

    #[test]
    fn units_and_types_are_added_to_names_once() {
        let counter = Kind::Sum { monotonic: true };
        for (name, unit, kind, expected) in [
            ("system.memory.usage", "By", Kind::Gauge, "system_memory_usage_bytes"),
            ("cpu.utilization", "1", Kind::Gauge, "cpu_utilization_ratio"),
            ("http.server.requests", "{request}", counter, "http_server_requests_total"),
            ("total.bytes", "By", counter, "bytes_total"),
            ("disk__io..speed", "By/s", Kind::Gauge, "disk_io_speed_bytes_per_second"),
            ("weird.metric/name%", "{thing}/s", Kind::Gauge, "weird_metric_name_per_second"),
            ("2xx", "", Kind::Gauge, "_2xx"),
            ("connections", "1", Kind::Sum { monotonic: false }, "connections"),
            ("a", "parsec", Kind::Histogram, "a_parsec"),
        ] {
            assert_eq!(named(Strategy::default(), name, unit, kind).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(named(Strategy::default(), "__", "s", Kind::Gauge), None);
    }

    #[test]
    fn a_name_that_a_remote_write_gave_stays() {
        let metric = Metric { name: "a.b_count", unit: "s", kind: Kind::Sum { monotonic: true }, written: "counter" };
        assert_eq!(name(&Translation::default(), &metric).as_deref(), Some("a.b_count"));
    }

    #[test]
    fn strategies_without_suffixes_or_escaping_keep_what_they_say() {
        let counter = Kind::Sum { monotonic: true };
        assert_eq!(named(Strategy::NoTranslation, "a.b/c%", "s", counter).as_deref(), Some("a.b/c%"));
        assert_eq!(named(Strategy::NoUtf8EscapingWithSuffixes, "a.b", "s", counter).as_deref(), Some("a.b_seconds_total"));
        assert_eq!(named(Strategy::NoUtf8EscapingWithSuffixes, "a_total", "", counter).as_deref(), Some("a_total"));
        assert_eq!(named(Strategy::UnderscoreEscapingWithoutSuffixes, "a.b__c%", "s", counter).as_deref(), Some("a_b__c"));
    }
}
