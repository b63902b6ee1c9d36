//! Chart points made safe to draw (what is not finite is unknown) and no more of them than are seen.

use crate::result::ChartPoint;

/// A stretch of time as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Start, in seconds since 1970.
    pub t: i64,
    pub demand: Option<Demand>,
    pub p05: Option<f64>,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    /// Least and most ready capacity.
    pub ready: Option<(f64, f64)>,
    pub need: Option<f64>,
    pub unserved: f64,
}

/// Demand within a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

impl Bucket {
    fn of(point: &ChartPoint) -> Self {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let mean = finite(point.demand_mean);
        let demand = mean.map(|mean| Demand {
            min: finite(point.demand_min).unwrap_or(mean),
            mean,
            max: finite(point.demand_max).unwrap_or(mean),
        });
        let ready = (point.ready_min.is_finite() && point.ready_max.is_finite())
            .then_some((point.ready_min, point.ready_max));
        Self {
            t: point.t.as_second(),
            demand,
            p05: finite(point.p05).map(|p05| p05.max(0.0)), // Demand is never less.
            p50: finite(point.p50),
            p95: finite(point.p95),
            ready,
            need: finite(point.need),
            unserved: if point.unserved.is_finite() {
                point.unserved
            } else {
                0.0
            },
        }
    }

    /// The highest value drawn for this bucket, apart from the forecast.
    pub fn highest(&self) -> f64 {
        let demand = self.demand.map_or(0.0, |demand| demand.max);
        let ready = self.ready.map_or(0.0, |(_, most)| most);
        demand.max(ready).max(self.need.unwrap_or(0.0))
    }
}

/// At most `most` buckets, each holding equally many points: extremes stay, means are averaged.
pub fn buckets(points: &[ChartPoint], most: usize) -> Vec<Bucket> {
    let mut all: Vec<Bucket> = points.iter().map(Bucket::of).collect();
    all.sort_by_key(|bucket| bucket.t);
    let per_bucket = all.len().div_ceil(most.max(1)).max(1);
    if per_bucket == 1 {
        return all;
    }
    all.chunks(per_bucket).map(merge).collect()
}

/// The end of the last bucket.
pub fn end_of(buckets: &[Bucket]) -> i64 {
    let width = buckets
        .windows(2)
        .map(|pair| pair[1].t - pair[0].t)
        .filter(|width| *width > 0)
        .min();
    buckets.last().map_or(0, |bucket| bucket.t) + width.unwrap_or(60)
}

fn merge(chunk: &[Bucket]) -> Bucket {
    let demands: Vec<Demand> = chunk.iter().filter_map(|bucket| bucket.demand).collect();
    let demand = mean(demands.iter().map(|demand| demand.mean)).map(|mean| Demand {
        min: demands.iter().map(|demand| demand.min).fold(mean, f64::min),
        mean,
        max: demands.iter().map(|demand| demand.max).fold(mean, f64::max),
    });
    let ready = chunk
        .iter()
        .filter_map(|bucket| bucket.ready)
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    Bucket {
        t: chunk[0].t,
        demand,
        p05: mean(chunk.iter().filter_map(|bucket| bucket.p05)),
        p50: mean(chunk.iter().filter_map(|bucket| bucket.p50)),
        p95: mean(chunk.iter().filter_map(|bucket| bucket.p95)),
        ready,
        need: chunk
            .iter()
            .filter_map(|bucket| bucket.need)
            .reduce(f64::max),
        unserved: mean(chunk.iter().map(|bucket| bucket.unserved)).unwrap_or(0.0),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn thinning_keeps_extremes_and_drops_nothing() {
        let points = example::result(10).chart.points;
        let (all, few) = (buckets(&points, usize::MAX), buckets(&points, 100));
        assert!(few.len() <= 100 && few.len() > 90);
        let highest = |buckets: &[Bucket]| buckets.iter().map(Bucket::highest).fold(0.0, f64::max);
        assert_eq!(highest(&few), highest(&all));
        assert_eq!(few[0].t, all[0].t);
    }

    #[test]
    fn what_is_not_finite_is_unknown() {
        let bucket = &buckets(&example::degenerate().chart.points, 10)[0];
        assert_eq!(
            (bucket.demand, bucket.p50, bucket.ready, bucket.unserved),
            (None, None, None, 0.0)
        );
        assert!(buckets(&[], 10).is_empty());
    }
}
