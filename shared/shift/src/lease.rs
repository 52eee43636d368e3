//! One shifter a table at a time, as a rule: saves the others its work. Nothing rests on it, since commits compare ledgers.

use futures::TryStreamExt;
use icegate_model::{ErrorKind, Table, Timestamp};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutPayload};
use serde::{Deserialize, Serialize};

use crate::jobs::{Jobs, JobsError};

/// Digits of an epoch in its object's name: a listing is in the order of the numbers.
const DIGITS: usize = 20;

/// What a shifter learns when it asks for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The table is this shifter's.
    Mine,
    /// Another one works on it.
    Others,
    /// Nobody can tell: the work is done all the same.
    Unknown,
}

/// What is known of a table's lease without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Known {
    #[default]
    Nothing,
    Mine {
        epoch: u64,
        until: Timestamp,
    },
    /// Until then asking is no use.
    Others {
        until: Timestamp,
    },
    /// The store failed; until then it isn't asked.
    Failing {
        until: Timestamp,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lease {
    holder: String,
    until_micros: i64,
}

impl Known {
    pub(crate) fn is_mine(self, now: Timestamp) -> bool {
        matches!(self, Self::Mine { until, .. } if now < until)
    }
}

impl Jobs {
    /// Finds out whose a table is, and takes it where it is nobody's.
    pub(crate) async fn look(&self, table: Table, known: Known, now: Timestamp) -> (Claim, Known) {
        let asked = match known {
            Known::Mine { until, .. } if now + self.config.lease / 2 < until => return (Claim::Mine, known),
            Known::Others { until } if self.binds(now, until) => return (Claim::Others, known),
            Known::Failing { until } if self.binds(now, until) => return (Claim::Unknown, known),
            Known::Mine { epoch, until } if now < until => self.create(table, epoch + 1, now).await,
            _ => self.ask(table, now).await,
        };
        match asked {
            Ok(learnt) if learnt.is_mine(now) => (Claim::Mine, learnt),
            Ok(learnt) => (Claim::Others, learnt),
            Err(error) => {
                tracing::warn!(%table, %error, "leases can't be used, the shift goes on without");
                (Claim::Unknown, Known::Failing { until: now + self.config.lease / 2 })
            }
        }
    }

    /// Makes a lease end now. Its object stays, so that epochs never start anew while somebody remembers a higher one.
    pub(crate) async fn end(&self, table: Table, known: Known, now: Timestamp) -> Result<(), JobsError> {
        if let Known::Mine { epoch, until } = known
            && now < until
        {
            self.put(table, epoch + 1, now).await?;
            self.delete(&[self.lease_path(table, epoch)]).await;
        }
        Ok(())
    }

    /// A lease binds until it ends, but never for longer than one can be given: its holder's clock may be wrong.
    fn binds(&self, now: Timestamp, until: Timestamp) -> bool {
        now < until && until <= now + self.config.lease * 2
    }

    async fn ask(&self, table: Table, now: Timestamp) -> Result<Known, JobsError> {
        let epochs = self.epochs(table).await?;
        let Some(newest) = epochs.last() else { return self.create(table, 1, now).await };
        match self.lease(table, *newest).await {
            // Renewed since it was listed.
            Ok(None) => Ok(Known::Others { until: now }),
            Ok(Some(lease)) => {
                let until = Timestamp::from_micros(lease.until_micros);
                if !self.binds(now, until) {
                    let taken = self.create(table, newest + 1, now).await?;
                    if taken.is_mine(now) {
                        let older: Vec<_> = epochs.iter().map(|epoch| self.lease_path(table, *epoch)).collect();
                        self.delete(&older).await;
                    }
                    Ok(taken)
                } else if lease.holder == self.config.holder {
                    Ok(Known::Mine { epoch: *newest, until })
                } else {
                    Ok(Known::Others { until })
                }
            }
            // An object that no shifter wrote binds nobody.
            Err(JobsError::Corrupt { .. }) => self.create(table, newest + 1, now).await,
            Err(error) => Err(error),
        }
    }

    /// Takes an epoch, if nobody has.
    async fn create(&self, table: Table, epoch: u64, now: Timestamp) -> Result<Known, JobsError> {
        let until = now + self.config.lease;
        match self.put(table, epoch, until).await {
            Ok(()) => {
                if epoch > 1 {
                    self.delete(&[self.lease_path(table, epoch - 1)]).await;
                }
                Ok(Known::Mine { epoch, until })
            }
            Err(JobsError::Store(error)) if icegate_storage::kind_of(&error) == ErrorKind::Conflict => {
                // It may be this shifter's own, by a request whose answer was lost.
                let taken = self.lease(table, epoch).await?;
                let until = taken.as_ref().map_or(now, |lease| Timestamp::from_micros(lease.until_micros));
                let mine = taken.is_some_and(|lease| lease.holder == self.config.holder);
                Ok(if mine { Known::Mine { epoch, until } } else { Known::Others { until } })
            }
            Err(error) => Err(error),
        }
    }

    async fn put(&self, table: Table, epoch: u64, until: Timestamp) -> Result<(), JobsError> {
        let path = self.lease_path(table, epoch);
        let lease = Lease { holder: self.config.holder.clone(), until_micros: until.micros() };
        let bytes =
            serde_json::to_vec(&lease).map_err(|error| JobsError::Corrupt { path: path.clone(), reason: error.to_string() })?;
        let put = self.root.store.put_opts(&path, PutPayload::from(bytes), PutMode::Create.into());
        self.within(put).await.map(drop)
    }

    async fn lease(&self, table: Table, epoch: u64) -> Result<Option<Lease>, JobsError> {
        let path = self.lease_path(table, epoch);
        let read = async { self.root.store.get(&path).await?.bytes().await };
        let bytes = match self.within(read).await {
            Err(JobsError::Store(error)) if icegate_storage::is_not_found(&error) => return Ok(None),
            read => read?,
        };
        let lease = serde_json::from_slice(&bytes);
        lease.map(Some).map_err(|error| JobsError::Corrupt { path, reason: error.to_string() })
    }

    /// The epochs that there are, in order; names that are none are left alone.
    async fn epochs(&self, table: Table) -> Result<Vec<u64>, JobsError> {
        let prefix = self.leases(table);
        let listed: Vec<_> = self.within(self.root.store.list(Some(&prefix)).try_collect()).await?;
        let number = |path: &Path| {
            let digits = path.filename()?.strip_suffix(".json").filter(|digits| digits.len() == DIGITS)?;
            digits.parse().ok()
        };
        let mut epochs: Vec<u64> = listed.iter().filter_map(|object| number(&object.location)).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// What is left over is deleted by whoever takes the table next.
    async fn delete(&self, paths: &[Path]) {
        for path in paths {
            if let Err(error) = self.within(self.root.store.delete(path)).await {
                tracing::debug!(%path, %error, "old lease not deleted");
            }
        }
    }

    fn leases(&self, table: Table) -> Path {
        self.root.path("leases").join(table.name())
    }

    fn lease_path(&self, table: Table, epoch: u64) -> Path {
        self.leases(table).join(format!("{epoch:0width$}.json", width = DIGITS))
    }
}
