//! Tempo's API over HTTP.
