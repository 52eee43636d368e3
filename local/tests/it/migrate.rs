//! `icegate maintain migrate`: what it would do, what it does, and that doing it again changes nothing.

use crate::process::run;

fn migrate(data: &std::path::Path, arguments: &[&str]) -> String {
    let mut all = vec!["maintain", "migrate"];
    all.extend(arguments);
    all.extend(["--data-dir", data.to_str().unwrap()]);
    let output = run(&all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tables_are_created_once_and_a_dry_run_creates_none() {
    let data = tempfile::tempdir().unwrap();
    let planned = migrate(data.path(), &["create", "--dry-run"]);
    assert!(!data.path().join("warehouse/icegate").exists());
    let created = migrate(data.path(), &["create"]);
    for table in ["logs", "spans", "metrics", "events"] {
        assert!(planned.contains(&format!("would create table icegate.{table}")), "{planned}");
        assert!(created.contains(&format!("create table icegate.{table}")), "{created}");
        assert!(data.path().join(format!("warehouse/icegate/{table}/metadata/v1.metadata.json")).exists());
    }
    for again in [["create", "--dry-run"], ["upgrade", "--dry-run"]] {
        assert_eq!(migrate(data.path(), &again), "nothing to do: the tables are up to date\n");
    }
    assert_eq!(migrate(data.path(), &["upgrade"]), "nothing to do: the tables are up to date\n");
}
