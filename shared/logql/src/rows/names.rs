use std::collections::HashMap;
use std::sync::Arc;

/// Names that are kept before they are started anew.
const MAX_NAMES: usize = 65_536;

/// Names of labels that come again and again, each allocated once.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Box<str>, Arc<str>>);

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        if self.0.len() >= MAX_NAMES {
            self.0.clear();
        }
        let name: Arc<str> = Arc::from(name);
        self.0.insert(Box::from(&*name), Arc::clone(&name));
        name
    }
}
