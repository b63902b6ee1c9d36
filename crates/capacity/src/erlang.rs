//! The waiting time of a pool of servers: Erlang C, with the Allen–Cunneen correction for arrivals and
//! services that vary more or less than exponential ones.
//!
//! Source: A. K. Erlang's delay formula by the stable recursion B(k) = a·B(k−1) ÷ (k + a·B(k−1));
//! A. O. Allen, *Probability, Statistics and Queueing Theory*, 2nd ed., §5.

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
/// `variability` is (Ca² + Cs²) ÷ 2, the mean of the squared coefficients of variation of the times
/// between arrivals and of the services; 1 for Poisson arrivals and exponential services.
pub fn wait_exceeds(servers: u32, offered: f64, patience: f64, variability: f64) -> f64 {
    let waits = wait_probability(servers, offered);
    let spare = f64::from(servers) - offered;
    if spare <= 0.0 {
        return 1.0;
    }
    waits * libm::exp(-spare * patience / variability.max(1e-6))
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
    fn a_full_pool_always_waits() {
        assert_eq!(wait_probability(4, 4.0), 1.0);
        assert_eq!(wait_exceeds(4, 5.0, 3.0, 1.0), 1.0);
        assert_eq!(wait_probability(4, 0.0), 0.0);
    }

    /// A seeded discrete-event simulation of the same queue must find the same waits.
    #[test]
    fn agrees_with_a_simulated_queue() {
        let (servers, offered, patience) = (5_usize, 4.0, 0.5);
        let mut state = 7_u64;
        let mut exponential = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let uniform = ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            -libm::log(uniform)
        };
        let mut free_at = vec![0.0_f64; servers];
        let (mut now, mut late, arrivals) = (0.0, 0_u32, 400_000);
        for _ in 0..arrivals {
            now += exponential() / offered;
            let first = (0..servers)
                .min_by(|a, b| free_at[*a].total_cmp(&free_at[*b]))
                .unwrap_or(0);
            let begins = free_at[first].max(now);
            late += u32::from(begins - now > patience);
            free_at[first] = begins + exponential();
        }
        let simulated = f64::from(late) / f64::from(arrivals);
        let exact = wait_exceeds(servers as u32, offered, patience, 1.0);
        assert!(
            (simulated - exact).abs() < 0.01,
            "simulated {simulated}, exact {exact}"
        );
    }
}
