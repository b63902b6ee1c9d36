//! The waiting time of a pool of servers: Erlang C, with the Allen–Cunneen correction for arrivals and
//! services that vary more or less than exponential ones.
//!
//! Source: A. K. Erlang's delay formula by the stable recursion B(k) = a·B(k−1) ÷ (k + a·B(k−1));
//! A. O. Allen, *Probability, Statistics and Queueing Theory*, 2nd ed., §5.

use fleetcast_model::Variability;

/// The probability that an arrival waits, with `servers` servers and `offered` erlangs of work.
///
/// 1 when the work is not less than the servers.
pub fn wait_probability(servers: u32, offered: f64) -> f64 {
    let pool = f64::from(servers);
    if offered <= 0.0 {
        return 0.0;
    }
    if servers == 0 || offered >= pool {
        return 1.0;
    }
    let mut blocked = 1.0;
    for k in 1..=servers {
        let carried = offered * blocked;
        blocked = carried / (f64::from(k) + carried);
    }
    let busy = offered / pool;
    blocked / (1.0 - busy * (1.0 - blocked))
}

/// The probability that an arrival waits longer than `patience`, in mean service times.
///
/// Whether it waits is Erlang's; how long those wait that do is exponential with Allen and Cunneen's mean.
pub fn wait_exceeds(servers: u32, offered: f64, patience: f64, variability: Variability) -> f64 {
    let waits = wait_probability(servers, offered);
    let spare = f64::from(servers) - offered;
    if spare <= 0.0 {
        return 1.0;
    }
    waits * libm::exp(-spare * patience / variability.factor())
}

/// The wait, in mean service times, that all but a share of the arrivals stay within; infinite where the queue grows.
pub fn wait_quantile(servers: u32, offered: f64, late: f64, variability: Variability) -> f64 {
    let spare = f64::from(servers) - offered;
    if spare <= 0.0 {
        return f64::INFINITY;
    }
    let waits = wait_probability(servers, offered);
    if waits > late {
        libm::log(waits / late) * variability.factor() / spare
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_closed_forms_of_small_pools() {
        // One server waits with probability ρ; two with 2ρ² ÷ (1 + ρ).
        for busy in [0.1, 0.5, 0.9] {
            assert!((wait_probability(1, busy) - busy).abs() < 1e-12);
            let two = 2.0 * busy * busy / (1.0 + busy);
            assert!((wait_probability(2, 2.0 * busy) - two).abs() < 1e-12);
        }
    }

    #[test]
    fn agrees_with_the_square_root_staffing_law_of_large_pools() {
        // Halfin and Whitt 1981: with R + β√R servers, P(wait) tends to 1 ÷ (1 + βΦ(β)/φ(β)); β = 1: 0.2234.
        let offered = 10_000.0;
        let servers = 10_100;
        assert!((wait_probability(servers, offered) - 0.2234).abs() < 2e-3);
    }

    #[test]
    fn the_quantile_is_where_the_probability_falls_to_the_share() {
        let uneven = Variability {
            arrivals: 1.5,
            services: 2.0,
        };
        let wait = wait_quantile(20, 18.0, 0.05, uneven);
        assert!((wait_exceeds(20, 18.0, wait, uneven) - 0.05).abs() < 1e-12);
        assert_eq!(wait_quantile(20, 5.0, 0.05, uneven), 0.0);
    }

    #[test]
    fn a_full_pool_always_waits() {
        assert_eq!(wait_probability(4, 4.0), 1.0);
        assert_eq!(wait_exceeds(4, 5.0, 3.0, Variability::default()), 1.0);
        assert_eq!(
            wait_quantile(4, 5.0, 0.05, Variability::default()),
            f64::INFINITY
        );
        assert_eq!(wait_probability(4, 0.0), 0.0);
    }
}
