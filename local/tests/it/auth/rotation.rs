use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Key, Way, document, start, write};
use crate::process::{PATIENCE, Process};

/// Waits until the key is let in, or isn't any more.
async fn until(process: &Process, key: &Key, let_in: bool) {
    let started = Instant::now();
    while (Way::Query.ask(process, &[("Authorization", &key.bearer())], "").await.0 == 200) != let_in {
        assert!(started.elapsed() < PATIENCE, "the document was not read again: {}", process.log());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_under_load_without_a_refused_request() {
    const GENERATIONS: usize = 3;
    let data = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..=GENERATIONS)
        .map(|generation| Key::create(&format!("generation-{generation}"), &["team-a"], &["read", "write"], &[]))
        .collect();
    let process = Arc::new(start(&data, &[&keys[0]]).await);
    let (current, stop, served) =
        (Arc::new(Mutex::new(keys[0].bearer())), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = [Way::Otlp, Way::Grpc, Way::Query, Way::Push]
        .map(|way| {
            let (process, current, stop, served) =
                (Arc::clone(&process), Arc::clone(&current), Arc::clone(&stop), Arc::clone(&served));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let bearer = current.lock().unwrap().clone();
                    let (status, text) = way.ask(&process, &[("Authorization", &bearer)], "load").await;
                    assert!(status == 200 || status == 204, "{way:?}: {status} {text}");
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .into();
    for pair in keys.windows(2) {
        let [old, new] = pair else { panic!("windows of two") };
        write(data.path(), &document(&[old, new]));
        until(&process, new, true).await;
        *current.lock().unwrap() = new.bearer();
        // Every client has seen an answer to the old key before it goes.
        let seen = served.load(Ordering::SeqCst) + 8;
        while served.load(Ordering::SeqCst) < seen && clients.iter().all(|client| !client.is_finished()) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        // A slip of the pen meanwhile lets nobody out.
        write(data.path(), "keys: [{}]");
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        write(data.path(), &document(&[new]));
        until(&process, old, false).await;
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert!(process.metric(r#"icegate_auth_refreshes_total{document="keys",outcome="changed"}"#).await >= 6.0);
    assert!(process.metric(r#"icegate_auth_refreshes_total{document="keys",outcome="failed"}"#).await >= 1.0);
    let log = process.log();
    assert!(log.contains("the last good one stays") && log.contains("keys[0]: missing field `id`"), "{log}");
}
