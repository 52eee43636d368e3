//! Functions that are not HTTP: woken by a queue, a schedule or a deployment.
//!
//! [`run`] is the whole life of such a function: it opens what it works on once, and then handles one event after the other; after each
//! it writes what was counted ([`crate::emf`]) before it replies, because an environment may be frozen as soon as it has replied.
//!
//! What an event holds is believed as little as possible. It is taken apart field by field ([`wake`], [`custom_resource`]), errors name
//! what is wrong and never repeat what was sent, and one bad message of a batch is the failure of that message alone.

pub mod custom_resource;
mod deadline;
mod error;
mod fields;
mod invocation;
pub mod notification;
mod start;
pub mod wake;

pub use deadline::Deadline;
pub use error::EventError;
pub use fields::only;
pub use invocation::{Handler, HandlerError, Invocation, invoke};
pub use start::run;
