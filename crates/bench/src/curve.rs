//! What a peer would have cost at a given share of unserved demand, its knobs turned in hindsight.

use std::collections::BTreeMap;

use fleetcast_policy::{PolicyKind, PolicySpec};

/// One knob of a peer, as it came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub spec: PolicySpec,
    pub cost: f64,
    pub unserved: f64,
}

/// The cheapest way to a share of unserved demand.
#[derive(Clone, Debug, PartialEq)]
pub struct Cheapest {
    pub cost: f64,
    /// The peer, at the knob on the safe side.
    pub peer: String,
}

/// Finds the cheapest peer that leaves no more than `target` unserved; `None` if no knob reaches it.
///
/// Between neighbouring knobs of one floor the cost is interpolated in the logarithm of the unserved share.
pub fn cheapest(points: &[Point], target: f64) -> Option<Cheapest> {
    let mut best: Option<(f64, &Point)> = None;
    let mut offer = |cost: f64, point| {
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, point));
        }
    };
    let mut by_floor: BTreeMap<(PolicyKind, u64), Vec<&Point>> = BTreeMap::new();
    for point in points {
        if point.unserved <= target {
            offer(point.cost, point);
        }
        let key = (point.spec.kind, point.spec.floor);
        by_floor.entry(key).or_default().push(point);
    }
    for knobs in by_floor.values_mut() {
        knobs.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        for pair in knobs.windows(2) {
            let (cheap, safe) = (pair[0], pair[1]);
            if cheap.unserved > target && target >= safe.unserved && safe.unserved > 0.0 {
                let way = (cheap.unserved.ln() - target.ln())
                    / (cheap.unserved.ln() - safe.unserved.ln());
                offer(cheap.cost + (safe.cost - cheap.cost) * way, safe);
            }
        }
    }
    best.map(|(cost, point)| Cheapest {
        cost,
        peer: short(&point.spec),
    })
}

/// As it is typed, with a knob of three digits.
fn short(spec: &PolicySpec) -> String {
    let knob = match spec.kind {
        PolicyKind::Static => spec.knob,
        _ => (spec.knob * 1e3).round() / 1e3,
    };
    PolicySpec {
        knob,
        ..spec.clone()
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(knob: f64, floor: u64, cost: f64, unserved: f64) -> Point {
        Point {
            spec: PolicySpec::new(PolicyKind::Hpa, knob).with_floor(floor),
            cost,
            unserved,
        }
    }

    /// Expected values computed with the reference in numpy.
    #[test]
    fn costs_between_knobs_agree_with_the_reference() {
        let points = [
            point(0.4, 1, 2.4, 0.0),
            point(0.95, 1, 1.1, 0.021),
            point(0.754, 1, 1.35, 0.008),
            point(0.599, 1, 1.7, 0.0012),
            point(0.95, 9, 1.6, 0.0041),
            point(0.754, 9, 1.65, 0.0019),
        ];
        let check = |target: f64, expected: Option<(f64, &str)>| {
            let found = cheapest(&points, target);
            match (&found, expected) {
                (Some(found), Some((cost, peer))) => {
                    assert!((found.cost - cost).abs() < 1e-12, "{found:?} {cost}");
                    assert_eq!(found.peer, peer);
                }
                _ => assert_eq!(found.map(|found| found.cost), expected.map(|e| e.0)),
            }
        };
        check(0.005, Some((1.4367110523037911, "hpa:0.599")));
        check(0.003, Some((1.530953361563346, "hpa:0.599")));
        check(0.001, Some((2.4, "hpa:0.4")));
        check(0.03, Some((1.1, "hpa:0.95")));
        assert_eq!(cheapest(&points[1..], 0.0), None);
    }
}
