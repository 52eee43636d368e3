use icegate_model::Table;
use icegate_storage::Root;
use icegate_wal::Wal;

use crate::cli::Place;
use crate::error::ProcessError;
use crate::print;

/// `icegate maintain quarantine list`.
pub(crate) async fn list(place: &Place) -> Result<(), ProcessError> {
    let queue = place.config()?.queue.common.base_path;
    let root = Root::open(&queue).map_err(|source| ProcessError::Storage { key: "queue.common.base_path", source })?;
    let wal = Wal::new(root);
    let mut none = true;
    for table in Table::ALL {
        for segment in wal.quarantined(table).await? {
            none = false;
            let mark = wal.root().url_of(&wal.mark_path(table, &segment));
            match wal.quarantine_mark(table, &segment).await {
                Ok(found) => print(&format!(
                    "{table} {segment}: {}; set aside by {} at {} s after 1970, {mark}",
                    found.reason,
                    found.by,
                    found.at().millis() / 1000
                ))?,
                Err(error) => print(&format!("{table} {segment}: {error}"))?,
            }
        }
    }
    if none { print("no segment is set aside") } else { print("delete a mark to make shifters try its segment again") }
}
