//! The protocol as a small machine, in every order in which its steps can happen.
//!
//! Three requests become segments, one of them is repeated, two shifters and a reader work beside each other, and two times
//! something crashes. Whatever is sent to the store may arrive late: after its sender has given up, or is dead.

use std::time::Instant;

use stateright::{Checker, Model, Property};

const REQUESTS: usize = 3;
/// One segment a request, and one for the repeated request.
const SEGMENTS: usize = REQUESTS + 1;
const SHIFTERS: usize = 2;
const CRASHES: u8 = 2;
const REPEATS: u8 = 1;
/// Swaps that are on their way at once: one a shifter, and one whose sender has given up.
const SWAPS: usize = SHIFTERS + 1;

/// A set of segments or of requests, a bit each.
type Set = u8;

const fn bit(of: usize) -> Set {
    1 << of
}

fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..8).filter(move |of| set & bit(*of) != 0)
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
    Unused,
    OnItsWay(u8),
    Durable(u8),
    Deleted(u8),
    /// Its ingester died before it was written.
    Never,
}

/// The newest metadata: what every ledger together says, and how often each request's rows are in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Table {
    version: u8,
    segments: Set,
    requests: Set,
    rows: [u8; REQUESTS],
}

/// A compare-and-set on its way. Whose it is, if its sender lives and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Swap {
    sender: Option<u8>,
    base: u8,
    segments: Set,
    requests: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// Has a listing of the WAL.
    Listed(Set),
    /// Has loaded the table after it: some segments may be deleted, some are to be shifted.
    Planned {
        done: Set,
        pending: Set,
    },
    /// Has written files.
    Written,
    /// Has compared its ledger with the table of this version.
    Checked(u8),
    /// Has sent its swap on that version.
    Waiting(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Shifter {
    phase: Phase,
    /// What it took.
    segments: Set,
    requests: Set,
    /// Its ledger was compared before.
    compared: bool,
    /// Its commit is in the table's history, where it can find it.
    landed: bool,
}

const IDLE: Shifter = Shifter { phase: Phase::Idle, segments: 0, requests: 0, compared: false, landed: false };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Reader {
    Idle,
    Listed {
        must: Set,
        listed: Set,
    },
    /// Reads segments one after the other; the table's files can't change.
    Reading {
        must: Set,
        left: Set,
        rows: [u8; REQUESTS],
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    segments: [Segment; SEGMENTS],
    acknowledged: Set,
    repeats: u8,
    crashes: u8,
    table: Table,
    swaps: Vec<Swap>,
    shifters: [Shifter; SHIFTERS],
    reader: Reader,
    /// A reader's answer lacked an acknowledged row, or had one twice.
    wrong_answer: bool,
    replanned: bool,
    conflicted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Send(usize),
    Repeat(usize),
    Arrive(usize),
    Acknowledge(usize),
    IngesterCrashes,
    List(usize),
    Plan(usize),
    Delete(usize, usize),
    Rest(usize),
    Take(usize, Set),
    Check(usize),
    SendSwap(usize),
    SwapArrives(usize, bool),
    SwapIsLost(usize),
    GiveUpWaiting(usize),
    ShifterCrashes(usize),
    ReaderLists,
    ReaderLoads,
    ReaderReads(usize),
    ReaderAnswers,
}

struct Protocol(Broken);

impl State {
    fn request_of(&self, segment: usize) -> Option<usize> {
        match self.segments[segment] {
            Segment::OnItsWay(request) | Segment::Durable(request) | Segment::Deleted(request) => Some(usize::from(request)),
            Segment::Unused | Segment::Never => None,
        }
    }

    fn durable(&self) -> Set {
        let durable = (0..SEGMENTS).filter(|segment| matches!(self.segments[*segment], Segment::Durable(_)));
        durable.fold(0, |set, segment| set | bit(segment))
    }

    fn requests_of(&self, segments: Set) -> Set {
        members(segments).filter_map(|segment| self.request_of(segment)).fold(0, |set, request| set | bit(request))
    }

    fn was_sent(&self, request: usize) -> bool {
        (0..SEGMENTS).any(|segment| self.request_of(segment) == Some(request))
    }

    fn is_durable(&self, request: usize) -> bool {
        let here =
            |segment: &Segment| matches!(*segment, Segment::Durable(of) | Segment::Deleted(of) if usize::from(of) == request);
        self.segments.iter().any(here)
    }

    fn send(&mut self, request: usize) -> bool {
        let Some(free) = self.segments.iter_mut().find(|segment| **segment == Segment::Unused) else { return false };
        *free = Segment::OnItsWay(request as u8);
        true
    }

    fn swap(&mut self, number: usize, reply: bool) {
        let swap = self.swaps.remove(number);
        let fits = swap.base == self.table.version;
        if fits {
            self.table.version += 1;
            self.table.segments |= swap.segments;
            self.table.requests |= swap.requests;
            for request in members(swap.requests) {
                self.table.rows[request] = (self.table.rows[request] + 1).min(2);
            }
        } else {
            self.conflicted = true;
        }
        if let Some(sender) = swap.sender {
            let sender = &mut self.shifters[usize::from(sender)];
            sender.landed |= fits;
            if reply && sender.phase == Phase::Waiting(swap.base) {
                // Committed, or to be checked against what came between.
                if fits { *sender = IDLE } else { sender.phase = Phase::Written }
            }
        }
    }
}

impl Protocol {
    fn ignores_ledgers(&self) -> bool {
        self.0 == Broken::SkipsLedger
    }

    fn shifter_actions(&self, state: &State, number: usize, actions: &mut Vec<Action>) {
        let shifter = &state.shifters[number];
        match shifter.phase {
            Phase::Idle if state.durable() != 0 => actions.push(Action::List(number)),
            Phase::Idle => {}
            Phase::Listed(_) => actions.push(Action::Plan(number)),
            Phase::Planned { done, pending } => {
                actions.extend(members(done).map(|segment| Action::Delete(number, segment)));
                actions.push(Action::Rest(number));
                if pending != 0 {
                    actions.push(Action::Take(number, pending));
                    if let Some(oldest) = members(pending).next().filter(|oldest| bit(*oldest) != pending) {
                        actions.push(Action::Take(number, bit(oldest)));
                    }
                }
            }
            Phase::Written => {
                actions.push(Action::Check(number));
                if self.0 == Broken::DeletesBeforeCommit {
                    actions.extend(members(shifter.segments & state.durable()).map(|segment| Action::Delete(number, segment)));
                }
            }
            Phase::Checked(_) if state.swaps.len() < SWAPS => actions.push(Action::SendSwap(number)),
            Phase::Checked(_) => {}
            Phase::Waiting(_) => actions.push(Action::GiveUpWaiting(number)),
        }
        if shifter.phase != Phase::Idle && state.crashes > 0 {
            actions.push(Action::ShifterCrashes(number));
        }
    }

    /// What a commit does before each swap; where its ledger is taken already, or its commit is found, it is over.
    fn check(&self, state: &mut State, number: usize) {
        let table = state.table;
        let shifter = &mut state.shifters[number];
        let skips = self.ignores_ledgers() || self.0 == Broken::RebasesWithoutCheck && shifter.compared;
        let taken = table.segments & shifter.segments != 0 || table.requests & shifter.requests != 0;
        if shifter.landed || taken && !skips {
            *shifter = IDLE;
        } else {
            shifter.phase = Phase::Checked(table.version);
            shifter.compared = self.0 == Broken::RebasesWithoutCheck;
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            segments: [Segment::Unused; SEGMENTS],
            acknowledged: 0,
            repeats: REPEATS,
            crashes: CRASHES,
            table: Table::default(),
            swaps: Vec::new(),
            shifters: [IDLE; SHIFTERS],
            reader: Reader::Idle,
            wrong_answer: false,
            replanned: false,
            conflicted: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // Requests are alike until they are sent: in their order, to meet each situation once.
        actions.extend((0..REQUESTS).find(|request| !state.was_sent(*request)).map(Action::Send));
        for request in (0..REQUESTS).filter(|request| state.was_sent(*request)) {
            let acknowledged = state.acknowledged & bit(request) != 0;
            let early = self.0 == Broken::AcknowledgesBeforePut;
            if !acknowledged && (state.is_durable(request) || early) {
                actions.push(Action::Acknowledge(request));
            }
            if state.repeats > 0 {
                actions.push(Action::Repeat(request));
            }
        }
        let on_its_way = |segment: &usize| matches!(state.segments[*segment], Segment::OnItsWay(_));
        actions.extend((0..SEGMENTS).filter(on_its_way).map(Action::Arrive));
        if state.crashes > 0 && (0..SEGMENTS).any(|segment| on_its_way(&segment)) {
            actions.push(Action::IngesterCrashes);
        }
        for number in 0..SHIFTERS {
            self.shifter_actions(state, number, actions);
        }
        for number in 0..state.swaps.len() {
            actions.extend([Action::SwapArrives(number, true), Action::SwapArrives(number, false), Action::SwapIsLost(number)]);
        }
        match state.reader {
            Reader::Idle => actions.push(Action::ReaderLists),
            Reader::Listed { .. } => actions.push(Action::ReaderLoads),
            Reader::Reading { left: 0, .. } => actions.push(Action::ReaderAnswers),
            Reader::Reading { left, .. } => actions.extend(members(left).next().map(Action::ReaderReads)),
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Send(request) => {
                // The last segment is for the repeated request.
                let used = state.segments.iter().filter(|segment| **segment != Segment::Unused).count();
                if used == SEGMENTS || !state.send(request) {
                    return None;
                }
            }
            Action::Repeat(request) => {
                state.repeats -= 1;
                if !state.send(request) {
                    return None;
                }
            }
            Action::Arrive(segment) => {
                let Segment::OnItsWay(request) = state.segments[segment] else { return None };
                state.segments[segment] = Segment::Durable(request);
            }
            Action::Acknowledge(request) => state.acknowledged |= bit(request),
            Action::IngesterCrashes => {
                state.crashes -= 1;
                for segment in &mut state.segments {
                    if matches!(segment, Segment::OnItsWay(_)) {
                        *segment = Segment::Never;
                    }
                }
            }
            Action::List(number) => state.shifters[number].phase = Phase::Listed(state.durable()),
            Action::Plan(number) => {
                let Phase::Listed(listed) = state.shifters[number].phase else { return None };
                let known = if self.ignores_ledgers() { 0 } else { state.table.segments };
                state.shifters[number].phase = Phase::Planned { done: listed & state.table.segments, pending: listed & !known };
            }
            Action::Delete(number, segment) => {
                if let Segment::Durable(request) = state.segments[segment] {
                    state.segments[segment] = Segment::Deleted(request);
                }
                if let Phase::Planned { done, .. } = &mut state.shifters[number].phase {
                    *done &= !bit(segment);
                }
            }
            Action::Rest(number) => state.shifters[number] = IDLE,
            Action::Take(number, wanted) => {
                // What was deleted since the listing can't be read, and is in the table.
                let segments = wanted & state.durable();
                if segments == 0 {
                    state.shifters[number] = IDLE;
                } else {
                    let known = if self.ignores_ledgers() { 0 } else { state.table.requests };
                    let requests = state.requests_of(segments) & !known;
                    state.shifters[number] = Shifter { phase: Phase::Written, segments, requests, ..IDLE };
                }
            }
            Action::Check(number) => self.check(&mut state, number),
            Action::SendSwap(number) => {
                let Shifter { phase: Phase::Checked(base), segments, requests, .. } = state.shifters[number] else { return None };
                state.shifters[number].phase = Phase::Waiting(base);
                state.swaps.push(Swap { sender: Some(number as u8), base, segments, requests });
                state.swaps.sort_unstable();
            }
            Action::SwapArrives(number, reply) => state.swap(number, reply),
            Action::SwapIsLost(number) => {
                state.swaps.remove(number);
            }
            // The swap may have arrived, and may still arrive.
            Action::GiveUpWaiting(number) => state.shifters[number].phase = Phase::Written,
            Action::ShifterCrashes(number) => {
                state.crashes -= 1;
                state.shifters[number] = IDLE;
                for swap in &mut state.swaps {
                    if swap.sender == Some(number as u8) {
                        swap.sender = None;
                    }
                }
                state.swaps.sort_unstable();
            }
            Action::ReaderLists => {
                state.reader = Reader::Listed { must: state.acknowledged, listed: state.durable() };
            }
            Action::ReaderLoads => {
                let Reader::Listed { must, listed } = state.reader else { return None };
                let mut left = 0;
                let mut met = state.table.requests;
                for segment in members(listed & !state.table.segments) {
                    let request = bit(state.request_of(segment)?);
                    if met & request == 0 {
                        met |= request;
                        left |= bit(segment);
                    }
                }
                state.reader = Reader::Reading { must, left, rows: state.table.rows };
            }
            Action::ReaderReads(segment) => {
                let Reader::Reading { must, mut left, mut rows } = state.reader else { return None };
                let request = state.request_of(segment)?;
                if matches!(state.segments[segment], Segment::Durable(_)) {
                    left &= !bit(segment);
                    rows[request] = (rows[request] + 1).min(2);
                    state.reader = Reader::Reading { must, left, rows };
                } else {
                    state.replanned = true;
                    state.reader = Reader::Listed { must, listed: state.durable() };
                }
            }
            Action::ReaderAnswers => {
                let Reader::Reading { must, rows, .. } = state.reader else { return None };
                state.wrong_answer |= members(must).any(|request| rows[request] == 0) || rows.iter().any(|count| *count > 1);
                state.reader = Reader::Idle;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no acknowledged request is lost", |_, state: &State| {
                members(state.acknowledged).all(|request| {
                    let pending = state.durable() & !state.table.segments;
                    state.table.rows[request] > 0 || state.requests_of(pending) & bit(request) != 0
                })
            }),
            Property::always("no request is in the table twice", |_, state: &State| {
                state.table.rows.iter().all(|count| *count <= 1)
            }),
            Property::always("a reader sees what was acknowledged before, once", |_, state: &State| !state.wrong_answer),
            Property::sometimes("everything is shifted and deleted", |_, state: &State| {
                state.table.rows == [1; REQUESTS] && state.durable() == 0 && state.swaps.is_empty()
            }),
            Property::sometimes("two commits conflict", |_, state: &State| state.conflicted),
            Property::sometimes("a reader plans once more", |_, state: &State| state.replanned),
        ]
    }
}

#[test]
fn the_protocol_holds_in_every_order_of_its_steps() {
    let began = Instant::now();
    let checker = Protocol(Broken::Nothing).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done(), "every state is visited");
    eprintln!("{} states, {} of them distinct, in {:?}", checker.state_count(), checker.unique_state_count(), began.elapsed());
}

#[test]
fn without_any_one_of_its_safety_steps_the_protocol_fails() {
    for (broken, property) in [
        (Broken::SkipsLedger, "no request is in the table twice"),
        (Broken::DeletesBeforeCommit, "no acknowledged request is lost"),
        (Broken::AcknowledgesBeforePut, "no acknowledged request is lost"),
        (Broken::RebasesWithoutCheck, "no request is in the table twice"),
    ] {
        let checker =
            Protocol(broken).checker().threads(2).finish_when(stateright::HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found: Vec<_> = checker.discoveries().into_keys().collect();
        let path = checker.discovery(property).unwrap_or_else(|| panic!("{broken:?}: {property} holds; found: {found:?}"));
        eprintln!("{broken:?}: {:?}", path.into_actions());
    }
}
