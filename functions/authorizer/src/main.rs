//! The function `authorizer`: which tenants and scopes a key or a token has, for the gateway.

use std::process::ExitCode;

use icegate_function_authorizer::Authorizer;
use icegate_function_host::events;

fn main() -> ExitCode {
    events::run("authorizer", Authorizer::open)
}
