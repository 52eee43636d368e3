//! What a commit leaves to the next of its kind, beside rows.
//!
//! An object of its own, written before the swap at a name that is never given out twice. The table's property [`STATE_KEY`] names the
//! newest one; it changes with the snapshot in one swap, so that state, rows and ledger appear together. Commits of another kind leave
//! it as it is. Whoever commits a state says which one it has read, and is refused where another is the newest by then.

use bytes::Bytes;
use iceberg::spec::TableMetadata;
use icegate_model::Table;
use object_store::ObjectStoreExt;

use crate::error::TablesError;
use crate::{Snapshot, Tables};

/// Key of the table's properties: the URL of the newest state.
pub(crate) const STATE_KEY: &str = "icegate.state";

/// What a commit leaves, in place of what it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextState {
    /// URL of the state that the commit rests on ([`Snapshot::state`]); none where there was none.
    pub after: Option<String>,
    /// What it leaves.
    pub bytes: Bytes,
}

/// URL of the newest state.
pub(crate) fn state_of(metadata: &TableMetadata) -> Option<&str> {
    metadata.properties().get(STATE_KEY).map(String::as_str)
}

impl Tables {
    /// The bytes of a snapshot's state; `None` where it has none.
    ///
    /// # Errors
    /// [`TablesError::Store`], of kind `NotFound` where a later commit has replaced it: the snapshot isn't the newest.
    pub async fn state_of(&self, snapshot: &Snapshot) -> Result<Option<Bytes>, TablesError> {
        let Some(url) = snapshot.state() else { return Ok(None) };
        let layout = crate::layout::Layout { root: snapshot.root().clone() };
        Ok(Some(layout.read(&layout.path_of(url)?).await?))
    }

    /// Deletes a state that a commit has replaced. What can't be deleted now is an orphan.
    pub(crate) async fn delete_state(&self, table: Table, layout: &crate::layout::Layout, url: &str) {
        let deleted = match layout.path_of(url) {
            Ok(path) => layout.root.store.delete(&path).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = deleted {
            tracing::debug!(%table, state = url, error, "replaced state is not deleted, it is an orphan");
        }
    }
}
