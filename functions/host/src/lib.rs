//! What all functions of AWS Lambda share: the adapters between Lambda's events and the stages.
//!
//! Row 6. Knows Lambda and no stage: a function hands in what to do with an event.

pub mod emf;
pub mod events;
