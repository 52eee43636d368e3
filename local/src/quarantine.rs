use icegate_lake::Lake;
use icegate_model::Table;
use prometheus_client::registry::Registry;

use crate::cli::Place;
use crate::error::ProcessError;
use crate::print;

/// `icegate maintain quarantine list`.
pub(crate) async fn list(place: &Place) -> Result<(), ProcessError> {
    let lake = Lake::open(place.config()?, &mut Registry::default())?;
    let wal = lake.wal();
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
