use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use icegate_model::Table;
use icegate_testkit::Dice;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::world::World;

/// Damaged segments of a run, at most: each is read again and again.
const MOST: usize = 2;

/// Puts damaged copies of segments beside them, and objects that no writer made.
pub(crate) async fn spoil(world: Arc<World>, process: usize) {
    let mut dice = world.dice("vandal");
    let longest = u64::try_from(world.scenario.pause.as_millis()).unwrap_or(0);
    for _ in 0..MOST {
        world.turns.after(process, Duration::from_millis(dice.between(500, 2 * longest.max(2_000)))).await;
        if world.is_calm() {
            return;
        }
        let table = *dice.pick(&world.scenario.tables);
        let odd = world.root.path(&format!("queue/{table}/odd ~name%2e {}", dice.next()));
        world.root.store.put(&odd, "not a segment".into()).await.unwrap();
        copy_damaged(&world, table, &mut dice).await;
    }
}

async fn copy_damaged(world: &World, table: Table, dice: &mut Dice) {
    let prefix = world.root.path(&format!("queue/{table}"));
    let listed: Vec<_> = world.root.store.list(Some(&prefix)).try_collect().await.unwrap();
    let whole: Vec<&Path> = listed.iter().map(|object| &object.location).filter(|path| is_whole(world, path)).collect();
    if whole.is_empty() {
        return;
    }
    let original = *dice.pick(&whole);
    let mut parts: Vec<String> = original.filename().unwrap_or_default().split('.').map(str::to_owned).collect();
    parts[1] = format!("{:016x}{:016x}", dice.next(), dice.next());
    let copy = prefix.join(parts.join("."));
    let bytes = world.root.store.get(original).await.unwrap().bytes().await.unwrap();
    world.spoil(copy.filename().unwrap_or_default().to_owned());
    world.root.store.put(&copy, damaged(&bytes, dice).into()).await.unwrap();
    world.note("vandal", &format!("puts a damaged {copy}"));
    world.count("event: a damaged segment appears");
}

fn is_whole(world: &World, path: &Path) -> bool {
    path.filename().is_some_and(|name| name.ends_with(".parquet") && !world.is_spoilt(name))
}

/// The bytes cut short, with a bit flipped, with another end, or none.
fn damaged(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let last = bytes.len() as u64 - 1;
    let at = usize::try_from(dice.between(0, last)).unwrap_or(0);
    match dice.between(0, 3) {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << dice.between(0, 7),
        2 => {
            // A footer that claims two gigabytes.
            let end = bytes.len();
            bytes[end - 8..end - 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        }
        _ => bytes.clear(),
    }
    bytes
}
