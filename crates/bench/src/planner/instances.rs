//! Instances: generated from seeds, on demand that is generated too or recorded.

use fleetcast_model::{
    Billing, ComponentIndex, MicroUsd, MicroUsdPerHour, OfferIndex, PurchaseKind, Units,
};
use fleetcast_planner::fleet_plan::{
    ComponentProblem, FleetProblem, Pool, PoolIndex, Quota, Standing,
};

/// How large an instance is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub offers: usize,
    pub zones: usize,
    pub periods: usize,
    pub components: usize,
    /// The most units that a component needs.
    pub units: u64,
}

/// One instance, with a name that says where it is from.
pub struct Instance {
    pub name: String,
    pub problem: FleetProblem,
}

/// Draws numbers; one for each instance, from its seed.
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        let mut draws = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        draws.next();
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A number from 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 53) as f64
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// A small instance: 2 to 8 offers in one to three zones, 12 to 48 periods, up to three components; with all the rules
/// of the problem now and then. The demand comes from `recorded`, if there is any.
pub fn small(seed: u64, recorded: Option<&(String, Vec<f64>)>) -> Instance {
    let mut draws = Draws::new(seed);
    let size = Size {
        offers: 2 + draws.below(7) as usize,
        zones: draws.one_of(&[1, 1, 2, 3]),
        periods: draws.one_of(&[12, 24, 24, 48]),
        components: draws.one_of(&[1, 1, 1, 2, 3]),
        units: draws.one_of(&[6, 15, 40, 120, 400]),
    };
    let name = recorded.map_or("generated", |(name, _)| name.as_str());
    Instance {
        name: format!("{name}-{seed}"),
        problem: generate(
            size,
            &mut draws,
            recorded.map(|(_, values)| &values[..]),
            true,
        ),
    }
}

/// An instance of a stated size, of one component unless more are asked for.
pub fn of_size(size: Size, seed: u64) -> Instance {
    let mut draws = Draws::new(seed);
    Instance {
        name: format!(
            "{}x{}x{}x{}-{seed}",
            size.offers, size.zones, size.periods, size.components
        ),
        problem: generate(size, &mut draws, None, false),
    }
}

/// Sizes of an instance in units, and their prices a unit-hour, as catalogues have them: families that differ by price,
/// sizes by factors of two, a little off proportion.
fn generate(size: Size, draws: &mut Draws, recorded: Option<&[f64]>, varied: bool) -> FleetProblem {
    let period_seconds = draws.one_of(&[900, 900, 3_600]);
    let spread = size.zones > 1 && (!varied || draws.below(2) == 0);
    let hourly = varied && draws.below(5) == 0;
    let mut pools = Vec::new();
    let mut units_of = Vec::new();
    let largest = (size.units / 2).max(1);
    for offer in 0..size.offers {
        let each = draws
            .one_of(&[1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96])
            .min(largest);
        let family = 40_000.0 * (0.75 + 0.5 * draws.share());
        let odd = 1.0 + 0.12 * (draws.share() - 0.5);
        let spot = draws.below(4) == 0;
        let price = family * odd * each as f64 * if spot { 0.5 + 0.3 * draws.share() } else { 1.0 };
        let minimum = if hourly && draws.below(2) == 0 {
            3_600
        } else {
            60
        };
        // The last offer serves at once and is never limited, so that all demand can be met.
        let last = offer + 1 == size.offers;
        let lead = if draws.below(3) == 0 && !last { 1 } else { 0 };
        for zone in 0..size.zones {
            let of_zone = 1.0 + 0.04 * (draws.share() - 0.5) * f64::from(u8::from(spot)) * 5.0;
            pools.push(Pool {
                offer: OfferIndex(offer as u16),
                zone: zone as u16,
                purchase: if spot {
                    PurchaseKind::Spot
                } else {
                    PurchaseKind::OnDemand
                },
                price: MicroUsdPerHour::new((price * of_zone) as u64),
                billing: Billing {
                    minimum_seconds: minimum,
                    granularity_seconds: if minimum == 3_600 && offer % 2 == 0 {
                        3_600
                    } else {
                        1
                    },
                },
                lead_periods: lead,
            });
            units_of.push(each as u32);
        }
    }
    let quotas = quotas(size, &pools, &units_of, draws, varied);
    let components = (0..size.components).map(|index| {
        let demand = demand(size, draws, recorded);
        let offers: Vec<(PoolIndex, u32)> = (0..pools.len())
            .filter(|place| {
                let last = place / size.zones + 1 == size.offers;
                !varied || size.offers < 4 || draws.below(8) > 0 || last
            })
            .map(|place| (PoolIndex(place as u32), units_of[place]))
            .collect();
        let stands = varied && !offers.is_empty() && draws.below(3) == 0;
        let standing = if stands {
            let (pool, each) = draws.one_of(&offers);
            vec![Standing {
                pool,
                count: (demand[0] / u64::from(each)).max(1) as u32,
                serves_from: 0,
                bound_until: draws.below(4) as u32,
            }]
        } else {
            vec![]
        };
        let priced = varied && draws.below(4) == 0;
        ComponentProblem {
            component: ComponentIndex(index as u16),
            floor: Units::new(1),
            ceiling: Units::new(size.units * 4 + 200),
            // Two to five times what a unit costs.
            shortage_price: priced.then(|| {
                MicroUsd::new((2 + draws.below(4)) * 40_000 * u64::from(period_seconds) / 3_600)
            }),
            survives_zone_per_mille: if spread {
                draws.one_of(&[500, 700, 1_000])
            } else {
                0
            },
            importance: 1 + draws.below(10) as u8,
            stateful: false,
            lifetime_periods: if varied {
                draws.one_of(&[0, 0, 2, 4])
            } else {
                2
            },
            start_price: MicroUsd::new(draws.one_of(&[0, 2_000, 8_000, 20_000])),
            demand: demand.into_iter().map(Units::new).collect(),
            offers,
            standing,
        }
    });
    FleetProblem {
        period_seconds,
        periods: size.periods as u32,
        components: components.collect(),
        pools,
        quotas,
        budget: None,
    }
}

/// Some offers are limited: a quota over all zones, of half of what the demand would take.
fn quotas(
    size: Size,
    pools: &[Pool],
    units_of: &[u32],
    draws: &mut Draws,
    varied: bool,
) -> Vec<Quota> {
    let mut quotas = Vec::new();
    if size.offers < 3 || (varied && draws.below(3) > 0) {
        return quotas;
    }
    for number in 0..1 + size.offers / 40 {
        let offer = OfferIndex(draws.below(size.offers as u64 - 1) as u16);
        let of = || (0..pools.len()).filter(|place| pools[*place].offer == offer);
        let each = of()
            .map(|place| u64::from(units_of[place]))
            .next()
            .unwrap_or(1);
        quotas.push(Quota {
            name: format!("offer {} ({number})", offer.0),
            limit: (size.units * size.components as u64 / each / 2).max(1),
            uses: of().map(|place| (PoolIndex(place as u32), 1)).collect(),
        });
    }
    quotas
}

/// Units by period: a daily wave with noise and a spike now and then, or a stretch of the recording.
fn demand(size: Size, draws: &mut Draws, recorded: Option<&[f64]>) -> Vec<u64> {
    let top = (size.units as f64 * (0.4 + 0.6 * draws.share())).max(1.0);
    let values: Vec<f64> = match recorded {
        Some(values) if values.len() >= size.periods => {
            let from = draws.below((values.len() - size.periods + 1) as u64) as usize;
            values[from..from + size.periods].to_vec()
        }
        _ => {
            let (phase, depth) = (draws.share(), 0.2 + 0.7 * draws.share());
            let noise = 0.25 * draws.share();
            let spike = draws.below(3 * size.periods as u64) as usize;
            let wave = |t: usize, draws: &mut Draws| {
                let turn = t as f64 / size.periods as f64 + phase;
                let wave = 1.0 - depth * (0.5 + 0.5 * (turn * std::f64::consts::TAU).cos());
                let spiked = if t == spike { 1.5 } else { 1.0 };
                wave * spiked * (1.0 + noise * (draws.share() - 0.5))
            };
            (0..size.periods).map(|t| wave(t, draws)).collect()
        }
    };
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    values
        .iter()
        .map(|value| (value.max(0.0) / most * top).ceil() as u64)
        .collect()
}
