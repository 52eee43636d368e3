use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::dataframe::DataFrame;
use futures::{StreamExt, future};

use crate::LogqlError;

/// Takes batches of rows.
pub(crate) trait Consume: Send + 'static {
    /// Takes one batch.
    fn consume(&mut self, batch: &RecordBatch) -> Result<(), LogqlError>;
}

/// Runs a plan, each of its partitions as a task with a consumer of its own; gives the consumers back.
pub(crate) async fn drive<C: Consume>(frame: DataFrame, make: impl Fn() -> C) -> Result<Vec<C>, LogqlError> {
    let streams = frame.execute_stream_partitioned().await?;
    let tasks = streams.into_iter().map(|mut stream| {
        let mut consumer = make();
        SpawnedTask::spawn(async move {
            while let Some(batch) = stream.next().await {
                consumer.consume(&batch?)?;
            }
            Ok::<C, LogqlError>(consumer)
        })
    });
    let finished = future::try_join_all(tasks.map(SpawnedTask::join)).await;
    finished.map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?.into_iter().collect()
}
