//! What one pass leaves to the next.
//!
//! Written as JSON:
//!
//! ```json
//! {"format-version": 1, "at-micros": 1767225600000000, "begun-micros": {"*": 1767225000000000}, "owners": [{"tenant": "t", "account": null,
//!  "halves": [{"side": "client", "trace": "hex", "span": "hex", "arrived-micros": 1767225600000000, "service": "cart", "start": 1,
//!  "end": 2, "failed": false, "messaging": false, "peer": "stock", "dimensions": {}}]}]}
//! ```

use std::collections::BTreeMap;

use icegate_model::{AccountId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::attributes::Labels;
use crate::half::{Half, Side};
use crate::{GeneratorError, Options};

const FORMAT_VERSION: u32 = 1;
/// Stands for tenants without options of their own; no tenant's id can hold it.
const EVERYBODY: &str = "*";

/// Whose spans.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's part.
    pub account: Option<AccountId>,
}

/// What one pass leaves to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(crate) at: Timestamp,
    pub(crate) begun: BTreeMap<String, Timestamp>,
    pub(crate) waiting: BTreeMap<Owner, Vec<Half>>,
}

impl State {
    /// When the last pass was; no later pass of this state has the same time.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The halves that wait, in no order that means anything.
    #[must_use]
    pub fn halves(&self) -> Vec<(&Owner, &Half)> {
        self.waiting.iter().flat_map(|(owner, halves)| halves.iter().map(move |half| (owner, half))).collect()
    }

    /// When the first of the waiting halves has waited long enough; `None` where none waits.
    #[must_use]
    pub fn expires(&self, options: &Options) -> Option<Timestamp> {
        let first = |(owner, halves): (&Owner, &Vec<Half>)| {
            let wait = options.of(&owner.tenant).and_then(|processors| processors.service_graphs.as_ref())?.wait;
            halves.iter().map(|half| half.arrived + wait).min()
        };
        self.waiting.iter().filter_map(first).min()
    }

    /// Notes for whom metrics are made from `at` on, and for whom no longer; `None` where nothing is new. Who begins again begins anew.
    #[must_use]
    pub fn begin(&self, options: &Options, at: Timestamp) -> Option<Self> {
        let on = options.tenants.iter().filter(|(_, processors)| processors.is_on()).map(|(tenant, _)| tenant.to_string());
        let everybody = options.defaults.is_on().then(|| EVERYBODY.to_owned());
        let begun: BTreeMap<_, _> = on
            .chain(everybody)
            .map(|key| {
                let since = self.begun.get(&key).copied().unwrap_or(at);
                (key, since)
            })
            .collect();
        (begun != self.begun).then(|| Self { begun, ..self.clone() })
    }

    /// From when on a tenant's spans are counted; `None` where they are not.
    #[must_use]
    pub fn since(&self, options: &Options, tenant: &TenantId) -> Option<Timestamp> {
        options.of(tenant)?;
        let key = if options.tenants.contains_key(tenant) { tenant.as_str() } else { EVERYBODY };
        self.begun.get(key).copied()
    }

    /// From when on anybody's spans are counted.
    #[must_use]
    pub fn since_any(&self) -> Option<Timestamp> {
        self.begun.values().copied().min()
    }

    /// Whether both say the same, but for when.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        self.begun == other.begun && self.waiting == other.waiting
    }

    /// The object's bytes.
    ///
    /// # Errors
    /// Never for a state of this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, GeneratorError> {
        let object = StateObject {
            format_version: FORMAT_VERSION,
            at_micros: self.at.micros(),
            begun_micros: self.begun.iter().map(|(key, since)| (key.clone(), since.micros())).collect(),
            owners: self.waiting.iter().map(OwnerObject::of).collect(),
        };
        serde_json::to_vec(&object).map_err(unreadable)
    }

    /// Reads what [`State::to_json`] wrote.
    ///
    /// # Errors
    /// [`GeneratorError::State`] for anything else, a later format among it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, GeneratorError> {
        let object: StateObject = serde_json::from_slice(bytes).map_err(unreadable)?;
        if object.format_version != FORMAT_VERSION {
            return Err(unreadable(format!("format version {}, known is {FORMAT_VERSION}", object.format_version)));
        }
        Ok(Self {
            at: Timestamp::from_micros(object.at_micros),
            begun: object.begun_micros.into_iter().map(|(key, micros)| (key, Timestamp::from_micros(micros))).collect(),
            waiting: object.owners.into_iter().map(OwnerObject::read).collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StateObject {
    format_version: u32,
    at_micros: i64,
    begun_micros: BTreeMap<String, i64>,
    owners: Vec<OwnerObject>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OwnerObject {
    tenant: String,
    account: Option<String>,
    halves: Vec<HalfObject>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct HalfObject {
    side: Side,
    trace: String,
    span: String,
    arrived_micros: i64,
    service: String,
    start: u64,
    end: u64,
    failed: bool,
    messaging: bool,
    peer: Option<String>,
    dimensions: Labels,
}

impl OwnerObject {
    fn of((owner, halves): (&Owner, &Vec<Half>)) -> Self {
        Self {
            tenant: owner.tenant.to_string(),
            account: owner.account.as_ref().map(ToString::to_string),
            halves: halves.iter().map(HalfObject::of).collect(),
        }
    }

    fn read(self) -> Result<(Owner, Vec<Half>), GeneratorError> {
        let tenant = self.tenant.parse().map_err(unreadable)?;
        let account = self.account.map(|account| account.parse()).transpose().map_err(unreadable)?;
        let halves = self.halves.into_iter().map(HalfObject::read).collect::<Result<_, _>>()?;
        Ok((Owner { tenant, account }, halves))
    }
}

impl HalfObject {
    fn of(half: &Half) -> Self {
        Self {
            side: half.side,
            trace: hex::encode(&half.trace),
            span: hex::encode(&half.span),
            arrived_micros: half.arrived.micros(),
            service: half.service.clone(),
            start: half.start,
            end: half.end,
            failed: half.failed,
            messaging: half.messaging,
            peer: half.peer.clone(),
            dimensions: half.dimensions.clone(),
        }
    }

    fn read(self) -> Result<Half, GeneratorError> {
        Ok(Half {
            side: self.side,
            trace: hex::decode(&self.trace).map_err(unreadable)?,
            span: hex::decode(&self.span).map_err(unreadable)?,
            arrived: Timestamp::from_micros(self.arrived_micros),
            service: self.service,
            start: self.start,
            end: self.end,
            failed: self.failed,
            messaging: self.messaging,
            peer: self.peer,
            dimensions: self.dimensions,
        })
    }
}

fn unreadable(reason: impl ToString) -> GeneratorError {
    GeneratorError::State { reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Processors, SpanMetrics};

    fn on() -> Processors {
        Processors { span_metrics: Some(SpanMetrics::default()), ..Processors::default() }
    }

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let half = Half {
            side: Side::Server,
            trace: vec![1, 0xab],
            span: vec![2],
            arrived: Timestamp::from_micros(7),
            service: "cart \"x\"".to_owned(),
            start: u64::MAX,
            end: 3,
            failed: true,
            messaging: true,
            peer: Some("stock".to_owned()),
            dimensions: Labels::from([("a".to_owned(), "b".to_owned())]),
        };
        let owner = Owner { tenant: tenant("t"), account: Some("a".parse().unwrap()) };
        let state = State {
            at: Timestamp::from_micros(5),
            begun: BTreeMap::from([("*".to_owned(), Timestamp::from_micros(-1))]),
            waiting: BTreeMap::from([(owner, vec![half])]),
        };
        let text = concat!(
            r#"{"format-version":1,"at-micros":5,"begun-micros":{"*":-1},"owners":[{"tenant":"t","account":"a","halves":["#,
            r#"{"side":"server","trace":"01ab","span":"02","arrived-micros":7,"service":"cart \"x\"","start":18446744073709551615,"#,
            r#""end":3,"failed":true,"messaging":true,"peer":"stock","dimensions":{"a":"b"}}]}]}"#
        );
        assert_eq!(String::from_utf8(state.to_json().unwrap()).unwrap(), text);
        assert_eq!(State::from_json(text.as_bytes()).unwrap(), state);
        let later = text.replace("\"format-version\":1", "\"format-version\":2");
        let error = State::from_json(later.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "the generator's state can't be read: format version 2, known is 1");
        assert!(State::from_json(text.replace("\"t\"", "\"../t\"").as_bytes()).is_err());
    }

    #[test]
    fn who_begins_begins_now_and_who_ended_begins_anew() {
        let seconds = Timestamp::from_secs;
        let everybody = Options { defaults: on(), ..Options::default() };
        let first = State::default().begin(&everybody, seconds(1)).unwrap();
        assert_eq!(first.since(&everybody, &tenant("a")), Some(seconds(1)));
        assert_eq!(first.begin(&everybody, seconds(2)), None);
        let one = Options { tenants: BTreeMap::from([(tenant("a"), on())]), ..Options::default() };
        let second = first.begin(&one, seconds(3)).unwrap();
        assert_eq!((second.since(&one, &tenant("a")), second.since(&one, &tenant("b"))), (Some(seconds(3)), None));
        assert_eq!(second.since_any(), Some(seconds(3)));
        let third = second.begin(&everybody, seconds(4)).unwrap();
        assert_eq!(third.since(&everybody, &tenant("a")), Some(seconds(4)));
    }
}
