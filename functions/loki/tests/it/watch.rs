//! The commands of the README's "As functions", run as they are written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use icegate_testkit::free_ports;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(120);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The command behind a marker of the README.
fn readme(marker: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("<!-- command: {marker} -->\n```bash\n")).unwrap_or_else(|| panic!("no {marker}"));
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// Where `cargo-lambda` is: beside the Python of the tests, or on the path.
fn cargo_lambda() -> Option<PathBuf> {
    let beside = std::env::var_os("ICEGATE_PYTHON").and_then(|python| Some(Path::new(&python).parent()?.to_owned()));
    let path = std::env::var_os("PATH")?;
    beside.into_iter().chain(std::env::split_paths(&path)).find(|folder| folder.join("cargo-lambda").exists())
}

/// A `cargo` that runs what is built already, below `folder`, instead of building it again with other features, and passes everything
/// else on.
fn cargo_that_does_not_build(folder: &Path) -> PathBuf {
    let binaries = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let (bin, real) = (folder.join("bin"), std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    // Cargo itself would put its own folder before this one.
    let script = format!(
        "#!/bin/sh
case \"$1\" in
lambda) exec cargo-lambda \"$@\" ;;
run) while [ \"$1\" != --bin ]; do shift; done; cd '{}' && exec '{}'/\"$2\" ;;
*) exec '{real}' \"$@\" ;;
esac
",
        folder.display(),
        binaries.display()
    );
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("cargo"), script).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

/// Ends everything that it started.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "TERM", "--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

fn bash(command: &str) -> String {
    let quiet = command.replace("curl ", "curl -sS --max-time 120 ");
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &quiet]).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_readmes_functions_take_a_line_in_and_find_it() {
    let Some(tool) = cargo_lambda().filter(|_| Command::new("curl").arg("--version").output().is_ok()) else {
        eprintln!("skipped the_readmes_functions: there is no cargo-lambda beside ICEGATE_PYTHON or on the path, or no curl");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let at = |command: String| command.replace("9000", &port.to_string());
    let path = std::env::var_os("PATH").unwrap();
    let folders = [cargo_that_does_not_build(folder.path()), tool].into_iter().chain(std::env::split_paths(&path));
    let mut watch = Command::new("bash");
    watch.args(["-euc", &at(readme("functions"))]).current_dir(root()).env("PATH", std::env::join_paths(folders).unwrap());
    watch.env_remove("CARGO").process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut watch = Watch(watch.spawn().unwrap());
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < PATIENCE && watch.0.try_wait().unwrap().is_none(), "cargo lambda watch does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let taken: Value = serde_json::from_str(&bash(&at(readme("functions ingest")))).unwrap();
    assert_eq!(taken["partialSuccess"]["rejectedLogRecords"], 0, "{taken}");
    let found: Value = serde_json::from_str(&bash(&at(readme("functions query")))).unwrap();
    assert_eq!(found["data"]["result"][0]["values"][0][1], "User login successful", "{found}");
    assert!(folder.path().join("data/queue/logs").is_dir());
}
