/// The version in Cargo's sense.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that the binary was built from; `unknown` outside a checkout.
pub(crate) const REVISION: &str = env!("ICEGATE_REVISION");

/// Version, commit and build, on one line.
pub(crate) fn text() -> String {
    let (profile, system, architecture) = (env!("ICEGATE_PROFILE"), std::env::consts::OS, std::env::consts::ARCH);
    format!("icegate {VERSION} (commit {REVISION}, {profile} build, {system} {architecture})")
}
