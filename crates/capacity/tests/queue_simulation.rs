//! Erlang C with the Allen–Cunneen correction against a seeded discrete-event simulation of the same G/G/c queue.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fleetcast_capacity::{wait_exceeds, wait_quantile};
use fleetcast_model::Variability;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.uniform())
    }

    /// A time with mean 1 and this squared coefficient of variation: Erlang below 1 (in steps of 1 ÷ k),
    /// exponential at 1, two exponentials with balanced means above (Whitt 1982).
    fn time(&mut self, squared_variation: f64) -> f64 {
        if squared_variation <= 0.0 {
            1.0
        } else if squared_variation < 1.0 {
            let phases = libm::round(1.0 / squared_variation) as u32;
            (0..phases).map(|_| self.exponential()).sum::<f64>() / f64::from(phases)
        } else if squared_variation == 1.0 {
            self.exponential()
        } else {
            let first =
                0.5 * (1.0 + libm::sqrt((squared_variation - 1.0) / (squared_variation + 1.0)));
            let part = if self.uniform() < first {
                first
            } else {
                1.0 - first
            };
            self.exponential() / (2.0 * part)
        }
    }
}

/// The waits of arrivals at a pool that serves in the order of arrival, in mean service times, sorted.
fn simulated_waits(servers: usize, busy: f64, variability: Variability) -> Vec<f64> {
    // The more servers, the more arrivals until waits have forgotten each other.
    let arrivals = 300_000 * (1 + servers / 60);
    let mut draws = Draws(20_260_302);
    let offered = busy * servers as f64;
    // Non-negative floats sort as their bits do.
    let mut free_at: BinaryHeap<Reverse<u64>> = (0..servers).map(|_| Reverse(0)).collect();
    let mut now = 0.0;
    let mut waits = Vec::with_capacity(arrivals);
    for place in 0..arrivals + arrivals / 10 {
        now += draws.time(variability.arrivals) / offered;
        let Reverse(first) = free_at.pop().expect("a server");
        let begins = f64::from_bits(first).max(now);
        free_at.push(Reverse(
            (begins + draws.time(variability.services)).to_bits(),
        ));
        // The first tenth fills the empty pool.
        if place >= arrivals / 10 {
            waits.push(begins - now);
        }
    }
    waits.sort_by(f64::total_cmp);
    waits
}

/// The largest difference of the probability to wait longer than some patience, over patiences from none to where
/// hardly anybody waits so long.
fn worst_difference(servers: usize, busy: f64, variability: Variability) -> f64 {
    let waits = simulated_waits(servers, busy, variability);
    let offered = busy * servers as f64;
    let longest = waits[waits.len() * 995 / 1_000];
    (0..=20)
        .map(|i| {
            let patience = longest * f64::from(i) / 20.0;
            let within = waits.partition_point(|wait| *wait <= patience);
            let simulated = 1.0 - within as f64 / waits.len() as f64;
            let formula = wait_exceeds(servers as u32, offered, patience, variability);
            (simulated - formula).abs()
        })
        .fold(0.0, f64::max)
}

/// How far the simulated 95 % quantile of the wait lies from the formula's, in mean service times.
fn quantile_difference(servers: usize, busy: f64, variability: Variability) -> f64 {
    let waits = simulated_waits(servers, busy, variability);
    let offered = busy * servers as f64;
    let formula = wait_quantile(servers as u32, offered, 0.05, variability);
    waits[waits.len() * 95 / 100] - formula
}

const POOLS: [(usize, f64); 7] = [
    (1, 0.7),
    (2, 0.85),
    (8, 0.8),
    (32, 0.9),
    (100, 0.93),
    (200, 0.95),
    (400, 0.96),
];

/// Poisson arrivals and exponential services are Erlang's own: what is left is the simulation's noise.
#[test]
fn erlang_c_is_exact() {
    for (servers, busy) in POOLS {
        let worst = worst_difference(servers, busy, Variability::default());
        assert!(worst < 0.02, "{servers} servers, {busy} busy: {worst}");
    }
}

/// The correction is an approximation. It is held to 12 percentage points of the probability to wait longer than
/// anything, and at the 95 % quantile, which staffing asks for, to 12 % of a service and a tenth of the wait.
#[test]
fn allen_and_cunneen_hold_within_the_stated_tolerance() {
    let variabilities = [
        (1.0, 0.0),
        (1.0, 0.5),
        (0.5, 1.0),
        (1.0, 2.0),
        (1.5, 1.0),
        (2.0, 2.0),
    ];
    for (servers, busy) in POOLS {
        for (arrivals, services) in variabilities {
            let variability = Variability { arrivals, services };
            let worst = worst_difference(servers, busy, variability);
            let quantile = quantile_difference(servers, busy, variability);
            assert!(
                worst < 0.12,
                "{servers} servers, {busy} busy, {variability:?}: {worst}"
            );
            let offered = busy * servers as f64;
            let formula = wait_quantile(servers as u32, offered, 0.05, variability);
            assert!(
                quantile.abs() < 0.12 + 0.1 * formula,
                "{servers} servers, {busy} busy, {variability:?}: {quantile}"
            );
        }
    }
}
