//! Tells the binary which commit it was built from.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../.git/HEAD");
    println!("cargo:rerun-if-changed=../.git/logs/HEAD");
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let revision = output.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    println!("cargo:rustc-env=ICEGATE_REVISION={}", revision.as_deref().map_or("unknown", str::trim));
    println!("cargo:rustc-env=ICEGATE_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}
