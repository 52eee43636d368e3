//! What the judge looks at when the store has changed.

use icegate_testkit::{Call, Fate, Operation, When};
use object_store::Error;

use crate::objects::Object;
use crate::world::World;

impl World {
    /// The store has done a request.
    pub(crate) async fn observe(&self, call: &Call, fate: Fate, result: &Result<(), &Error>) {
        match (Object::of(&call.path), call.operation, result) {
            (Object::Metadata(table), Operation::Create, Ok(())) => {
                self.count("commits");
                if matches!(fate.trouble, Some((When::After, _))) {
                    self.count("event: the reply of a swap that happened is lost");
                }
                self.look(table).await;
            }
            (Object::Metadata(_), Operation::Create, Err(Error::AlreadyExists { .. })) => self.count("conflicts"),
            (Object::Segment(table), Operation::Delete, Ok(())) => {
                self.count("segments deleted");
                self.look(table).await;
            }
            (Object::Segment(_), Operation::Put | Operation::Create, Ok(())) => self.count("segments written"),
            (Object::DataFile(table), Operation::Delete, Ok(())) => {
                self.count("data files deleted");
                self.look(table).await;
            }
            _ => {}
        }
    }

    async fn look(&self, table: icegate_model::Table) {
        self.count("audits");
        if let Err(wrong) = self.auditor.audit(self, table).await {
            self.violate(wrong);
        }
    }
}
