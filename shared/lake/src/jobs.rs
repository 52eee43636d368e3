use std::time::Duration;

use icegate_model::IdGenerator;
use icegate_runtime::config::{Config, JobStateCodec, JobStorage};
use icegate_shift::{Codec, Jobs, JobsConfig};
use icegate_storage::aws::AwsOptions;
use icegate_storage::{Root, Store, Stores};

use crate::LakeError;

const KEY: &str = "shift.jobsmanager.storage";
/// Below the queue, where no table's segments are listed.
const BESIDE_SEGMENTS: &str = "jobs";

/// Where this host's shifter takes turns with those of others.
pub(crate) fn open<W: Fn(Store) -> Store + Send + Sync + 'static>(
    config: &Config,
    queue: &Root,
    ids: &dyn IdGenerator,
    wrap: impl FnOnce() -> W,
) -> Result<Jobs, LakeError> {
    let manager = &config.shift.jobsmanager;
    let jobs = JobsConfig { lease: Duration::from_secs(manager.lease_secs), ..JobsConfig::named(holder(ids)) };
    let Some(storage) = &manager.storage else {
        return Ok(Jobs::new(queue.child(BESIDE_SEGMENTS), jobs));
    };
    let stores = Stores::new(options(storage)).with_wrap(wrap());
    let root = stores.open(&storage.url()).map_err(|source| LakeError::Place { key: KEY, source })?;
    let codec = match storage.job_state_codec {
        JobStateCodec::Json => Codec::Json,
        JobStateCodec::Cbor => Codec::Cbor,
    };
    Ok(Jobs::new(root, JobsConfig { codec, request_timeout: Duration::from_secs(storage.request_timeout_secs), ..jobs }))
}

fn options(storage: &JobStorage) -> AwsOptions {
    let or_variable = |given: &Option<icegate_runtime::Secret>, name| {
        given.as_ref().map(|secret| secret.reveal().to_owned()).or_else(|| std::env::var(name).ok())
    };
    let given = storage.access_key_id.is_some() || storage.secret_access_key.is_some();
    let id = or_variable(&storage.access_key_id, "AWS_ACCESS_KEY_ID");
    let secret = or_variable(&storage.secret_access_key, "AWS_SECRET_ACCESS_KEY");
    AwsOptions {
        request_timeout: Some(Duration::from_secs(storage.request_timeout_secs)),
        region: Some(storage.region.clone()),
        endpoint: storage.endpoint_url(),
        // Without either, the default chain finds keys that expire, too.
        credentials: id.zip(secret).filter(|_| given),
    }
}

/// A name that no other shifter has and that an operator can place.
fn holder(ids: &dyn IdGenerator) -> String {
    let host = std::env::var("HOSTNAME").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let host = host.map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned());
    format!("{host}-{}-{:08x}", std::process::id(), ids.unique().0 >> 96)
}
