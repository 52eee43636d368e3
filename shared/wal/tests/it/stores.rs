use icegate_storage::Root;
use icegate_wal::conformance;

#[tokio::test(flavor = "multi_thread")]
async fn the_wal_conforms_in_memory() {
    conformance::all(&Root::memory()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wal_conforms_on_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::open(&format!("file://{}/", directory.path().display())).unwrap();
    conformance::all(&root.child("queue")).await.unwrap();
}
