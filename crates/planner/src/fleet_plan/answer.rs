//! The answer: what runs when, what is missing and why, what it costs, and what it could cost at the least.

use fleetcast_model::{ComponentIndex, MicroUsd, Units};
use serde::{Deserialize, Serialize};

use super::problem::{ComponentProblem, PoolIndex};

/// A plan of the whole fleet over the horizon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetPlan {
    /// Each component's part, in the problem's order.
    pub parts: Vec<Part>,
    /// What it costs.
    pub cost: Cost,
    /// No plan of the stated problem costs less; where demand without a price is missing, no plan that has as much of
    /// it in each period.
    pub lower_bound: MicroUsd,
    /// Counted work: cells of tables that were filled. Equal problems take equal work.
    pub work: u64,
}

/// What one component gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The component.
    pub component: ComponentIndex,
    /// What runs; sorted, and each different.
    pub runs: Vec<Run>,
    /// What is missing, by period.
    pub unmet: Vec<Unmet>,
    /// What would lift what it misses, where that can be told; at most one for each binding limit.
    pub lifts: Vec<Lift>,
    /// What it costs.
    pub cost: Cost,
}

/// Instances that run from one period to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The period in which they are ordered; 0 for what stands already.
    pub from: u32,
    /// The period in which they are released; the horizon's end if they are not.
    pub until: u32,
    /// Where.
    pub pool: PoolIndex,
    /// New, or which of the need's standing instances.
    pub origin: Origin,
    /// How many.
    pub count: u32,
}

/// Where a run comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// It is there already: a place in [`ComponentProblem::standing`](super::ComponentProblem::standing).
    Standing(u32),
    /// It is ordered.
    New,
}

/// Money, by what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What is billed: whole bills that the plan begins, though they end after the horizon.
    pub bill: MicroUsd,
    /// What starting costs beside the bill.
    pub starts: MicroUsd,
    /// What the missing units cost that have a price.
    pub shortage: MicroUsd,
}

/// Units that are missing in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// When.
    pub period: u32,
    /// How many.
    pub units: Units,
    /// What of.
    pub what: Missing,
    /// Why.
    pub binding: Binding,
}

/// What units are missing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Of the demand.
    Demand,
    /// Of what would be there after the loss of a zone.
    ZoneSpare,
}

/// The limit that keeps units from being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// Nothing may be rented.
    NoOffer,
    /// Nothing can serve so soon.
    Lead,
    /// Another instance would pass the component's ceiling.
    Ceiling,
    /// The quota in this place of the problem's quotas is used up.
    Quota(u32),
    /// The budget is used up.
    Budget,
    /// All that may be rented lies in too few zones.
    Zones,
    /// Missing it costs less than having it.
    Price,
}

/// What has to change so that what is missing is there, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// The limit.
    pub binding: Binding,
    /// Unit-periods that come back without it.
    pub unit_periods: u64,
    /// What the plan with them costs more.
    pub price: MicroUsd,
    /// What it costs less, where the limit made it rent what is dearer.
    pub saving: MicroUsd,
}

impl Cost {
    /// All of it.
    pub fn total(&self) -> MicroUsd {
        self.bill + self.starts + self.shortage
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.bill += other.bill;
        self.starts += other.starts;
        self.shortage += other.shortage;
    }
}

impl FleetPlan {
    /// Unit-periods of demand that are missing.
    pub fn unmet_unit_periods(&self) -> u64 {
        let demand = |part: &Part| part.unmet_unit_periods(Missing::Demand);
        self.parts.iter().map(demand).sum()
    }
}

impl Part {
    /// Unit-periods that are missing of the demand or of the spare.
    pub fn unmet_unit_periods(&self, what: Missing) -> u64 {
        let of_it = self.unmet.iter().filter(|unmet| unmet.what == what);
        of_it.map(|unmet| unmet.units.get()).sum()
    }

    /// Unit-periods that are missing of the component's floor.
    pub fn missing_of_floor(&self, need: &ComponentProblem) -> u64 {
        let ceiling = need.ceiling.max(need.floor);
        let missing = |unmet: &Unmet| {
            let wanted = need.demand[unmet.period as usize].max(need.floor);
            let above = wanted.min(ceiling).saturating_sub(need.floor);
            unmet.units.saturating_sub(above).get()
        };
        let demand = self.unmet.iter().filter(|u| u.what == Missing::Demand);
        demand.map(missing).sum()
    }

    /// What is to be ordered now: pools and instances.
    pub fn orders_now(&self) -> impl Iterator<Item = (PoolIndex, u32)> + '_ {
        let now = |run: &&Run| run.origin == Origin::New && run.from == 0;
        self.runs
            .iter()
            .filter(now)
            .map(|run| (run.pool, run.count))
    }

    /// What is to be given back now: places of standing instances, and how many of each.
    pub fn releases_now(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.runs.iter().filter_map(|run| match run.origin {
            Origin::Standing(place) if run.until == 0 => Some((place, run.count)),
            _ => None,
        })
    }
}
