//! What every function of AWS Lambda shares: how it starts, how it is invoked, and how it ends.
//!
//! Row 6, adapters only. [`main`] starts a function: logs, configuration from the environment, secrets by ARN. [`http::serve`] puts an
//! axum [`Router`](axum::Router) behind API Gateway (HTTP API, payload 2.0; REST API, payload 1.0) and function URLs;
//! [`events::run`] hands any other event to a function.
//! [`emf`] writes what an invocation cost.
//!
//! - **TENANT-1** unless `auth.mode` is `header`, the tenant comes from what the gateway's authorizer says and from nothing that the
//!   client sends; `X-Scope-OrgID` only chooses among the tenants that it grants.
//! - **READ-2** an answer that is larger than Lambda passes on is an error that says so, never a part of it.
//! - **BOUND-1** a function's memory bounds what its parts may hold ([`Settings::bound`]); an answer comes before the gateway stops
//!   waiting.
//! - Nothing runs between invocations: an environment may be frozen as soon as it has answered, for hours or for ever.
//!
//! # Settings
//!
//! Beside `ICEGATE_CONFIG` and `ICEGATE_SECTION__KEY`, which mean what they mean in the process:
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `ICEGATE_FUNCTION_ANSWER_WITHIN_MS` | 28000 | how long a request of API Gateway may take; one of a function URL has the function's own time-out |
//! | `ICEGATE_FUNCTION_STREAMING` | `false` | answers are streamed, for a function URL whose invoke mode is `RESPONSE_STREAM` |
//! | `ICEGATE_FUNCTION_BASE_PATH` | the function's own | a prefix of paths that is left out, such as `/tempo` |
//!
//! A value of any `ICEGATE_` variable that is the ARN of a secret (Secrets Manager) or of a parameter (SSM) is replaced by its text.

pub mod emf;
mod error;
pub mod events;
pub mod http;
mod log;
mod run;
mod secrets;
mod settings;
mod source;
mod start;

pub use error::HostError;
pub use run::invocations;
pub use settings::Settings;
pub use source::outside;
pub use start::{Start, main};
