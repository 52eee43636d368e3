//! What all seeds together have to meet, so that a run that exercises nothing fails.

use icegate_simulation::Report;

/// Rows of the fault matrix, each with what has to have happened.
const ROWS: [(&str, &[&str]); 13] = [
    (
        "F1 killed between a segment's put and its acknowledgement",
        &["event: killed between a segment's put and its acknowledgement", "event: a request is repeated"],
    ),
    (
        "F2 killed between a commit and the deletion of its segments",
        &["event: killed between a commit and the deletion of its segments"],
    ),
    (
        "F3 killed between a data file's put and its commit",
        &["event: killed between a data file's put and its commit", "event: an orphan is removed"],
    ),
    (
        "F4 a put that times out or whose reply is lost, and happened",
        &["fault: Put after its effect: connection reset by peer", "event: request of a dead process arrives"],
    ),
    ("F5 several shifters on the same segments", &["event: another shifter was first"]),
    (
        "F6 conflicts of swaps",
        &[
            "conflicts",
            "fault: Create before its effect: 409 Conflict",
            "fault: Create before its effect: 412 Precondition Failed",
        ],
    ),
    (
        "F7 the outcome of a swap is unknown",
        &[
            "event: the reply of a swap that happened is lost",
            "fault: Create after its effect: 409 Conflict",
            "fault: Create after its effect: 412 Precondition Failed",
        ],
    ),
    (
        "F9 slow, broken and refused requests",
        &[
            "fault: a request or reply stalls",
            "fault: a body breaks off",
            "fault: Put before its effect: 503 Slow Down",
            "fault: GetRange before its effect: 500 Internal Server Error",
            "fault: List after its effect: connection reset by peer",
            "fault: Delete after its effect: 503 Slow Down",
        ],
    ),
    (
        "F11 damaged segments",
        &[
            "event: a damaged segment appears",
            "event: a damaged segment is set aside",
            "event: an answer names a damaged segment",
        ],
    ),
    ("F12 clean-up and expiry beside queries", &["event: a query is planned once more", "event: a snapshot is expired"]),
    ("F13 shift, expiry and deletion beside each other", &["event: a checkpoint of the ledgers", "segments deleted"]),
    (
        "F14 clocks that are wrong by a day, or set by a day",
        &[
            "event: a clock is set by hours while its process lives",
            "event: a process whose clock is hours off commits",
            "event: a process whose clock is hours off deletes segments",
            "event: a snapshot is expired by a process whose clock is hours off",
            "event: an orphan is removed by a process whose clock is hours off",
        ],
    ),
    ("F23 frozen processes", &["freezes"]),
];

/// What happens beside the matrix.
const EVENTS: [&str; 7] = [
    "event: another shifter has the lease",
    "event: a request is sent again after its acknowledgement",
    "event: an acknowledgement is lost",
    "event: killed while segments are deleted",
    "queries answered",
    "kills",
    "audits",
];

/// Panics where something never happened.
pub(crate) fn assert_everything_happened(report: &Report) {
    let mut missing = Vec::new();
    for (row, names) in ROWS {
        let counts: Vec<_> = names.iter().map(|name| report.count(name)).collect();
        eprintln!("{row}: {counts:?}");
        missing.extend(names.iter().zip(counts).filter(|(_, count)| *count == 0).map(|(name, _)| format!("{row}: {name}")));
    }
    missing.extend(EVENTS.iter().filter(|name| report.count(name) == 0).map(|name| (*name).to_owned()));
    assert!(missing.is_empty(), "never happened: {missing:#?}");
}
