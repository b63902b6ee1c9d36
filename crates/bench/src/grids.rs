//! The peers' knobs that are tried, with numpy's arithmetic, so that figures agree with the reference.

use fleetcast_policy::{PolicyKind, PolicySpec};

/// Quantiles of the scored demand that are worth trying as floors.
const FLOOR_QUANTILES: [f64; 10] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0];
/// Constant fleets are tried up to a little over the highest need.
const STATIC_MOST: f64 = 1.05;
const STATIC_SIZES: usize = 80;

/// Peers with floors: rule, first and last knob, how many. The same for all traces.
const RULES: [(PolicyKind, f64, f64, usize); 3] = [
    (PolicyKind::Hpa, 0.95, 0.15, 9),
    (PolicyKind::React, 0.9, 8.0, 11),
    (PolicyKind::MaxYesterday, 0.95, 0.25, 7),
];

/// All peers to try on a trace.
pub fn peers(need_max: u64, floors: &[u64]) -> Vec<PolicySpec> {
    let mut specs = Vec::new();
    for (kind, first, last, count) in RULES {
        let knobs = geomspace(first, last, count);
        for floor in floors {
            specs.extend(
                knobs
                    .iter()
                    .map(|knob| PolicySpec::new(kind, *knob).with_floor(*floor)),
            );
        }
    }
    let sizes = static_sizes(need_max);
    specs.extend(
        sizes
            .iter()
            .map(|size| PolicySpec::new(PolicyKind::Static, *size as f64)),
    );
    specs
}

/// Fleet sizes that cover quantiles of the scored demand; one unit is always among them.
pub fn floors(mut scored: Vec<f64>, per_unit: f64) -> Vec<u64> {
    scored.sort_by(f64::total_cmp);
    let units = |q: &f64| (quantile(&scored, *q) / per_unit).ceil().max(1.0) as u64;
    let mut floors: Vec<u64> = FLOOR_QUANTILES.iter().map(units).collect();
    floors.push(1);
    floors.sort_unstable();
    floors.dedup();
    floors
}

fn static_sizes(need_max: u64) -> Vec<u64> {
    let mut sizes: Vec<u64> = geomspace(1.0, STATIC_MOST * need_max as f64, STATIC_SIZES)
        .into_iter()
        .map(|size| size as u64)
        .collect();
    sizes.dedup();
    sizes
}

/// numpy's `geomspace`: equal ratios, both ends exact.
fn geomspace(first: f64, last: f64, count: usize) -> Vec<f64> {
    let (low, high) = (first.log10(), last.log10());
    let step = (high - low) / (count - 1) as f64;
    let mut values: Vec<f64> = (0..count)
        .map(|index| 10f64.powf(index as f64 * step + low))
        .collect();
    values[0] = first;
    values[count - 1] = last;
    values
}

/// numpy's `quantile` of sorted values; 0 of none.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(most) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = q * most as f64;
    let (index, share) = (position.floor() as usize, position - position.floor());
    let (low, high) = (sorted[index], sorted[(index + 1).min(most)]);
    // From the nearer end, as numpy does.
    if share < 0.5 {
        low + (high - low) * share
    } else {
        high - (high - low) * (1.0 - share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values computed with numpy's `geomspace`.
    #[test]
    fn knobs_agree_with_numpy() {
        let check = |first, last, expected: &[f64]| {
            let found = geomspace(first, last, expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found / expected - 1.0).abs() < 1e-14, "{found} {expected}");
            }
        };
        let hpa = [
            0.95,
            0.7542573692418764,
            0.5988465042691329,
            0.47545725146287393,
            0.37749172176353746,
            0.2997114873346865,
            0.2379574715459269,
            0.1889275541891363,
            0.15,
        ];
        check(0.95, 0.15, &hpa);
        let max = [
            0.95,
            0.7604891212063153,
            0.6087828457612144,
            0.48733971724044817,
            0.3901226876769712,
            0.3122990104359007,
            0.25,
        ];
        check(0.95, 0.25, &max);
        let react = [
            0.9,
            1.119765949799749,
            1.3931953137010376,
            1.7333918596700015,
            2.156659091242814,
            2.6832815729997477,
            3.338497043522474,
            4.153705903159552,
            5.167976039822533,
            6.429915109749138,
            8.0,
        ];
        check(0.9, 8.0, &react);
    }

    /// `np.unique(np.geomspace(1, 1.05 * need, 80).astype(int))`.
    #[test]
    fn constant_fleets_agree_with_numpy() {
        let mut expected: Vec<u64> = (1..=25).collect();
        expected.extend([27, 28, 30, 31, 33, 34, 36, 38, 40, 42, 44, 46, 49]);
        assert_eq!(static_sizes(47), expected);
        let found = static_sizes(647);
        assert_eq!((found.len(), found.last()), (60, Some(&679)));
        assert_eq!(found.iter().sum::<u64>(), 8_468);
    }

    /// `np.unique(np.ceil(np.quantile(d, …) / c))` with 1 instead of 0.
    #[test]
    fn floors_agree_with_numpy() {
        let demand: Vec<f64> = (0..1000)
            .map(|i| f64::from(i * 7919 % 1009) * 0.37)
            .collect();
        assert_eq!(
            floors(demand.clone(), 9.2315925),
            [1, 21, 33, 37, 39, 40, 41]
        );
        let mut sorted = demand;
        sorted.sort_by(f64::total_cmp);
        assert_eq!(quantile(&sorted, 0.95), 354.47849999999994);
        assert_eq!(quantile(&sorted, 0.998), 372.22074);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
