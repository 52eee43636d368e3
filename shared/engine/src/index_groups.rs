//! The list of index groups, as it is now and then read again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use icegate_model::Table;
use icegate_storage::{Root, is_not_found};
use icegate_tables::IndexGroups;
use object_store::GetOptions;
use tokio::time::Instant;

/// How long a list is believed. What it doesn't name yet is covered by objects of its own.
const MAX_AGE: Duration = Duration::from_secs(30);
/// With fewer files it isn't worth looking for groups: their own objects are asked.
const MIN_FILES: usize = 16;

/// The list of each table.
#[derive(Debug, Default)]
pub(crate) struct ListedGroups {
    kept: Mutex<HashMap<Table, Listed>>,
}

#[derive(Clone, Debug)]
struct Listed {
    at: Instant,
    e_tag: Option<String>,
    groups: Option<Arc<IndexGroups>>,
}

impl ListedGroups {
    /// The groups to ask about so many files, if there are any, and the bytes that were fetched to know it.
    pub(crate) async fn of(&self, table: Table, root: &Root, files: usize) -> (Option<Arc<IndexGroups>>, usize) {
        if files < MIN_FILES {
            return (None, 0);
        }
        let now = Instant::now();
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&table).cloned();
        if let Some(known) = known.as_ref().filter(|known| now.duration_since(known.at) < MAX_AGE) {
            return (known.groups.clone(), 0);
        }
        let (listed, bytes) = read(table, root, now, known).await;
        let groups = listed.groups.clone();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(table, listed);
        (groups, bytes)
    }
}

/// The list as it is now; where it can't be read, what was known of it: groups never change.
async fn read(table: Table, root: &Root, now: Instant, known: Option<Listed>) -> (Listed, usize) {
    let (e_tag, groups) = known.map_or((None, None), |known| (known.e_tag, known.groups));
    let path = IndexGroups::path(root);
    let options = GetOptions { if_none_match: e_tag.clone(), ..GetOptions::default() };
    let read = async {
        let found = root.store.get_opts(&path, options).await?;
        let e_tag = found.meta.e_tag.clone();
        Ok((e_tag, found.bytes().await?))
    };
    let listed = |e_tag, groups| Listed { at: now, e_tag, groups };
    match read.await {
        Ok((new, bytes)) => match IndexGroups::decode(&bytes) {
            Ok(groups) => (listed(new, Some(Arc::new(groups))), bytes.len()),
            Err(reason) => {
                tracing::warn!(%table, object = %path, reason, "list of index groups can't be read, each file's own index is asked");
                (listed(None, groups), bytes.len())
            }
        },
        Err(object_store::Error::NotModified { .. }) => (listed(e_tag, groups), 0),
        Err(error) if is_not_found(&error) => (listed(None, None), 0),
        Err(error) => {
            tracing::warn!(%table, object = %path, %error, "list of index groups can't be read, each file's own index is asked");
            (listed(e_tag, groups), 0)
        }
    }
}
