//! As much as can be had for so much money.

use super::component::solve;
use super::loads::{Loads, Room, Solution, Span};
use super::terms::Terms;

/// Searches for the price of a missing unit at which the bill fits, so many times.
const ROUNDS: u32 = 12;

/// The least that is missing within a bill: less and less is paid for a missing unit until the bill fits; and what is
/// just over it is trimmed, the least useful first.
pub(super) fn within(
    terms: &Terms,
    room: &Room,
    money: i64,
    full: &Solution,
    work: &mut u64,
    work_limit: u64,
) -> Solution {
    let mut best = Solution::bound_only(terms);
    let mut offer = |mut found: Solution| {
        trim(terms, &mut found, money);
        if found.bill(terms) <= money && found.objective() < best.objective() {
            best = found;
        }
    };
    offer(full.clone());
    let (mut low, mut high) = (0, terms.short.max(terms.no_spare));
    for _ in 0..ROUNDS {
        // Prices span orders of magnitude: take the middle of their sizes while they do.
        let middle = if high / 8 > low + 1 {
            ((low + 1) as f64 * high as f64).sqrt() as i64
        } else {
            low + (high - low) / 2
        };
        let cheaper = Terms {
            short: terms.short.min(middle),
            under_floor: terms.under_floor.min(middle),
            no_spare: terms.no_spare.min(middle / 4),
            ..terms.clone()
        };
        let solved = solve(&cheaper, room, (work_limit / u64::from(ROUNDS)).max(1));
        *work += solved.work;
        let mut found = solved.solution;
        found.penalty = found.loads.penalty(terms);
        if found.bill(terms) <= money {
            low = middle;
        } else {
            high = middle;
        }
        offer(found);
    }
    best
}

/// A run that could be shortened: what it misses and saves, the run, what is left of it, and its saving.
type Trim = ((i128, i128), Span, Option<Span>, i64);

/// Shortens runs and leaves them out until the bill fits: those first whose units are missed least for the money.
fn trim(terms: &Terms, solution: &mut Solution, money: i64) {
    loop {
        let over = solution.bill(terms) - money;
        if over <= 0 {
            break;
        }
        let mut best: Option<Trim> = None;
        for span in solution.runs.spans() {
            for shorter in shortened(terms, &span) {
                let left = shorter.map_or(0, |shorter| shorter.bill(terms));
                let saved = span.bill(terms) - left;
                if saved <= 0 {
                    continue;
                }
                let missed = more_missing(terms, &solution.loads, &span, shorter.as_ref());
                let rank = (i128::from(missed), i128::from(saved));
                let better = best
                    .as_ref()
                    .is_none_or(|((missed, saved), ..)| rank.0 * saved < missed * rank.1);
                if better {
                    best = Some((rank, span, shorter, saved));
                }
            }
        }
        let Some((_, span, shorter, saved)) = best else {
            break;
        };
        // A few at once where much is over: each one changes what the next is worth.
        let times = (over / saved / 4).clamp(1, solution.runs.count(&span).max(1));
        solution.put(terms, span, -times);
        if let Some(shorter) = shorter {
            solution.put(terms, shorter, times);
        }
    }
    solution.penalty = solution.loads.penalty(terms);
}

/// A run with one block less at its end, begun one period later, and left out.
fn shortened(terms: &Terms, span: &Span) -> Vec<Option<Span>> {
    let pool = &terms.pools[span.pool as usize];
    let end = match span.standing {
        Some(place) => terms.standing[place as usize].bound,
        None => span.from as usize + pool.first,
    };
    let until = span.until as usize;
    let mut shorter = Vec::new();
    if terms.stateful && span.standing.is_some() {
        return shorter;
    }
    if until > end && !terms.stateful {
        let blocks = (until - end).div_ceil(pool.again);
        let until = (end + (blocks - 1) * pool.again) as u32;
        shorter.push(Some(Span { until, ..*span }));
    }
    match span.standing {
        None => {
            if until == terms.periods && span.from + 1 < span.until {
                shorter.push(Some(Span {
                    from: span.from + 1,
                    ..*span
                }));
            } else if until > end && (until - end).is_multiple_of(pool.again) {
                let from = span.from + pool.again as u32;
                shorter.push(Some(Span { from, ..*span }));
            }
            shorter.push(None);
        }
        Some(_) => {
            if until > end {
                shorter.push(Some(Span {
                    until: end as u32,
                    ..*span
                }));
            }
        }
    }
    shorter
}

/// What more missing units cost when one run becomes shorter.
fn more_missing(terms: &Terms, loads: &Loads, span: &Span, shorter: Option<&Span>) -> i64 {
    let pool = &terms.pools[span.pool as usize];
    let serves = |span: &Span, t: usize| t >= span.serves_from(terms) && t < span.until as usize;
    let mut more = 0;
    for t in span.from as usize..(span.until as usize).min(terms.periods) {
        if !serves(span, t) || shorter.is_some_and(|shorter| serves(shorter, t)) {
            continue;
        }
        let zones = || loads.in_zone.iter().map(|units| units[t]);
        let fewer = zones()
            .enumerate()
            .map(|(zone, units)| units - if zone == pool.zone { pool.units } else { 0 });
        let before = terms.penalty(t, loads.serving[t], zones());
        more += terms.penalty(t, loads.serving[t] - pool.units, fewer) - before;
    }
    more
}
