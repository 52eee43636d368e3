//! Rows back to OTLP.
