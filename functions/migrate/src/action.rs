use icegate_function_host::events::{EventError, only};
use serde_json::Value;

const ALLOWED: &str = "action (create or upgrade) and dry_run (true or false)";

/// What to do to the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create those that don't exist.
    Create,
    /// The same, and add the columns that the others lack.
    Upgrade,
}

impl Action {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Upgrade => "upgrade",
        }
    }
}

/// An invocation by hand: `{"action": "create" | "upgrade", "dry_run": bool}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to do.
    pub action: Action,
    /// Whether to say only what would be done.
    pub dry_run: bool,
}

impl Plan {
    /// What a deployment does: also a new stack may find tables of an earlier one.
    pub(crate) const DEPLOYED: Self = Self { action: Action::Upgrade, dry_run: false };

    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`], for the first field that can't be used.
    pub fn read(event: &Value) -> Result<Self, EventError> {
        let object = event.as_object().ok_or(EventError::Foreign { expected: ALLOWED })?;
        only(object, &["action", "dry_run"], ALLOWED)?;
        let action = match object.get("action").and_then(Value::as_str) {
            Some("create") => Action::Create,
            Some("upgrade") => Action::Upgrade,
            _ => return Err(EventError::Shape { field: "/action", expected: "create or upgrade" }),
        };
        let dry_run = match object.get("dry_run") {
            None => false,
            Some(value) => value.as_bool().ok_or(EventError::Shape { field: "/dry_run", expected: "true or false" })?,
        };
        Ok(Self { action, dry_run })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_is_read_field_by_field_and_an_unknown_field_is_refused_by_name() {
        let plan = Plan::read(&json!({"action": "upgrade", "dry_run": true}));
        assert_eq!(plan, Ok(Plan { action: Action::Upgrade, dry_run: true }));
        assert_eq!(Plan::read(&json!({"action": "create"})), Ok(Plan { action: Action::Create, dry_run: false }));
        for (event, error) in [
            (json!({}), "/action is missing or not create or upgrade"),
            (json!({"action": "drop"}), "/action is missing or not create or upgrade"),
            (json!({"action": "create", "dry_run": "yes"}), "/dry_run is missing or not true or false"),
            (
                json!({"action": "create", "dryrun": true}),
                "unknown field \"dryrun\", allowed are action (create or upgrade) and dry_run (true or false)",
            ),
        ] {
            assert_eq!(Plan::read(&event).unwrap_err().to_string(), error, "{event}");
        }
    }
}
