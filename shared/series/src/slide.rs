use std::ops::Range;

use crate::pane::{Measure, Pane};

/// The value of each window of panes, which are in order. Windows move forward only, so each pane is added up twice at most, however
/// much windows overlap.
pub(crate) fn slide(panes: &[(u32, Pane)], windows: impl Iterator<Item = Range<u32>>, measure: Measure) -> Vec<Option<f64>> {
    let join = |all: Option<Pane>, pane: Pane| Some(all.map_or(pane, |all| all.with(pane, measure)));
    // The window is panes `lo..hi`: those before `mid` stand in `old`, each with all between itself and `mid`; the rest is in `new`.
    let (mut lo, mut mid, mut hi) = (0, 0, 0);
    let mut old: Vec<Pane> = Vec::new();
    let mut new: Option<Pane> = None;
    let mut values = Vec::with_capacity(windows.size_hint().0);
    for window in windows {
        while let Some((_, pane)) = panes.get(hi).filter(|(index, _)| *index < window.end) {
            new = join(new, *pane);
            hi += 1;
        }
        while panes.get(lo).is_some_and(|(index, _)| *index < window.start) {
            lo += 1;
        }
        if lo > mid {
            old.clear();
            let mut all = None;
            for (_, pane) in panes[lo..hi].iter().rev() {
                all = join(all, *pane);
                old.extend(all);
            }
            (mid, new) = (hi, None);
        } else {
            old.truncate(mid - lo);
        }
        let all = match old.last() {
            Some(old) => Some(new.map_or(*old, |new| old.with(new, measure))),
            None => new,
        };
        values.push(all.map(|pane| pane.finish(measure)));
    }
    values
}
