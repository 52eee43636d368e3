use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use icegate_model::Table;
use icegate_wal::{Wal, WalError};
use tokio::time::Instant;

/// How long a list of marks is believed: a segment that an operator gives free is seen by queries after that.
const MAX_AGE: Duration = Duration::from_secs(15);

/// When a table's marks were listed, and the names that bear one.
type Listed = (Instant, Arc<BTreeSet<String>>);

/// Which segments shifters have set aside.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    kept: Mutex<HashMap<Table, Listed>>,
}

impl Marks {
    pub(crate) async fn of(&self, wal: &Wal, table: Table) -> Result<Arc<BTreeSet<String>>, WalError> {
        let now = Instant::now();
        if let Some((listed, marks)) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&table)
            && now.duration_since(*listed) < MAX_AGE
        {
            return Ok(Arc::clone(marks));
        }
        let marks = Arc::new(wal.quarantined(table).await?);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(table, (now, Arc::clone(&marks)));
        Ok(marks)
    }
}
