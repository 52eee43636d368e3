use std::sync::Arc;
use std::time::Duration;

use icegate_model::{ErrorKind, RequestId, TenantId};
use icegate_testkit::Dice;
use icegate_wal::Request;
use tokio::time::timeout;

use crate::ledger_of_truth::Row;
use crate::virtual_clock::START;
use crate::world::World;

/// Attempts before a client gives a request up.
const ATTEMPTS: u32 = 8;
/// The tenants of a run.
pub(crate) const TENANTS: [&str; 2] = ["a", "b"];

/// Sends requests one after the other, each again and again until it is acknowledged.
pub(crate) async fn send(world: Arc<World>, process: usize, number: usize) {
    let name = format!("client{number}");
    let mut client = Client { dice: world.dice(&name), world, process, name };
    for request in 0..client.world.scenario.requests {
        let request = client.compose(number as u64 * 100 + request);
        client.deliver(&request).await;
        if client.dice.chance(150) {
            client.repeat(&request).await;
        }
        let pause = client.pause();
        client.world.turns.after(process, pause).await;
    }
}

struct Client {
    world: Arc<World>,
    process: usize,
    name: String,
    dice: Dice,
}

impl Client {
    fn pause(&mut self) -> Duration {
        let longest = u64::try_from(self.world.scenario.pause.as_millis()).unwrap_or(0);
        Duration::from_millis(self.dice.between(0, longest))
    }

    /// A request that nobody has sent before.
    fn compose(&mut self, number: u64) -> Request {
        let id = RequestId(u128::from(self.dice.next()) << 64 | u128::from(self.dice.next()));
        let tenant: TenantId = self.dice.pick(&TENANTS).parse().unwrap();
        let account = self.dice.chance(200).then(|| "x".parse().unwrap());
        let (mut rows, mut batches) = (Vec::new(), Vec::new());
        for table in self.world.scenario.tables.clone() {
            let first = first_row(&mut self.dice, number);
            let count = i64::try_from(self.dice.between(1, 5)).unwrap_or(1);
            let times: Vec<Row> = (first..first + count).collect();
            batches.push((table, icegate_wal::conformance::rows(table, &tenant, account.as_ref(), &times).unwrap()));
            rows.push((table, times));
        }
        self.world.truth().send(id, tenant.clone(), rows);
        Request { id, tenant, account, batches }
    }

    async fn deliver(&mut self, request: &Request) {
        for attempt in 1..=ATTEMPTS {
            let acknowledged = self.attempt(request).await;
            let lost = acknowledged && !self.world.is_calm() && self.dice.chance(80);
            if lost {
                self.world.count("event: an acknowledgement is lost");
            }
            if acknowledged && !lost {
                let rows = self.world.truth().acknowledge(request.id);
                self.world.note(&self.name, &format!("{} is acknowledged", request.id));
                self.world.count_many("rows acknowledged", rows);
                self.world.count("requests acknowledged");
                return;
            }
            self.world.count("event: a request is repeated");
            let wait = Duration::from_millis(self.dice.between(20, 400 << attempt.min(6)));
            self.world.turns.after(self.process, wait).await;
        }
        self.world.note(&self.name, &format!("gives {} up", request.id));
        self.world.count("requests given up");
    }

    /// Sends what is acknowledged already, as a client does that has forgotten.
    async fn repeat(&mut self, request: &Request) {
        let pause = self.pause();
        self.world.turns.after(self.process, pause).await;
        self.world.count("event: a request is sent again after its acknowledgement");
        self.attempt(request).await;
    }

    async fn attempt(&mut self, request: &Request) -> bool {
        let replica = self.dice.between(0, self.world.scenario.ingesters as u64 - 1);
        let patience = Duration::from_millis(*self.dice.pick(&[250, 5_000, 60_000]));
        let latency = Duration::from_millis(self.dice.between(1, 20));
        self.world.note(&self.name, &format!("sends {} to ingester{replica}", request.id));
        let answer = match self.world.ingester(usize::try_from(replica).unwrap_or(0)) {
            None => Err("nobody is there".to_owned()),
            Some((writer, dead)) => tokio::select! {
                biased;
                () = dead.cancelled() => Err("connection reset".to_owned()),
                answer = timeout(patience, writer.append(request.clone())) => match answer {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => {
                        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                        Err("unavailable".to_owned())
                    }
                    Err(_) => Err("no answer".to_owned()),
                },
            },
        };
        self.world.turns.after(self.process, latency).await;
        if let Err(error) = &answer {
            self.world.note(&self.name, &format!("{}: {error}", request.id));
        }
        answer.is_ok()
    }
}

/// The first row of a request: most are of today, some of other days, of 1754, 1970 and 2262.
fn first_row(dice: &mut Dice, number: u64) -> Row {
    const DAY: i64 = 86_400_000_000;
    let today = START.micros();
    let day = *dice.pick(&[today, today, today, today + DAY, today - DAY, 0, -6_816_000_000_000_000, 9_223_286_400_000_000]);
    day + i64::try_from(number).unwrap_or(0) * 1_000
}
