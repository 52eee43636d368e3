//! The protocol as a small machine, in every order in which its steps can happen.
//!
//! Three requests become segments, one of them is repeated, two shifters and a reader work beside each other, and two times a
//! shifter dies or gives up. What was sent to the store may arrive late, after its sender is gone, or never: what never arrives
//! is what is still on its way at the end. An ingester that dies with its put is that, too.
//!
//! To keep the machine small, what can't matter is not in it: an acknowledgement follows at once, which asks the most of the
//! others; a query is judged when it has planned, since what it will answer is fixed then; a swap of metadata that is not the
//! newest any more can't succeed and is dropped; whoever takes or deletes segments takes or deletes all that it may.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

const REQUESTS: usize = 3;
/// One a request, and one more for the request that is repeated.
const SEGMENTS: usize = REQUESTS + 1;
const SHIFTERS: usize = 2;
const CRASHES: u8 = 2;

/// A set of segments or of requests, a bit each.
type Set = u8;

const fn bit(of: usize) -> Set {
    1 << of
}

fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..SEGMENTS).filter(move |of| set & bit(*of) != 0)
}

/// A safety step that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Neither planning nor committing looks at the ledgers.
    SkipsLedger,
    /// Segments are deleted as soon as their rows are in files.
    DeletesBeforeCommit,
    /// A request is acknowledged while its segment is on its way.
    AcknowledgesBeforePut,
    /// A commit that lost its swap swaps the newer base without looking at its ledgers.
    RebasesWithoutCheck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Segment {
    /// For the request that is repeated.
    Unused,
    OnItsWay(u8),
    Durable(u8),
    Deleted(u8),
}

/// The newest metadata: what all ledgers together say, and how often each request's rows are in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Table {
    segments: Set,
    requests: Set,
    rows: [u8; REQUESTS],
}

/// Segments, and those of their requests that are not in the table, on their way into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Taken {
    segments: Set,
    requests: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// Has written files, and has to compare its ledger with the newest metadata.
    Written,
    /// Has compared it and sent its swap.
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Shifter {
    phase: Phase,
    taken: Taken,
    /// Its ledger was compared before, where that matters.
    compared: bool,
    /// Its commit is in the table's history, where it can find it.
    landed: bool,
}

const IDLE: Shifter = Shifter { phase: Phase::Idle, taken: Taken { segments: 0, requests: 0 }, compared: false, landed: false };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Reader {
    Idle,
    Listed { must: Set, listed: Set },
    Planned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct State {
    segments: [Segment; SEGMENTS],
    acknowledged: Set,
    crashes: u8,
    table: Table,
    /// Swaps on their way whose sender is gone, in order, none as nothing taken.
    stragglers: [Taken; CRASHES as usize],
    shifters: [Shifter; SHIFTERS],
    reader: Reader,
    /// The reader's answer lacks a row that was acknowledged before, or has one twice.
    wrong_answer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Repeat(usize),
    Arrive(usize),
    Acknowledge(usize),
    Take(usize, Set),
    Check(usize),
    SwapArrives { number: usize, reply: bool },
    StragglerArrives(usize),
    Vanish(usize),
    Delete,
    ReaderLists,
    ReaderLoads,
}

struct Protocol(Broken);

impl State {
    fn request_of(&self, segment: usize) -> usize {
        match self.segments[segment] {
            Segment::OnItsWay(request) | Segment::Durable(request) | Segment::Deleted(request) => usize::from(request),
            Segment::Unused => unreachable!("nobody has met it"),
        }
    }

    fn durable(&self) -> Set {
        let durable = (0..SEGMENTS).filter(|segment| matches!(self.segments[*segment], Segment::Durable(_)));
        durable.fold(0, |set, segment| set | bit(segment))
    }

    fn requests_of(&self, segments: Set) -> Set {
        members(segments).fold(0, |set, segment| set | bit(self.request_of(segment)))
    }

    /// A swap of the newest metadata arrives.
    fn swap(&mut self, swap: Taken) {
        self.table.segments |= swap.segments;
        self.table.requests |= swap.requests;
        for request in members(swap.requests) {
            self.table.rows[request] = (self.table.rows[request] + 1).min(2);
        }
        // All others are of older metadata now, and will hear so.
        self.stragglers = Default::default();
        for shifter in &mut self.shifters {
            if shifter.phase == Phase::Waiting {
                shifter.phase = Phase::Written;
            }
        }
    }

    /// Requests are alike, and shifters are: of all states that differ only in which is which, one stands for all.
    fn canonical(self) -> Self {
        const ORDERS: [[usize; REQUESTS]; 5] = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let sorted = self.with_sorted_shifters();
        ORDERS.iter().fold(sorted, |least, order| least.min(self.permuted(order).with_sorted_shifters()))
    }

    fn with_sorted_shifters(mut self) -> Self {
        self.shifters.sort_unstable();
        self.stragglers.sort_unstable();
        self
    }

    /// Request and segment `of` become `order[of]`; the segment of the repeated request stays in its place.
    fn permuted(&self, order: &[usize; REQUESTS]) -> Self {
        let set = |set: Set| (0..REQUESTS).fold(set & bit(REQUESTS), |new, of| new | ((set >> of) & 1) << order[of]);
        let counts = |counts: [u8; REQUESTS]| {
            let mut new = [0; REQUESTS];
            (0..REQUESTS).for_each(|of| new[order[of]] = counts[of]);
            new
        };
        let segment = |segment: Segment| match segment {
            Segment::Unused => Segment::Unused,
            Segment::OnItsWay(of) => Segment::OnItsWay(order[usize::from(of)] as u8),
            Segment::Durable(of) => Segment::Durable(order[usize::from(of)] as u8),
            Segment::Deleted(of) => Segment::Deleted(order[usize::from(of)] as u8),
        };
        let mut new = *self;
        (0..SEGMENTS).for_each(|of| new.segments[order.get(of).copied().unwrap_or(of)] = segment(self.segments[of]));
        new.acknowledged = set(self.acknowledged);
        let Table { segments, requests, rows } = self.table;
        new.table = Table { segments: set(segments), requests: set(requests), rows: counts(rows) };
        let taken = |taken: Taken| Taken { segments: set(taken.segments), requests: set(taken.requests) };
        new.stragglers = self.stragglers.map(taken);
        new.shifters = self.shifters.map(|shifter| Shifter { taken: taken(shifter.taken), ..shifter });
        new.reader = match self.reader {
            Reader::Listed { must, listed } => Reader::Listed { must: set(must), listed: set(listed) },
            other => other,
        };
        new
    }
}

impl Protocol {
    /// Of a set of segments or requests, those that planning leaves to be done.
    fn not_in(&self, ledger: Set, set: Set) -> Set {
        if self.0 == Broken::SkipsLedger { set } else { set & !ledger }
    }

    fn shifter_actions(&self, state: &State, number: usize, actions: &mut Vec<Action>) {
        match state.shifters[number].phase {
            Phase::Idle => {
                let pending = self.not_in(state.table.segments, state.durable());
                if pending != 0 {
                    actions.push(Action::Take(number, pending));
                }
            }
            Phase::Written => actions.push(Action::Check(number)),
            Phase::Waiting => {
                actions.extend([true, false].map(|reply| Action::SwapArrives { number, reply }));
            }
        }
        if state.shifters[number].phase != Phase::Idle && state.crashes > 0 {
            actions.push(Action::Vanish(number));
        }
    }

    /// Segments that somebody may delete: their rows are in the table, and stay there.
    fn deletable(&self, state: &State) -> Set {
        let written = state.shifters.iter().fold(0, |set, shifter| set | shifter.taken.segments);
        let early = if self.0 == Broken::DeletesBeforeCommit { written } else { 0 };
        state.durable() & (state.table.segments | early)
    }

    /// What a commit does before each swap; where its ledger is taken already, or its commit is found, it is over.
    fn check(&self, table: Table, shifter: &mut Shifter) {
        let skips = self.0 == Broken::SkipsLedger || self.0 == Broken::RebasesWithoutCheck && shifter.compared;
        let Taken { segments, requests } = shifter.taken;
        let is_in_ledger = table.segments & segments != 0 || table.requests & requests != 0;
        if shifter.landed || is_in_ledger && !skips {
            *shifter = IDLE;
        } else {
            shifter.phase = Phase::Waiting;
            shifter.compared = self.0 == Broken::RebasesWithoutCheck;
        }
    }

    fn plan(state: &mut State, must: Set, listed: Set) {
        let mut rows = state.table.rows;
        let mut met = state.table.requests;
        for segment in members(listed & !state.table.segments) {
            let request = state.request_of(segment);
            rows[request] += if met & bit(request) == 0 { 1 } else { 0 };
            met |= bit(request);
        }
        state.wrong_answer = members(must).any(|request| rows[request] == 0) || rows.iter().any(|count| *count > 1);
        state.reader = Reader::Planned;
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            segments: [Segment::OnItsWay(0), Segment::OnItsWay(1), Segment::OnItsWay(2), Segment::Unused],
            acknowledged: 0,
            crashes: CRASHES,
            table: Table::default(),
            stragglers: Default::default(),
            shifters: [IDLE; SHIFTERS],
            reader: Reader::Idle,
            wrong_answer: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for request in 0..REQUESTS {
            if self.0 == Broken::AcknowledgesBeforePut && state.acknowledged & bit(request) == 0 {
                actions.push(Action::Acknowledge(request));
            }
            if state.segments[REQUESTS] == Segment::Unused {
                actions.push(Action::Repeat(request));
            }
        }
        let on_its_way = |segment: &usize| matches!(state.segments[*segment], Segment::OnItsWay(_));
        actions.extend((0..SEGMENTS).filter(on_its_way).map(Action::Arrive));
        for number in 0..SHIFTERS {
            self.shifter_actions(state, number, actions);
        }
        let stragglers = (0..state.stragglers.len()).filter(|number| state.stragglers[*number] != Taken::default());
        actions.extend(stragglers.map(Action::StragglerArrives));
        if self.deletable(state) != 0 {
            actions.push(Action::Delete);
        }
        match state.reader {
            Reader::Idle => actions.push(Action::ReaderLists),
            Reader::Listed { .. } => actions.push(Action::ReaderLoads),
            Reader::Planned => {}
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Repeat(request) => state.segments[REQUESTS] = Segment::OnItsWay(request as u8),
            Action::Arrive(segment) => {
                let request = state.request_of(segment);
                state.segments[segment] = Segment::Durable(request as u8);
                state.acknowledged |= bit(request);
            }
            Action::Acknowledge(request) => state.acknowledged |= bit(request),
            Action::Delete => {
                for segment in members(self.deletable(last)) {
                    state.segments[segment] = Segment::Deleted(state.request_of(segment) as u8);
                }
            }
            Action::Take(number, segments) => {
                let requests = self.not_in(state.table.requests, state.requests_of(segments));
                state.shifters[number] = Shifter { phase: Phase::Written, taken: Taken { segments, requests }, ..IDLE };
            }
            Action::Check(number) => self.check(state.table, &mut state.shifters[number]),
            Action::SwapArrives { number, reply } => {
                state.swap(last.shifters[number].taken);
                if reply {
                    state.shifters[number] = IDLE;
                } else {
                    state.shifters[number].landed = true;
                }
            }
            Action::StragglerArrives(number) => state.swap(last.stragglers[number]),
            Action::Vanish(number) => {
                state.crashes -= 1;
                if last.shifters[number].phase == Phase::Waiting {
                    let place = state.stragglers.iter_mut().find(|place| **place == Taken::default())?;
                    *place = last.shifters[number].taken;
                }
                state.shifters[number] = IDLE;
            }
            Action::ReaderLists => state.reader = Reader::Listed { must: state.acknowledged, listed: state.durable() },
            Action::ReaderLoads => {
                let Reader::Listed { must, listed } = last.reader else { return None };
                Self::plan(&mut state, must, listed);
            }
        }
        Some(state.canonical())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LOST, |_, state: &State| {
                let pending = state.requests_of(state.durable() & !state.table.segments);
                members(state.acknowledged).all(|request| state.table.rows[request] > 0 || pending & bit(request) != 0)
            }),
            Property::always(DOUBLED, |_, state: &State| state.table.rows.iter().all(|count| *count <= 1)),
            Property::always(READ, |_, state: &State| !state.wrong_answer),
            Property::sometimes("everything is shifted, deleted and read", |_, state: &State| {
                state.table.rows == [1; REQUESTS] && state.durable() == 0 && state.reader == Reader::Planned
            }),
            Property::sometimes("the swap of a shifter that is gone is on its way", |_, state: &State| {
                state.stragglers.iter().any(|straggler| *straggler != Taken::default())
            }),
        ]
    }
}

const LOST: &str = "no acknowledged request is lost";
const DOUBLED: &str = "no request is in the table twice";
const READ: &str = "a reader sees what was acknowledged before, once";

#[test]
fn the_protocol_holds_in_every_order_of_its_steps() {
    let began = Instant::now();
    let checker = Protocol(Broken::Nothing).checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    assert!(checker.is_done(), "not every state was visited");
    eprintln!("{} steps, {} distinct states in {:?}", checker.state_count(), checker.unique_state_count(), began.elapsed());
}

#[test]
fn without_any_one_of_its_safety_steps_the_protocol_fails() {
    for (broken, property) in [
        (Broken::SkipsLedger, DOUBLED),
        (Broken::DeletesBeforeCommit, LOST),
        (Broken::AcknowledgesBeforePut, LOST),
        (Broken::RebasesWithoutCheck, DOUBLED),
    ] {
        let checker = Protocol(broken).checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found: Vec<_> = checker.discoveries().into_keys().collect();
        let path = checker.discovery(property).unwrap_or_else(|| panic!("{broken:?}: {property:?} holds; found: {found:?}"));
        eprintln!("{broken:?} breaks {property:?} by {:?}", path.into_actions());
    }
}
