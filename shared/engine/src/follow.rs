use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use icegate_model::{RequestId, Table, TenantId, TimeRange};
use icegate_tables::Shifted;
use icegate_wal::{Footer, Segment};

use crate::footers::Known;
use crate::plan::Window;
use crate::report::ScanReport;
use crate::segments::{requests, unmet};
use crate::{Engine, EngineError, Opened};

/// What someone has been given of one tenant's rows of a table: the next rows are those that came after it.
///
/// It holds the names of the listed segments that may be the tenant's, and the ids of the tenant's requests in them.
#[derive(Clone, Debug)]
pub struct Follower {
    table: Table,
    tenant: TenantId,
    /// Segments whose rows were given or are in the table; of those in the table, ledgers name the requests.
    seen: HashMap<Arc<str>, Arc<[RequestId]>>,
}

impl Follower {
    fn see(&mut self, segments: &[(Segment, Arc<Footer>)]) {
        for (segment, footer) in segments {
            let requests = requests(footer, &self.tenant);
            self.seen.insert(Arc::from(segment.name.as_str()), Arc::from(requests));
        }
    }

    /// Nothing of these will be given.
    fn pass<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        self.seen.extend(names.map(|name| (Arc::from(name), Arc::default())));
    }

    fn has_seen(&self, segment: &Segment) -> bool {
        self.seen.contains_key(segment.name.as_str())
    }
}

impl Engine {
    /// The tenant's rows as [`Engine::open`] gives them, and a follower that has been given them: every row that is acknowledged
    /// later, and no other, is among what [`Engine::follow`] gives.
    ///
    /// # Errors
    /// Those of [`Engine::open`]; [`EngineError::NoWal`] where this engine doesn't read it.
    pub async fn open_followed(
        &self,
        table: Table,
        tenant: &TenantId,
        range: TimeRange,
    ) -> Result<(Opened, Follower), EngineError> {
        let Some(wal) = &self.wal else { return Err(EngineError::NoWal) };
        let view = self.view(table).await?;
        let opened = match Window::of(range) {
            Some(window) => self.plan_view(table, tenant, window, &view).await?,
            None => self.opened(table, tenant, None, None, ScanReport::new(table, tenant.clone())),
        };
        let nothing_shifted = Shifted::default();
        let shifted = view.shifted().unwrap_or(&nothing_shifted);
        let mut follower = Follower { table, tenant: tenant.clone(), seen: HashMap::new() };
        // Segments that came to the table while the view was taken are in its ledgers and only in later listings.
        follower.pass(shifted.segments().map(|(name, _)| name));
        follower.pass(view.marked.iter().map(|segment| segment.name.as_str()));
        let fresh = view.listed.iter().filter(|segment| segment.tenants.may_hold(tenant) && !follower.has_seen(segment));
        let Known { readable, unreadable } = self.footers.of(wal, fresh.cloned().collect()).await?;
        follower.see(&readable);
        follower.pass(unreadable.iter().map(|segment| segment.name.as_str()));
        Ok((opened, follower))
    }

    /// The rows that were acknowledged since the follower was given any, each once, and the follower that has been given them; none
    /// where no segment came. Where reading them fails, the follower at hand asks for them again.
    ///
    /// # Errors
    /// Those of the WAL and the tables; [`EngineError::TooManyObjects`] where more came than one scan may read.
    pub async fn follow(&self, follower: &Follower) -> Result<Option<(Opened, Follower)>, EngineError> {
        let Some(wal) = &self.wal else { return Err(EngineError::NoWal) };
        let (table, tenant) = (follower.table, &follower.tenant);
        let view = self.view(table).await?;
        let mine = |segment: &&Segment| segment.tenants.may_hold(tenant);
        let fresh: Vec<_> = view.listed.iter().filter(mine).filter(|segment| !follower.has_seen(segment)).cloned().collect();
        let marked: Vec<_> = view.marked.iter().filter(mine).filter(|segment| !follower.has_seen(segment)).collect();
        if fresh.is_empty() && marked.is_empty() {
            return Ok(None);
        }
        self.check_objects(table, fresh.len())?;
        let Known { readable, unreadable } = self.footers.of(wal, fresh).await?;
        let mut report = ScanReport::new(table, tenant.clone());
        report.unreadable = marked.into_iter().chain(&unreadable).map(|segment| segment.name.clone()).collect();

        let listed: HashSet<&str> = view.listed.iter().map(|segment| segment.name.as_str()).collect();
        let mut next = follower.clone();
        next.seen.retain(|name, _| listed.contains(&**name));
        next.pass(report.unreadable.iter().map(String::as_str));
        next.see(&readable);

        let nothing_shifted = Shifted::default();
        let shifted = view.shifted().unwrap_or(&nothing_shifted);
        let mut met: HashSet<RequestId> = follower.seen.values().flat_map(|requests| requests.iter().copied()).collect();
        // What these segments brought to the table themselves is new; what another commit brought there isn't.
        let brought_before = |segment: &Segment, id| match shifted.request(id) {
            Some(at) => shifted.segment(&segment.name) != Some(at),
            None => false,
        };
        let everything = Window::EVERYTHING;
        let planned =
            unmet(readable, tenant, everything, &mut report, |segment, id| brought_before(segment, id) || !met.insert(id));
        Ok(Some((self.opened(table, tenant, None, Some(planned), report), next)))
    }
}
