use std::fmt::Write;

use icegate_auth::{ApiKey, AuthError, Keys, SECRET_BYTES};
use icegate_model::{Clock, SystemClock};
use serde_json::json;

use crate::cli::{KeyArgs, KeysArgs};
use crate::error::ProcessError;
use crate::print;

/// `icegate keys create`: the key on the second line, which nothing keeps, and below it what the document of keys needs.
pub(crate) fn create(arguments: &KeyArgs) -> Result<(), ProcessError> {
    let mut random = [0; SECRET_BYTES];
    getrandom::fill(&mut random).map_err(ProcessError::Random)?;
    let key = ApiKey::new(arguments.id.clone(), &random);
    let entry = entry(arguments, &key);
    Keys::parse(&format!("keys:\n{entry}"))?;
    print("# The key: it is shown this once. Send it as Authorization: Bearer KEY, or as the password of Basic.")?;
    print(key.reveal())?;
    print("# Its entry in the document of keys:")?;
    print(entry.trim_end())
}

/// `icegate keys check`.
pub(crate) fn check(arguments: &KeysArgs) -> Result<(), ProcessError> {
    let place = arguments.file.display().to_string();
    let read = std::fs::read_to_string(&arguments.file);
    let text = read.map_err(|error| AuthError::Unreadable { place, message: error.to_string() })?;
    let keys = Keys::parse(&text)?;
    keys.describe(SystemClock.now()).iter().try_for_each(|line| print(line))?;
    print(&format!("the document is valid, it has {} keys", keys.len()))
}

/// The key's entry in YAML; texts in quotes are JSON's, which are YAML's, too.
fn entry(arguments: &KeyArgs, key: &ApiKey) -> String {
    let list = |texts: Vec<String>| texts.join(", ");
    let quoted = |text: &String| json!(text).to_string();
    let tenants = list(arguments.tenants.iter().map(|tenant| json!(tenant.as_str()).to_string()).collect());
    let scopes = list(arguments.scopes.iter().map(ToString::to_string).collect());
    let mut entry = format!(
        "- id: {}\n  hash: {}\n  tenants: [{tenants}]\n  scopes: [{scopes}]\n",
        json!(key.id().as_str()),
        key.hash().to_text()
    );
    for (name, value) in [("not_before", &arguments.not_before), ("expires", &arguments.expires), ("note", &arguments.note)] {
        if let Some(value) = value.as_ref().map(quoted) {
            // Writing to a text can't fail.
            let _ = writeln!(entry, "  {name}: {value}");
        }
    }
    entry
}
