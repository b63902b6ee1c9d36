//! How much work a pool of so many cores carries at a latency target.

use fleetcast_model::Variability;

use crate::erlang::{wait_exceeds, wait_quantile};

/// The share of responses that may be slower than the target: targets are 95 % quantiles.
const LATE_SHARE: f64 = 0.05;
/// The part of a latency target that is left for waiting in our queue; the other half is the service
/// itself and the network. A profile states totals only, so the split has to be assumed.
const WAITING_PART: f64 = 0.5;

/// Beyond so many cores the curve goes on as a straight line: pooling has given nearly all it can by then, and
/// the exact recursion costs a step for each core.
const CURVE_CORES_MAX: f64 = 4_096.0;

/// The largest work, in erlangs, that pools of growing size carry while 95 % of responses are in time.
#[derive(Clone, Debug, PartialEq)]
pub struct StaffingCurve {
    /// Mean service time in minutes.
    service_minutes: f64,
    /// Time that may be spent waiting, in mean service times.
    patience: f64,
    variability: Variability,
    /// (cores, erlangs carried), both increasing; the first is (0, 0).
    points: Vec<(f64, f64)>,
}

impl StaffingCurve {
    /// Finds the service time with which `cores` cores carry `per_minute` interactions a minute just in
    /// time for `latency_ms`, and from it the curve up to `cores_max` cores.
    ///
    /// A profile's fraction of a core is read as its share of one whole core.
    pub fn from_profile(
        cores: f64,
        per_minute: f64,
        latency_ms: f64,
        cores_max: f64,
        variability: Variability,
    ) -> Self {
        let servers = cores.max(1e-3).ceil();
        let arrivals = per_minute.max(1e-9) * servers / cores.max(1e-3);
        let waiting_minutes = latency_ms.max(1.0) * WAITING_PART / 60_000.0;
        let late = |service: f64| {
            wait_exceeds(
                servers as u32,
                arrivals * service,
                waiting_minutes / service,
                variability,
            )
        };
        let service_minutes = bisect(0.0, servers / arrivals, |service| {
            late(service) <= LATE_SHARE
        });
        let patience = waiting_minutes / service_minutes;
        Self {
            service_minutes,
            patience,
            variability,
            points: points(patience, cores_max, variability),
        }
    }

    /// The same latency target and range of cores with another mean service time.
    pub fn with_service_minutes(&self, service_minutes: f64) -> Self {
        // A service that takes nothing waits for nothing; the curve only needs a number there.
        let service_minutes = service_minutes.max(1e-6 * self.service_minutes);
        let patience = self.patience * self.service_minutes / service_minutes;
        let cores_max = self.points.last().map_or(1.0, |(cores, _)| *cores);
        Self {
            service_minutes,
            patience,
            variability: self.variability,
            points: points(patience, cores_max, self.variability),
        }
    }

    /// The mean service time in minutes: cores that one interaction a minute keeps busy.
    pub fn service_minutes(&self) -> f64 {
        self.service_minutes
    }

    /// Work of so many interactions a minute, in erlangs.
    pub fn erlangs(&self, per_minute: f64) -> f64 {
        per_minute * self.service_minutes
    }

    /// Cores, as a fraction, that carry so many erlangs in time.
    pub fn cores_for(&self, erlangs: f64) -> f64 {
        let above = self
            .points
            .partition_point(|(_, carried)| *carried < erlangs);
        if above == 0 {
            return 0.0;
        }
        let last = self.points.len() - 1;
        // Beyond the last point the line goes on as it came: the ceiling cuts it anyway.
        let (low, high) = if above > last {
            (last - 1, last)
        } else {
            (above - 1, above)
        };
        let ((c0, a0), (c1, a1)) = (self.points[low], self.points[high]);
        if a1 > a0 {
            c0 + (c1 - c0) * (erlangs - a0) / (a1 - a0)
        } else {
            c1
        }
    }

    /// The 95 % quantile of the latency in milliseconds with so many cores; `None` when the queue grows.
    pub fn latency_ms_p95(&self, erlangs: f64, cores: f64) -> Option<f64> {
        let servers = cores.floor().max(0.0) as u32;
        let spare = f64::from(servers) - erlangs;
        if spare <= 0.0 {
            return if erlangs <= 0.0 {
                Some(self.fixed_ms())
            } else {
                None
            };
        }
        let waiting = wait_quantile(servers, erlangs, LATE_SHARE, self.variability);
        Some(self.fixed_ms() + waiting * self.service_minutes * 60_000.0)
    }

    /// The part of the latency that is no waiting, in milliseconds.
    fn fixed_ms(&self) -> f64 {
        self.patience * self.service_minutes * 60_000.0 * (1.0 - WAITING_PART) / WAITING_PART
    }
}

/// What pools of growing size carry in time.
fn points(patience: f64, cores_max: f64, variability: Variability) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    let mut servers = 1.0_f64;
    loop {
        let carried = bisect(0.0, servers, |a| {
            wait_exceeds(servers as u32, a, patience, variability) <= LATE_SHARE
        });
        points.push((servers, carried));
        if servers >= cores_max.min(CURVE_CORES_MAX) {
            return points;
        }
        // Each core up to 64, then steps of 5 %: the curve is smooth there.
        servers = if servers < 64.0 {
            servers + 1.0
        } else {
            (servers * 1.05).ceil()
        };
    }
}

/// The largest value between `low` and `high` that is still `good`, where good turns bad once.
fn bisect(mut low: f64, mut high: f64, good: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if good(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> StaffingCurve {
        StaffingCurve::from_profile(16.0, 2_400.0, 250.0, 600.0, Variability::default())
    }

    #[test]
    fn a_profile_needs_what_it_says() {
        let curve = curve();
        let cores = curve.cores_for(curve.erlangs(2_400.0));
        assert!((cores - 16.0).abs() < 1e-6, "{cores}");
        let latency = curve
            .latency_ms_p95(curve.erlangs(2_400.0), 16.0)
            .unwrap_or(f64::NAN);
        assert!((latency - 250.0).abs() < 0.5, "{latency}");
    }

    #[test]
    fn large_pools_need_less_headroom() {
        let curve = curve();
        let ten_times = curve.cores_for(curve.erlangs(24_000.0));
        assert!(ten_times < 150.0 && ten_times > 120.0, "{ten_times}");
        let a_tenth = curve.cores_for(curve.erlangs(240.0));
        assert!(a_tenth > 2.0, "{a_tenth}");
    }

    /// The same cores for the same volume leave more of them for waiting, of which a larger pool needs less.
    #[test]
    fn uneven_requests_are_a_greater_part_of_what_a_profile_says() {
        let even = curve();
        let variability = Variability {
            arrivals: 4.0,
            services: 2.0,
        };
        let uneven = StaffingCurve::from_profile(16.0, 2_400.0, 250.0, 600.0, variability);
        let cores = |curve: &StaffingCurve, volume| curve.cores_for(curve.erlangs(volume));
        assert!((cores(&uneven, 2_400.0) - 16.0).abs() < 1e-6);
        assert!(uneven.service_minutes() < even.service_minutes());
        assert!(cores(&uneven, 24_000.0) < 0.97 * cores(&even, 24_000.0));
    }

    #[test]
    fn more_work_never_needs_fewer_cores() {
        let curve = curve();
        let mut before = 0.0;
        for i in 0..2_000 {
            let cores = curve.cores_for(f64::from(i) * 0.5);
            assert!(cores >= before);
            before = cores;
        }
    }

    #[test]
    fn an_overloaded_pool_has_no_latency() {
        assert_eq!(curve().latency_ms_p95(20.0, 16.0), None);
    }
}
