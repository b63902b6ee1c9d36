//! How long new units take from the order to being usable, as measured and published.

use fleetcast_model::ProviderKind;
use jiff::SignedDuration;
use libm::{erfc, exp, log};

use crate::Random;

/// A distribution of boot times: from the order to a unit that can be used.
#[derive(Clone, Debug, PartialEq)]
pub enum BootTime {
    /// Always the same.
    Fixed(SignedDuration),
    /// Log-normal: right-skewed and never negative.
    LogNormal {
        /// Half boot faster.
        median: SignedDuration,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// One of several kinds of boot, by weight; measured boot times have several humps.
    Mixture(Vec<(f64, BootTime)>),
}

impl BootTime {
    /// A new Linux unit of a provider.
    ///
    /// Means of AWS (55.9 s) and Google Cloud (124.1 s) are of Hao et al., "An Empirical Analysis of
    /// VM Startup Times in Public IaaS Clouds" (2021, arXiv 2107.03467), three months and more than
    /// 300,000 starts for each cloud. The paper finds skewed times with several humps, and for
    /// AWS's older burstable family 85 s; how the mean is divided between humps and how wide they
    /// are is our choice. For Azure no measurement was found that could be attributed: it is
    /// assumed to be as slow as the slower of the two measured clouds, since a unit that comes too
    /// late costs more than one that comes too early. A container on a Kubernetes node that is
    /// there takes from a tenth of a second to tens of seconds (Straesser et al., CCGrid 2023), and so is
    /// one on a machine of the user's own believed to; a machine that must start says its boot itself. The
    /// simulated cloud behaves as AWS.
    pub fn of(provider: ProviderKind) -> Self {
        match provider {
            ProviderKind::Aws | ProviderKind::Simulated => Self::Mixture(vec![
                (0.85, log_normal(48.5, 0.22)),
                (0.15, log_normal(88.0, 0.25)),
            ]),
            ProviderKind::Gcp | ProviderKind::Azure => log_normal(120.3, 0.25),
            ProviderKind::Kubernetes | ProviderKind::Own => log_normal(4.0, 0.9),
        }
    }

    /// A new Linux unit where the provider has the image at hand: on Google Cloud, one that was
    /// booted in the same zone within the last 70 to 100 minutes takes about 50 s (Hao et al. 2021).
    /// Elsewhere no difference was found.
    pub fn with_cached_image(provider: ProviderKind) -> Self {
        match provider {
            ProviderKind::Gcp => log_normal(48.5, 0.25),
            other => Self::of(other),
        }
    }

    /// A stopped unit that is started again, as warm and standby pools do: 34.0 s on AWS and 32.8 s
    /// on Google Cloud (Hao et al. 2021); for Azure the slower of the two is assumed. Containers are
    /// never stopped: as new.
    pub fn restarted(provider: ProviderKind) -> Self {
        match provider {
            ProviderKind::Kubernetes | ProviderKind::Own => Self::of(provider),
            ProviderKind::Gcp => log_normal(32.1, 0.2),
            ProviderKind::Aws | ProviderKind::Azure | ProviderKind::Simulated => {
                log_normal(33.3, 0.2)
            }
        }
    }

    /// Draws a boot time, to the millisecond.
    pub fn sample(&self, random: &mut Random) -> SignedDuration {
        match self {
            Self::Fixed(time) => *time,
            Self::LogNormal { median, sigma } => {
                seconds(random.log_normal(median.as_secs_f64(), *sigma))
            }
            Self::Mixture(kinds) => {
                let mut left = random.uniform() * total(kinds);
                for (weight, kind) in kinds {
                    if left < *weight {
                        return kind.sample(random);
                    }
                    left -= weight;
                }
                kinds
                    .last()
                    .map_or(SignedDuration::ZERO, |(_, kind)| kind.sample(random))
            }
        }
    }

    /// The time within which a share `p` of units has booted, to the millisecond.
    ///
    /// # Panics
    /// If `p` is not between 0 and 1, both excluded: no finite time is enough for all units.
    pub fn quantile(&self, p: f64) -> SignedDuration {
        assert!(p > 0.0 && p < 1.0, "{p} is not the share of a quantile");
        match self {
            Self::Fixed(time) => *time,
            Self::LogNormal { .. } | Self::Mixture(_) => {
                // Bisection between 2⁻²⁰ s and 2⁴⁰ s on the logarithm: 64 halvings are exact enough.
                let (mut low, mut high) = (-14.0, 28.0);
                for _ in 0..64 {
                    let middle = f64::midpoint(low, high);
                    if self.share_within(exp(middle)) < p {
                        low = middle
                    } else {
                        high = middle
                    }
                }
                seconds(exp(high))
            }
        }
    }

    /// The share of units that have booted within so many seconds.
    pub fn share_within(&self, within_seconds: f64) -> f64 {
        match self {
            Self::Fixed(time) => f64::from(u8::from(within_seconds >= time.as_secs_f64())),
            Self::LogNormal { median, sigma } => {
                if within_seconds <= 0.0 {
                    return 0.0;
                }
                let z = log(within_seconds / median.as_secs_f64()) / sigma;
                0.5 * erfc(-z / std::f64::consts::SQRT_2)
            }
            Self::Mixture(kinds) => {
                let share: f64 = kinds
                    .iter()
                    .map(|(weight, kind)| weight * kind.share_within(within_seconds))
                    .sum();
                share / total(kinds)
            }
        }
    }

    /// The mean, to the millisecond.
    pub fn mean(&self) -> SignedDuration {
        seconds(self.mean_seconds())
    }

    fn mean_seconds(&self) -> f64 {
        match self {
            Self::Fixed(time) => time.as_secs_f64(),
            Self::LogNormal { median, sigma } => median.as_secs_f64() * exp(sigma * sigma / 2.0),
            Self::Mixture(kinds) => {
                kinds
                    .iter()
                    .map(|(weight, kind)| weight * kind.mean_seconds())
                    .sum::<f64>()
                    / total(kinds)
            }
        }
    }
}

fn total(kinds: &[(f64, BootTime)]) -> f64 {
    kinds.iter().map(|(weight, _)| weight).sum()
}

fn log_normal(median_seconds: f64, sigma: f64) -> BootTime {
    BootTime::LogNormal {
        median: seconds(median_seconds),
        sigma,
    }
}

/// Rounds to milliseconds, so that equal draws print equally. A time that is none is zero.
fn seconds(value: f64) -> SignedDuration {
    SignedDuration::from_millis((value * 1e3).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDERS: [ProviderKind; 5] = [
        ProviderKind::Aws,
        ProviderKind::Azure,
        ProviderKind::Gcp,
        ProviderKind::Kubernetes,
        ProviderKind::Simulated,
    ];

    #[track_caller]
    fn check_mean(boot: &BootTime, published_seconds: f64) {
        let mean = boot.mean().as_secs_f64();
        assert!(
            (mean - published_seconds).abs() < 0.3,
            "{mean} and not {published_seconds}"
        );
        let mut random = Random::new(3, "boot");
        let drawn = (0..20_000)
            .map(|_| boot.sample(&mut random).as_secs_f64())
            .sum::<f64>()
            / 20_000.0;
        assert!(
            (drawn - published_seconds).abs() < 0.02 * published_seconds,
            "{drawn} drawn"
        );
    }

    #[test]
    fn means_are_those_published() {
        check_mean(&BootTime::of(ProviderKind::Aws), 55.9);
        check_mean(&BootTime::of(ProviderKind::Gcp), 124.1);
        check_mean(&BootTime::with_cached_image(ProviderKind::Gcp), 50.0);
        check_mean(&BootTime::restarted(ProviderKind::Aws), 34.0);
        check_mean(&BootTime::restarted(ProviderKind::Gcp), 32.8);
    }

    #[test]
    fn quantiles_are_where_the_draws_fall() {
        for provider in PROVIDERS {
            let boot = BootTime::of(provider);
            let mut random = Random::new(4, "quantiles");
            let mut drawn: Vec<SignedDuration> =
                (0..20_000).map(|_| boot.sample(&mut random)).collect();
            drawn.sort();
            for (p, index) in [(0.1, 2_000), (0.5, 10_000), (0.95, 19_000)] {
                let (found, expected) =
                    (drawn[index].as_secs_f64(), boot.quantile(p).as_secs_f64());
                assert!(
                    (found / expected - 1.0).abs() < 0.03,
                    "{provider} {p}: {found} and not {expected}"
                );
            }
            assert!(boot.quantile(0.99) > boot.quantile(0.9));
            assert!(
                boot.mean() > boot.quantile(0.5),
                "{provider} is skewed to the right"
            );
        }
    }

    #[test]
    fn a_fixed_time_is_always_the_same() {
        let boot = BootTime::Fixed(SignedDuration::from_secs(90));
        assert_eq!(
            boot.sample(&mut Random::new(1, "fixed")),
            boot.quantile(0.999)
        );
        assert_eq!(
            (boot.share_within(89.0), boot.share_within(90.0)),
            (0.0, 1.0)
        );
    }
}
