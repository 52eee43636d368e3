use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use futures::{StreamExt, future};

use crate::TempoError;

/// Takes batches of rows.
pub(super) trait Consume: Send + 'static {
    /// Takes one batch.
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), TempoError>;
}

/// Runs a plan, each of its partitions as a task with a consumer of its own; gives the consumers back.
pub(super) async fn drive<C: Consume>(frame: DataFrame, make: impl Fn() -> Result<C, TempoError>) -> Result<Vec<C>, TempoError> {
    let streams = frame.execute_stream_partitioned().await?;
    let mut tasks = Vec::with_capacity(streams.len());
    for mut stream in streams {
        let mut consumer = make()?;
        tasks.push(SpawnedTask::spawn(async move {
            while let Some(batch) = stream.next().await {
                consumer.consume(&batch?)?;
            }
            Ok::<C, TempoError>(consumer)
        }));
    }
    let finished = future::try_join_all(tasks.into_iter().map(SpawnedTask::join)).await;
    finished.map_err(|error| DataFusionError::External(Box::new(error)))?.into_iter().collect()
}
