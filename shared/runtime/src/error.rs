use std::path::PathBuf;

use icegate_model::ErrorKind;

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read configuration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file's ending says neither YAML nor TOML.
    #[error("configuration {}: unknown ending, allowed are .yaml, .yml and .toml", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// The text isn't YAML or TOML.
    #[error("{source_name}: {message}")]
    Syntax {
        /// The file, or the variable.
        source_name: String,
        /// What the parser says, with the line.
        message: String,
    },
    /// A key or a value that isn't allowed.
    #[error("{source_name}: {path}: {message}")]
    Value {
        /// The file, or the variable.
        source_name: String,
        /// The key's path, joined by dots.
        path: String,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl ConfigError {
    pub(crate) fn value(path: &str, message: impl Into<String>) -> Self {
        Self::Value { source_name: "configuration".to_owned(), path: path.to_owned(), message: message.into() }
    }

    /// What the caller has to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}
