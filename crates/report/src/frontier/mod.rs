//! What less breach costs: cost against breach probability, with the knee.

mod chart;
mod page;
mod text;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use page::frontier_html;
pub use text::frontier_text;

use crate::result::Metric;

/// The frontier of one fleet on one history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schema", rename = "frontier/v1")]
pub struct FrontierResult {
    pub title: String,
    /// The demand was generated, not recorded; every view says so.
    pub synthetic: bool,
    pub demand_source: String,
    pub first: Timestamp,
    pub last: Timestamp,
    pub scored_days: f64,
    /// What the objectives count.
    pub metric: Option<Metric>,
    /// By objective, strictest first.
    pub points: Vec<FrontierPoint>,
    /// Policies to compare with, each as it was run.
    pub peers: Vec<FrontierPeer>,
    pub knee: Option<Knee>,
    /// One sentence or two.
    pub verdict: String,
    pub notes: Vec<String>,
}

/// One objective and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrontierPoint {
    /// The share that may be missed; `None`: each component keeps its own objective.
    pub target_share: Option<f64>,
    /// Whether this is what the documents, or the command line, ask for now.
    pub present: bool,
    /// For 30 days.
    pub cost_usd_month: f64,
    /// The share of steps with demand over capacity: how likely a breach is at any moment.
    pub breach_share: f64,
    /// 95 % of resamples of the days lie between these.
    pub breach_interval: Option<(f64, f64)>,
    pub unserved_share: f64,
    pub starts_per_day_fleets: f64,
    /// Another point costs no more and breaches no more.
    pub dominated: bool,
}

/// A policy to compare with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrontierPeer {
    pub label: String,
    pub cost_usd_month: f64,
    pub breach_share: f64,
    pub unserved_share: f64,
}

/// Where more money begins to buy much less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// Its place among the points.
    pub point: usize,
    /// What halving the breach probability costs in 30 days on the way to the knee, and beyond it.
    pub usd_month_per_halving_before: f64,
    pub usd_month_per_halving_beyond: f64,
}

/// The knee must lie so far under the chord, as a share of the whole height, to be called one.
const DEPTH_MIN: f64 = 0.05;

impl FrontierResult {
    /// Marks what is dominated and finds the knee. Points are sorted by breach, fewest first.
    pub fn settle(&mut self) {
        self.points.sort_by(|a, b| {
            a.breach_share
                .total_cmp(&b.breach_share)
                .then(a.cost_usd_month.total_cmp(&b.cost_usd_month))
        });
        let mut least = f64::INFINITY;
        for point in &mut self.points {
            point.dominated = point.cost_usd_month >= least;
            least = least.min(point.cost_usd_month);
        }
        self.knee = self.find_knee();
    }

    /// The points that no other one beats, with their places.
    pub(crate) fn front(&self) -> impl Iterator<Item = (usize, &FrontierPoint)> {
        self.points
            .iter()
            .enumerate()
            .filter(|(_, point)| !point.dominated)
    }

    /// Breach probabilities under this are drawn here: less than half of the least that was seen.
    pub(crate) fn least_breach(&self) -> f64 {
        let seen = self.points.iter().map(|point| point.breach_share);
        let peers = self.peers.iter().map(|peer| peer.breach_share);
        let positive = seen.chain(peers).filter(|share| *share > 0.0);
        positive.fold(1.0_f64, f64::min) / 2.0
    }

    /// The point farthest under the chord of the frontier, in halvings of the breach probability against money
    /// (Satopää et al., "Finding a Kneedle in a Haystack", 2011, on a curve that is known whole).
    fn find_knee(&self) -> Option<Knee> {
        let least = self.least_breach();
        let place =
            |point: &FrontierPoint| (point.breach_share.max(least).log2(), point.cost_usd_month);
        let front: Vec<(usize, (f64, f64))> =
            self.front().map(|(i, point)| (i, place(point))).collect();
        let (&(_, strictest), &(_, loosest)) = (front.first()?, front.last()?);
        let (width, height) = (loosest.0 - strictest.0, strictest.1 - loosest.1);
        if front.len() < 3 || width <= 0.0 || height <= 0.0 {
            return None;
        }
        let depth = |(x, y): (f64, f64)| 1.0 - (x - strictest.0) / width - (y - loosest.1) / height;
        let deepest = front
            .iter()
            .max_by(|a, b| depth(a.1).total_cmp(&depth(b.1)))?;
        let (point, (x, y)) = *deepest;
        let slope = |money: f64, halvings: f64| {
            if halvings > 0.0 {
                money / halvings
            } else {
                0.0
            }
        };
        (depth((x, y)) >= DEPTH_MIN).then(|| Knee {
            point,
            usd_month_per_halving_before: slope(y - loosest.1, loosest.0 - x),
            usd_month_per_halving_beyond: slope(strictest.1 - y, x - strictest.0),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn result() -> FrontierResult {
        let point = |target: f64, cost: f64, breach: f64| FrontierPoint {
            target_share: Some(target),
            present: (target - 0.005).abs() < 1e-9,
            cost_usd_month: cost,
            breach_share: breach,
            breach_interval: Some((breach * 0.8, breach * 1.3)),
            unserved_share: breach / 3.0,
            starts_per_day_fleets: 1.5,
            dominated: false,
        };
        let mut result = FrontierResult {
            title: "Shop".into(),
            demand_source: "history.csv".into(),
            scored_days: 21.0,
            metric: Some(Metric::Violation),
            points: vec![
                point(0.2, 1_000.0, 0.19),
                point(0.1, 1_050.0, 0.09),
                point(0.05, 1_100.0, 0.045),
                point(0.02, 1_160.0, 0.02),
                point(0.01, 1_250.0, 0.011),
                point(0.005, 1_600.0, 0.0052),
                point(0.002, 2_100.0, 0.002),
                point(0.003, 2_200.0, 0.003),
            ],
            peers: vec![FrontierPeer {
                label: "Kubernetes HPA at 60 %".into(),
                cost_usd_month: 1_900.0,
                breach_share: 0.03,
                unserved_share: 0.01,
            }],
            ..FrontierResult::default()
        };
        result.settle();
        result.verdict = "A verdict.".into();
        result
    }

    #[test]
    fn the_knee_is_where_halving_the_breach_begins_to_cost_much() {
        let result = result();
        let knee = result.knee.unwrap();
        assert_eq!(result.points[knee.point].target_share, Some(0.01));
        assert!(knee.usd_month_per_halving_before < 70.0);
        assert!(knee.usd_month_per_halving_beyond > 300.0);
    }

    #[test]
    fn what_costs_more_and_breaches_more_is_dominated() {
        let result = result();
        let dominated: Vec<Option<f64>> = result
            .points
            .iter()
            .filter(|point| point.dominated)
            .map(|point| point.target_share)
            .collect();
        assert_eq!(dominated, [Some(0.003)]);
    }

    #[test]
    fn a_straight_line_has_no_knee_and_neither_have_two_points() {
        let mut straight = result();
        for (i, point) in straight.points.iter_mut().enumerate() {
            point.breach_share = 0.2 / f64::from(1 << i);
            point.cost_usd_month = 1_000.0 + 100.0 * i as f64;
        }
        straight.settle();
        assert_eq!(straight.knee, None);
        straight.points.truncate(2);
        straight.settle();
        assert_eq!(straight.knee, None);
        let mut none = FrontierResult::default();
        none.settle();
        assert_eq!(none.knee, None);
    }
}
