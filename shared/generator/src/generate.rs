use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use icegate_model::{InvalidTenant, Timestamp};
use icegate_otlp::{Limits, Origin, metric_rows, rebuild};
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};

use crate::points::Interval;
use crate::service_graphs::Graph;
use crate::span_metrics::Spans;
use crate::state::{Owner, State};
use crate::{GeneratorError, Options, Processors};

/// The longest interval that a point claims to have counted in: what a pass finds after a quiet hour was counted at its end, and
/// a rate over minutes has to see it.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Times are told apart by milliseconds where metrics are queried.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// Rows of `spans`, all of one tenant's account, in the order of their arrival.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose.
    pub owner: Owner,
    /// The rows.
    pub rows: RecordBatch,
}

impl Part {
    /// Rows with the owner that they name; `Err` where they name several, or none that may be one.
    ///
    /// # Errors
    /// [`GeneratorError::Owner`].
    pub fn of(rows: RecordBatch) -> Result<Self, GeneratorError> {
        let column = |name: &'static str| rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let (Some(tenants), Some(accounts)) = (column(columns::TENANT_ID), column(columns::ACCOUNT_ID)) else {
            return Err(GeneratorError::Owner { reason: "rows have no tenants".to_owned() });
        };
        let unfit = |error: InvalidTenant| GeneratorError::Owner { reason: error.to_string() };
        let mut owners = tenants.iter().zip(accounts);
        let Some((tenant, account)) = owners.next() else {
            return Err(GeneratorError::Owner { reason: "there are no rows".to_owned() });
        };
        if owners.any(|other| other != (tenant, account)) {
            return Err(GeneratorError::Owner { reason: "rows are of several tenants or accounts".to_owned() });
        }
        let tenant = tenant.unwrap_or_default().parse().map_err(unfit)?;
        let account = account.map(|account| account.parse()).transpose().map_err(unfit)?;
        Ok(Self { owner: Owner { tenant, account }, rows })
    }
}

/// What became of a pass's spans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generated {
    /// Rows of `metrics`, a batch an owner; none where nothing was counted.
    pub batches: Vec<RecordBatch>,
    /// What is left to the next pass.
    pub state: State,
    /// What there was to count.
    pub counts: Counts,
}

/// What a pass counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans that metrics were made of.
    pub spans: u64,
    /// Requests between two services.
    pub edges: u64,
    /// Halves that waited in vain and tell no edge.
    pub expired: u64,
    /// Halves that were given up because too many wait.
    pub dropped: u64,
    /// Halves that go on waiting.
    pub waiting: u64,
}

/// Makes metrics of spans and of the halves that wait in `state`, at `now`, which the store's clock tells. Tenants for which `options`
/// ask nothing are left out, and what waits for them is forgotten.
///
/// With `expire`, halves that have waited long enough no longer wait; without, there are spans that came and are not among `parts`.
///
/// # Errors
/// [`GeneratorError::Otlp`] for rows that are not those of `spans`.
pub fn generate(
    parts: &[Part],
    state: &State,
    options: &Options,
    now: Timestamp,
    expire: bool,
) -> Result<Generated, GeneratorError> {
    let end = Timestamp::from_millis(now.millis()).max(Timestamp::from_millis((state.at + LEAST_INTERVAL).millis()));
    let interval = Interval { start: state.at.max(end - LONGEST_INTERVAL), end };
    let mut owners: BTreeMap<&Owner, Vec<RecordBatch>> = state.waiting.keys().map(|owner| (owner, Vec::new())).collect();
    for part in parts {
        owners.entry(&part.owner).or_default().push(part.rows.clone());
    }
    let mut generated =
        Generated { state: State { at: end, begun: state.begun.clone(), waiting: BTreeMap::new() }, ..Generated::default() };
    for (owner, rows) in owners {
        let Some(processors) = options.of(&owner.tenant) else { continue };
        let metrics = of_owner(owner, &rows, processors, state, (interval, now, expire), &mut generated)?;
        generated.batches.extend(rows_of(owner, metrics, end)?);
    }
    Ok(generated)
}

fn of_owner(
    owner: &Owner,
    rows: &[RecordBatch],
    processors: &Processors,
    state: &State,
    (interval, now, expire): (Interval, Timestamp, bool),
    generated: &mut Generated,
) -> Result<Vec<Metric>, GeneratorError> {
    let waiting = || state.waiting.get(owner).into_iter().flatten().cloned();
    let mut spans = processors.span_metrics.as_ref().map(Spans::new);
    let mut graph = processors.service_graphs.as_ref().map(|options| Graph::new(options, waiting()));
    let counts = &mut generated.counts;
    for resource_spans in rebuild::spans(rows)?.resource_spans {
        let resource = resource_spans.resource.map(|resource| resource.attributes).unwrap_or_default();
        for span in resource_spans.scope_spans.iter().flat_map(|scope| &scope.spans) {
            counts.spans += 1;
            spans.iter_mut().for_each(|spans| spans.add(&resource, span));
            graph.iter_mut().for_each(|graph| graph.add(&resource, span, now));
        }
    }
    let mut metrics: Vec<Metric> = spans.into_iter().flat_map(|spans| spans.metrics(interval)).collect();
    if let Some(graph) = graph {
        let (of_graph, edges, left) = graph.finish(interval, now, expire);
        metrics.extend(of_graph);
        counts.edges += edges;
        counts.expired += left.expired;
        counts.dropped += left.dropped;
        counts.waiting += left.waiting.len() as u64;
        if !left.waiting.is_empty() {
            generated.state.waiting.insert(owner.clone(), left.waiting);
        }
    }
    Ok(metrics)
}

/// Neither a resource nor a scope: their attributes would be labels that Tempo's metrics don't have.
fn rows_of(owner: &Owner, metrics: Vec<Metric>, at: Timestamp) -> Result<Vec<RecordBatch>, GeneratorError> {
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    let origin = Origin { tenant: owner.tenant.clone(), account: owner.account.clone(), ingested: at };
    // What was taken in as spans is not refused as labels of points.
    let limits = Limits { record_bytes: usize::MAX, rows_bytes: usize::MAX, ..Limits::default() };
    let rows = metric_rows(&ExportMetricsServiceRequest { resource_metrics }, &origin, &limits)?;
    if rows.rejected.count > 0 {
        return Err(GeneratorError::Refused { count: rows.rejected.count, reason: rows.rejected.message() });
    }
    Ok(rows.batches.into_iter().map(|(_, batch)| batch).collect())
}
