//! What the WAL must do on every store, as functions on an empty place in it.
//!
//! ```
//! # tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap().block_on(async {
//! icegate_wal::conformance::all(&icegate_storage::Root::memory()).await
//! # }).unwrap();
//! ```

mod sample;

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{ErrorKind, RandomIds, RequestId, SystemClock, Table};
use icegate_storage::Root;
use object_store::ObjectStoreExt;

pub use self::sample::{rows, scope};
use crate::{Durable, Metrics, Request, Segment, SegmentTenants, Wal, WalError, Writer, WriterConfig};

/// A rule that does not hold, or an error that kept it from being checked.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// The rule does not hold.
    #[error("write-ahead log breaks the rule: {rule}")]
    Broken {
        /// The rule.
        rule: &'static str,
    },
    /// The WAL failed where it should not.
    #[error("write-ahead log failed: {0}")]
    Wal(#[from] WalError),
    /// The store failed where it should not.
    #[error("store failed: {0}")]
    Store(#[from] object_store::Error),
    /// A sample could not be made.
    #[error("no sample rows: {0}")]
    Sample(#[from] arrow::error::ArrowError),
    /// A sample's tenant is not valid.
    #[error("no sample tenant: {0}")]
    Tenant(#[from] icegate_model::InvalidTenant),
}

fn holds(rule: &'static str, held: bool) -> Result<(), Violation> {
    if held { Ok(()) } else { Err(Violation::Broken { rule }) }
}

/// Every rule of this module, each in a place of its own below `root`.
///
/// # Errors
/// The first rule that does not hold.
pub async fn all(root: &Root) -> Result<(), Violation> {
    what_is_acknowledged_is_listed_and_reads_back(&root.child("read")).await?;
    row_groups_are_of_one_tenant_and_read_alone(&root.child("groups")).await?;
    foreign_objects_are_told_apart(&root.child("foreign")).await?;
    deleted_segments_are_gone(&root.child("delete")).await
}

async fn write(root: &Root, requests: Vec<Request>) -> Result<(Wal, Vec<Durable>), Violation> {
    let wal = Wal::new(root.clone());
    let config = WriterConfig { flush_interval: Duration::from_millis(20), ..WriterConfig::default() };
    let (writer, task) = Writer::start(Arc::new(wal.clone()), config, Arc::new(SystemClock), Arc::new(RandomIds), Metrics::new());
    let durable = futures::future::try_join_all(requests.into_iter().map(|request| writer.append(request))).await;
    task.close().await;
    Ok((wal, durable?))
}

fn request(id: u128, tenant: &str, account: Option<&str>, tables: &[Table], times: &[i64]) -> Result<Request, Violation> {
    let (tenant, account) = scope(tenant, account)?;
    let batch = |&table: &Table| Ok((table, rows(table, &tenant, account.as_ref(), times)?));
    let batches = tables.iter().map(batch).collect::<Result<_, Violation>>()?;
    Ok(Request { id: RequestId(id), tenant, account, batches })
}

/// WAL-1: what `append` calls durable is listed with the tenant and times that it has, and reads back row by row.
///
/// # Errors
/// The rule that does not hold.
pub async fn what_is_acknowledged_is_listed_and_reads_back(root: &Root) -> Result<(), Violation> {
    let sent = request(1, "team-a", Some("x"), &Table::ALL, &[-7, 2_000_000, 1])?;
    let (wal, durable) = write(root, vec![sent.clone()]).await?;
    let acknowledged: Vec<_> = durable.iter().flat_map(Durable::segments).collect();
    holds("a request has a segment a table", acknowledged.len() == Table::ALL.len())?;
    for (table, batch) in &sent.batches {
        let listing = wal.list(*table).await?;
        let [segment] = listing.segments.as_slice() else {
            return Err(Violation::Broken { rule: "an acknowledged segment is listed" });
        };
        holds("a listing gives what was acknowledged", acknowledged.iter().any(|known| known.as_ref() == segment))?;
        holds("a listing gives the only tenant", segment.tenants == SegmentTenants::One(sent.tenant.clone()))?;
        holds("a listing gives the times", (segment.min, segment.max) == (-7, 2_000_000))?;
        holds("rows read back as they were", wal.read(segment).await? == [batch.clone()])?;
        let footer = wal.footer(segment).await?;
        holds(
            "a footer names the request and its rows",
            footer.requests.iter().map(|run| (run.id, run.rows)).eq([(sent.id, 3)]),
        )?;
    }
    Ok(())
}

/// TENANT-1: tenants and accounts share a segment and never a row group, and a row group is read without the others.
///
/// # Errors
/// The rule that does not hold.
pub async fn row_groups_are_of_one_tenant_and_read_alone(root: &Root) -> Result<(), Violation> {
    let logs = [Table::Logs];
    let sent = vec![
        request(1, "b", None, &logs, &[1, 2])?,
        request(2, "a", Some("x"), &logs, &[10])?,
        request(3, "a", None, &logs, &[20])?,
        request(4, "b", None, &logs, &[3])?,
    ];
    let (wal, _) = write(root, sent.clone()).await?;
    for segment in wal.list(Table::Logs).await?.segments {
        let footer = wal.footer(&segment).await?;
        let all = wal.read(&segment).await?;
        holds("a batch is a row group", all.len() == footer.row_groups.len())?;
        for (number, group) in footer.row_groups.iter().enumerate() {
            let alone = wal.read_row_groups(&segment, &[number]).await?;
            holds("a row group read alone is the same", alone == all[number..=number])?;
            // The sample's times of one tenant and account follow each other.
            let times: Vec<i64> = (group.min..=group.max).collect();
            let expected = rows(Table::Logs, &group.tenant, group.account.as_ref(), &times)?;
            holds("a row group has the rows of its tenant and account", alone == [expected])?;
        }
        let missing = wal.read_row_groups(&segment, &[footer.row_groups.len()]).await;
        holds("a row group that is not there is named", missing.is_err_and(|error| error.kind() == ErrorKind::Invalid))?;
    }
    Ok(())
}

/// Objects that are no segments are reported by name and don't keep segments from being listed.
///
/// # Errors
/// The rule that does not hold.
pub async fn foreign_objects_are_told_apart(root: &Root) -> Result<(), Violation> {
    let sent = request(1, "a", None, &[Table::Logs], &[1])?;
    let (wal, _) = write(root, vec![sent]).await?;
    let segment = wal.list(Table::Logs).await?.segments.remove(0);
    let foreign = [root.path("logs/readme.txt"), root.path("logs/below").join(segment.name.as_str())];
    for path in &foreign {
        root.store.put(path, "text".into()).await?;
    }
    root.store.put(&root.path("logs2").join(segment.name.as_str()), "text".into()).await?;
    let mut listing = wal.list(Table::Logs).await?;
    listing.unknown.sort_unstable();
    holds("segments are listed beside foreign objects", listing.segments == [segment.clone()])?;
    holds("foreign objects are reported", listing.unknown == [foreign[1].clone(), foreign[0].clone()])?;
    root.store.put(&segment.path, "text".into()).await?;
    let replaced = wal.list(Table::Logs).await?.segments.remove(0);
    let corrupt = |error: WalError| error.kind() == ErrorKind::Corrupt && error.to_string().contains(&segment.name);
    holds("an object that is no segment is corrupt", wal.footer(&replaced).await.is_err_and(corrupt))?;
    holds("an object that is no segment reads as corrupt", wal.read(&replaced).await.is_err_and(corrupt))
}

/// Deleted segments are not listed and read as not found; deleting them again is fine.
///
/// # Errors
/// The rule that does not hold.
pub async fn deleted_segments_are_gone(root: &Root) -> Result<(), Violation> {
    let sent = request(1, "a", None, &[Table::Logs, Table::Events], &[1])?;
    let (wal, _) = write(root, vec![sent]).await?;
    let segments = wal.list(Table::Logs).await?.segments;
    for _ in 0..2 {
        wal.delete(&segments).await?;
        holds("a deleted segment is not listed", wal.list(Table::Logs).await?.segments.is_empty())?;
    }
    holds("another table's segments stay", wal.list(Table::Events).await?.segments.len() == 1)?;
    let gone = wal.read(&segments[0]).await;
    holds("a deleted segment is not found", gone.is_err_and(|error| error.kind() == ErrorKind::NotFound))
}

/// Makes a segment one of another format version, a digit, with nothing else about it changed; for tests of what a later release
/// may leave.
///
/// # Errors
/// Where it is no segment.
pub async fn rewrite_as_version(root: &Root, segment: &Segment, version: u8) -> Result<(), Violation> {
    const VERSION: &[u8] = b"{\"version\":1,";
    let mut bytes = root.store.get(&segment.path).await?.bytes().await?.to_vec();
    let found = bytes.windows(VERSION.len()).position(|window| window == VERSION);
    let Some(start) = found else { return Err(Violation::Broken { rule: "a footer begins with its version" }) };
    bytes[start + VERSION.len() - 2] = b'0' + version % 10;
    let resealed = crate::seal::reseal(bytes).ok_or(Violation::Broken { rule: "a segment is sealed" })?;
    root.store.put(&segment.path, resealed.into()).await?;
    Ok(())
}
