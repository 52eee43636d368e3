//! Whatever a client asks, the API answers: no request makes it fail of its own. A seed replays.

use futures::StreamExt;
use icegate_engine::EngineConfig;
use icegate_tempo_api::{Method, TempoConfig, TempoError};
use serde_json::{Value, json};

use crate::world::{State, T0, World, encoded, request, span};

const REQUESTS: u64 = 200;
const MESSAGES: u64 = 100;

const PATHS: [&str; 13] = [
    "/api/search",
    "/api/search",
    "/api/search",
    "/api/metrics/query_range",
    "/api/metrics/query_range",
    "/api/metrics/query",
    "/api/search/tags",
    "/api/v2/search/tags",
    "/api/search/tag/",
    "/api/v2/search/tag/",
    "/api/traces/",
    "/api/v2/traces/",
    "/",
];

const NAMES: [&str; 17] = [
    "q",
    "q",
    "q",
    "query",
    "tags",
    "start",
    "end",
    "limit",
    "spss",
    "minDuration",
    "maxDuration",
    "since",
    "step",
    "exemplars",
    "scope",
    "mode",
    "x",
];

/// What queries are made of, and what breaks them.
const WORDS: [&str; 72] = [
    "{",
    "}",
    "{",
    "}",
    "{ }",
    "(",
    ")",
    "|",
    "|",
    "&&",
    "||",
    ">",
    ">>",
    "<<",
    "~",
    "!>",
    "&>>",
    "=",
    "!=",
    "=~",
    "!~",
    "<=",
    "-",
    "!",
    "+",
    "*",
    "/",
    "%",
    "^",
    "span.n",
    "span.m",
    ".n",
    "resource.service.name",
    "name",
    "duration",
    "status",
    "kind",
    "nestedSetParent",
    "trace:id",
    "event:name",
    "link:spanID",
    "rootName",
    "parent.n",
    "error",
    "server",
    "nil",
    "true",
    "minInt",
    "maxInt",
    "0",
    "1",
    "2.5",
    "1h30m",
    "9223372036854775807",
    "\"x\"",
    "\"(\"",
    "`a`",
    "count() > 0",
    "avg(span.n) > 1",
    "by(name)",
    "select(span.n, name)",
    "coalesce()",
    "rate()",
    "count_over_time() by(name)",
    "quantile_over_time(duration, 0.9, 2)",
    "histogram_over_time(span.n)",
    "compare({ status = error }, 10)",
    "topk(2)",
    "with(most_recent=true)",
    "min_over_time(span.n)",
    "// c",
    "\u{0}ü\"",
];

const NUMBERS: [&str; 19] = [
    "0",
    "1",
    "-1",
    "3",
    "20",
    "1663200000",
    "1663201800",
    "1663200000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "4294967295",
    "1e400",
    "-1e18",
    "NaN",
    "0.000000001",
    "5m",
    "1s",
    "2020-01-01T00:00:00Z",
];

/// The next of a seed's numbers, below `below`.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn words(&mut self) -> String {
        (0..self.below(9)).map(|_| self.of(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    /// Mostly a query that can be parsed: otherwise nothing behind the parser is reached.
    fn query(&mut self) -> String {
        match self.below(4) {
            0 => self.words(),
            1 => format!("{{ {} {} {} }}", self.of(&WORDS[29..42]), self.of(&WORDS[17..22]), self.of(&WORDS[43..57])),
            2 => format!(
                "{{ {} {} {} }} | {}",
                self.of(&WORDS[29..33]),
                self.of(&WORDS[17..22]),
                self.of(&NUMBERS[..5]),
                self.of(&WORDS[57..70])
            ),
            _ => format!(
                "{{ {} }} {} {{ }} | {}",
                self.of(&["", "status = error", "span.n > 1"]),
                self.of(&WORDS[9..17]),
                self.of(&WORDS[57..68])
            ),
        }
    }

    fn value(&mut self, name: &str) -> String {
        match name {
            "q" | "query" => self.query(),
            "tags" => self.of(&["a=b", "name=x", "status.code=error", "a=\"", "=", "a=b a=c", "n=1 x"]).to_owned(),
            "scope" => self.of(&["span", "none", "intrinsic", "x"]).to_owned(),
            _ if self.below(8) == 0 => self.words(),
            _ => self.of(&NUMBERS).to_owned(),
        }
    }

    fn path(&mut self) -> String {
        let path = self.of(&PATHS);
        let id = self.of(&["1", "0", "zz", "fffffffffffffffffffffffffffffffff", "ABC"]).to_owned();
        let tag = encoded(self.of(&["n", "span.n", "name", "status", ".x", "span.", "\u{0}", "resource.service.name", "{"]));
        match path {
            "/api/traces/" | "/api/v2/traces/" => format!("{path}{id}"),
            "/" => format!("/{}", encoded(&self.words())),
            path if path.ends_with('/') => format!("{path}{tag}/values"),
            path => path.to_owned(),
        }
    }

    fn url(&mut self) -> String {
        let path = self.path();
        let mut pairs = Vec::new();
        for _ in 0..self.below(6) {
            let name = self.of(&NAMES);
            pairs.push(format!("{name}={}", encoded(&self.value(name))));
        }
        format!("{path}?{}", pairs.join("&"))
    }

    fn bytes(&mut self) -> Vec<u8> {
        let query = self.query();
        let mut bytes = Vec::new();
        // A text under one of the first fields, and a number under another.
        bytes.extend([u8::try_from(8 * (1 + self.below(9)) + 2).unwrap(), u8::try_from(query.len().min(127)).unwrap()]);
        bytes.extend(&query.as_bytes()[..query.len().min(127)]);
        bytes.extend([u8::try_from(8 * (1 + self.below(9))).unwrap(), u8::try_from(self.below(256)).unwrap(), 1]);
        if self.below(3) == 0 {
            let at = self.below(bytes.len());
            bytes[at] = u8::try_from(self.below(256)).unwrap();
        }
        bytes
    }
}

async fn world() -> World {
    let one = |n: i64| {
        let mut span = span(&format!("{}", n / 3 + 1), &format!("{}", n + 1), (n % 3 > 0).then_some("1"), "x", n * 1_000, 250);
        span["attributes"] =
            json!([{ "key": "n", "value": { "intValue": n.to_string() } }, { "key": "m", "value": { "doubleValue": 0.5 } }]);
        span["status"] = json!({ "code": n % 3 });
        span
    };
    World::with(&[request("a", (0..9).map(one).collect::<Vec<Value>>())], State::Wal).await
}

/// What spans make fail is in Tempo's words; anything else of the server's is a defect.
fn is_in_order(status: u16, text: &str) -> bool {
    match status {
        200 | 400 | 404 | 405 | 422 | 501 => true,
        500 => text.contains("division by zero") || text.contains("expected a boolean"),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_makes_the_api_fail() {
    let api = world().await.api_with(TempoConfig::default(), EngineConfig { target_partitions: 1, ..EngineConfig::default() });
    let mut whole = 0;
    for seed in 0..REQUESTS {
        let url = Random(seed).url();
        let reply = api.get(&url).await;
        assert!(is_in_order(reply.status, &String::from_utf8_lossy(&reply.body)), "seed {seed} {url}: {}", reply.status);
        whole += usize::from(reply.status == 200);
    }
    // Else it is the parameters alone that are looked at.
    assert!(whole > usize::try_from(REQUESTS / 10).unwrap(), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_makes_the_streams_fail() {
    let engine = EngineConfig { target_partitions: 1, ..EngineConfig::default() };
    let (_, streams) = world().await.api_and_streams(TempoConfig::default(), engine);
    for seed in 0..MESSAGES {
        let mut random = Random(seed ^ T0.unsigned_abs());
        let (method, bytes) = (Method::ALL[random.below(Method::ALL.len())], random.bytes());
        let messages: Vec<Result<_, TempoError>> =
            streams.answer(method, "default".parse().unwrap(), bytes.clone().into()).collect().await;
        for error in messages.into_iter().filter_map(Result::err) {
            assert!(is_in_order(error.status().as_u16(), &error.to_string()), "seed {seed} {method:?} {bytes:?}: {error}");
        }
    }
}
