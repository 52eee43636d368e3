use icegate_storage::aws::AwsOptions;
use icegate_storage::{Root, Stores};
use icegate_testkit::S3Server;
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

#[tokio::test(flavor = "multi_thread")]
async fn the_wal_conforms_on_an_s3_server() {
    let Some(server) = S3Server::shared("the_wal_conforms_on_an_s3_server") else { return };
    let stores = Stores::new(AwsOptions {
        region: Some("us-east-1".to_owned()),
        endpoint: Some(server.endpoint()),
        credentials: Some(("key".to_owned(), "secret".to_owned())),
        ..AwsOptions::default()
    });
    conformance::all(&stores.open(&format!("s3://{}/queue/", server.bucket())).unwrap()).await.unwrap();
}
