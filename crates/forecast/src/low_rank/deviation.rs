//! The present deviation from shape times level, and how much of it lasts.

use serde::{Deserialize, Serialize};

use super::shape::Shapes;

/// Leads at which what lasts is learned, as shares of a period; the first is one step.
const LEADS: [f64; 6] = [0.0, 1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0, 1.0 / 3.0, 1.0];

/// Observations that speak for no lasting deviation before any was seen.
const PRIOR: f64 = 8.0;

/// A deviation counts no more than this many times the usual.
const REACH: f64 = 3.0;

/// Parts of a period that the deviation may be taken over: of a day, from ten minutes to three hours.
const WINDOWS: [usize; 4] = [144, 48, 24, 8];

/// Moments in a period at which what lasts is learned.
const STRIDES: usize = 48;

/// What is left of the deviation of the last steps, by lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Deviation {
    /// Steps the deviation is averaged over.
    window: usize,
    /// (lead in steps, share that lasts), leads rising and shares falling.
    lasts: Vec<(f64, f64)>,
}

/// Past shares of a step in the period that just ended before it, in and out of the usual.
pub(super) struct Past<'a> {
    /// Values, oldest first.
    pub(super) values: &'a [f64],
    /// What share of a period was expected for each value.
    pub(super) expected: &'a [f64],
}

impl Past<'_> {
    /// The total of the period before `end`.
    fn total(&self, end: usize, steps: usize) -> f64 {
        self.values[end - steps..end].iter().sum()
    }

    /// How far the steps `from..to` lay off their share of a total, in units of the usual.
    fn off(&self, from: usize, to: usize, total: f64) -> Option<f64> {
        let usual = total * self.expected[from..to].iter().sum::<f64>();
        let actual: f64 = self.values[from..to].iter().sum();
        (usual > 0.0).then(|| (actual / usual - 1.0).clamp(-1.0, REACH))
    }
}

impl Deviation {
    /// Nothing lasts.
    pub(super) fn none() -> Self {
        Self {
            window: 1,
            lasts: Vec::new(),
        }
    }

    /// Learns what lasts, over the window that foretells most.
    pub(super) fn learn(past: &Past<'_>, steps: usize) -> Self {
        let mut windows = WINDOWS.map(|parts| (steps / parts).max(1)).to_vec();
        windows.dedup();
        let mut best = (0.0, Self::none());
        for window in windows {
            let (gain, found) = Self::learn_over(past, steps, window);
            if gain > best.0 {
                best = (gain, found);
            }
        }
        best.1
    }

    /// What lasts of the deviation over one window, and the share of later deviations that it
    /// foretells, summed over leads.
    fn learn_over(past: &Past<'_>, steps: usize, window: usize) -> (f64, Self) {
        let stride = (steps / STRIDES).max(1);
        let mut lasts: Vec<(f64, f64)> = Vec::new();
        let mut gain = 0.0;
        for share in LEADS {
            let lead = (share * steps as f64).max(1.0).round();
            if lasts.last().is_some_and(|(before, _)| *before >= lead) {
                continue;
            }
            let (mut product, mut square, mut later, mut seen) = (0.0, 0.0, 0.0, 0.0);
            let mut origin = steps + window;
            while origin + lead as usize <= past.values.len() {
                let total = past.total(origin, steps);
                let at = origin + lead as usize - 1;
                let (now, then) = (
                    past.off(origin - window, origin, total),
                    past.off(at, at + 1, total),
                );
                if let (Some(now), Some(then)) = (now, then) {
                    // Busy steps say more, and their errors cost more.
                    let weight = past.expected[at] * steps as f64;
                    product += weight * now * then;
                    square += weight * now * now;
                    later += weight * then * then;
                    seen += 1.0;
                }
                origin += stride;
            }
            if square <= 0.0 || later <= 0.0 {
                continue;
            }
            let found = product / (square + PRIOR * square / seen);
            let before = lasts.last().map_or(1.0, |(_, share)| *share);
            let found = found.clamp(0.0, before);
            gain += (2.0 * found * product - found * found * square) / later;
            lasts.push((lead, found));
        }
        (gain, Self { window, lasts })
    }

    /// The deviation of the last steps of `newest`, which is at least a period, from `shapes`, at
    /// `at` steps after the fitted history.
    pub(super) fn now(
        &self,
        newest: &[f64],
        shapes: &Shapes,
        expected: impl Fn(usize) -> f64,
    ) -> f64 {
        let steps = shapes.steps();
        if self.lasts.is_empty() || newest.len() < steps {
            return 0.0;
        }
        let total: f64 = newest[newest.len() - steps..].iter().sum();
        let usual = total * (1..=self.window).map(expected).sum::<f64>();
        let actual: f64 = newest[newest.len() - self.window..].iter().sum();
        if usual > 0.0 {
            (actual / usual - 1.0).clamp(-1.0, REACH)
        } else {
            0.0
        }
    }

    /// The share of the deviation that is left at a lead in steps from 1.
    pub(super) fn lasts(&self, lead: usize) -> f64 {
        let lead = lead as f64;
        let above = self.lasts.iter().position(|(at, _)| *at >= lead);
        match above {
            None => 0.0,
            Some(0) => self.lasts[0].1,
            Some(above) => {
                let ((from, high), (to, low)) = (self.lasts[above - 1], self.lasts[above]);
                high + (low - high) * (lead - from) / (to - from)
            }
        }
    }
}
