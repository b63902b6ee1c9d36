//! Fourth stage: what the fleet should be, each unit with its reason.

use fleetcast_model::{
    Component, Fallback, Ledger, Override, OverrideDecision, Reason, StatedForecast, Units,
    UnknownDemand, UnknownResponse,
};
use jiff::Timestamp;

use crate::stages::observe::Seen;
use crate::stages::requirement::Required;

/// Units wanted, with the capacity ledger that sums to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// Units wanted, between floor and ceiling.
    pub wanted: Units,
    /// Units to keep in standby beside them, under the same ceiling.
    pub standby: Units,
    /// The reason of each, standby included.
    pub ledger: Ledger,
    /// The floor that holds now.
    pub floor: Units,
    /// The ceiling that holds now.
    pub ceiling: Units,
    /// How many of the wanted units are there only because they are kept. They are no demand: no cover and no promise is
    /// wanted for them, or each look would add to what the one before has added.
    pub kept: Units,
    /// How many of the wanted units only cover the loss of a spot domain.
    pub cover: Units,
    /// How many of the wanted units are there only so that the loss of a zone leaves enough.
    pub zone: Units,
    /// How many units the loss of any zone must leave; none where nothing is promised.
    pub spare: Units,
    /// How many of the standby units are there for spot that may be lost at once.
    pub for_losses: Units,
    /// A person forbids any change.
    pub paused: bool,
    /// Whether what serves may be given back: demand is known, or a person says how many there may be.
    pub may_drain: bool,
    /// Whether it may shrink however often it has turned of late: a person or the documents say so.
    pub compelled: bool,
    /// The units beyond which more do not help, if so many were wanted.
    pub scale_out_ceiling: Option<Units>,
}

/// What the projection has to hold beside the requirement.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    /// Units that were wanted lately, or will be until arrival, and are kept, because starting them again would cost more.
    pub hold: u64,
    /// Whether demand has been known for long enough that what is there may be scaled in.
    pub may_shrink: bool,
    /// Units that the reactive lower bound wants; zero when the forecast is healthy and an objective is stated.
    pub reactive: u64,
    /// What is done about demand that is unknown, if it is.
    pub unknown: Option<UnknownDemand>,
    /// Standby, if there is any.
    pub standby: Option<Standby>,
}

impl Holds {
    /// The same without what was needed lately.
    fn without_reactive(self) -> Self {
        Self {
            reactive: 0,
            ..self
        }
    }

    /// The fallback that applies because demand has been unknown for too long.
    fn fallback(&self) -> Option<(Fallback, Units)> {
        match self.unknown?.response {
            UnknownResponse::FellBack { to, units } => Some((to, units)),
            UnknownResponse::Held { .. } | UnknownResponse::KnownAgain => None,
        }
    }
}

/// How many units should stand by.
#[derive(Clone, Copy, Debug)]
pub enum Standby {
    /// So many that there are this many in all, with those that run.
    InAll(u64),
    /// So many, as somebody has fixed.
    Fixed(u64),
}

/// Projects our own requirement. More units than `scale_out` would not help, if that is known.
pub fn project(
    component: &Component,
    deciders: &Deciders,
    seen: &Seen,
    required: &Required,
    holds: Holds,
    scale_out: Option<Units>,
) -> Projection {
    assert_held_no_longer(component, deciders, &holds);
    let fallback = holds.fallback();
    let to_floor = fallback.is_some_and(|(to, _)| to == Fallback::Floor);
    // Whoever falls back to the floor trusts no forecast but a person's.
    let (required, holds) = if to_floor && !required.stated {
        (&Required::NOTHING, holds.without_reactive())
    } else {
        (required, holds)
    };
    let mut limits = Limits::of(component, deciders);
    let mut ledger = Ledger::default();
    let mut counted = 0;
    let mut up_to = |reason, units: u64| {
        ledger.add(reason, units.saturating_sub(counted));
        counted = counted.max(units);
    };
    up_to(Reason::Floor, limits.floor.get());
    up_to(Reason::Baseline, required.now.min(required.bought));
    // What a person expects is that person's reason, all of it beyond the present.
    let because = |reason| {
        if required.stated {
            Reason::Override
        } else {
            reason
        }
    };
    up_to(
        because(Reason::Forecast),
        required.median_without_events.min(required.bought),
    );
    up_to(because(Reason::Event), required.median.min(required.bought));
    up_to(because(Reason::Uncertainty), required.bought);
    up_to(Reason::Reactive, holds.reactive);
    let total = seen.ready + seen.pending;
    // Nothing is scaled in on demand that nobody knows.
    let kept = if holds.may_shrink {
        holds.hold.min(total)
    } else if to_floor {
        0
    } else {
        // What people provision comes on top: kept as well, it would be added once more at each look.
        total.saturating_sub(limits.more.get())
    };
    up_to(Reason::Hold, kept);
    up_to(
        Reason::Fallback,
        fallback.map_or(0, |(_, units)| units.get()),
    );
    let helpful = scale_out.map(|most| most.max(limits.floor));
    let beyond = helpful.filter(|most| ledger.total() > *most && *most < limits.ceiling);
    if let Some(most) = beyond {
        ledger.cut_to(most);
    }
    let counted = ledger.total().get();
    let standby = match holds.standby {
        None => 0,
        Some(Standby::Fixed(units)) => units,
        Some(Standby::InAll(_)) if !seen.known => seen.standby + seen.preparing,
        Some(Standby::InAll(units)) => units.saturating_sub(counted),
    };
    // What would not help in service does not help in standby.
    let room = helpful.map_or(u64::MAX, |most| most.get().saturating_sub(counted));
    ledger.add(Reason::Standby, standby.min(room));
    let settled = limits.settle(ledger);
    Projection {
        scale_out_ceiling: beyond,
        may_drain: holds.may_shrink || limits.limited || to_floor,
        compelled: limits.limited || to_floor,
        kept: settled.ledger.units_for(Reason::Hold),
        ..settled
    }
}

/// Demand that is unknown holds a fleet for as long as its documents say, and not longer.
fn assert_held_no_longer(component: &Component, deciders: &Deciders, holds: &Holds) {
    let Some(unknown) = holds.unknown else {
        return;
    };
    let unknown_for = deciders.now.duration_since(unknown.since);
    assert!(
        !matches!(unknown.response, UnknownResponse::Held { .. })
            || unknown_for < component.timing.hold_max,
        "{} is held although its demand has been unknown for {unknown_for}",
        component.name
    );
}

/// Projects what another policy wants.
pub fn project_policy(component: &Component, deciders: &Deciders, wanted: u64) -> Projection {
    let mut limits = Limits::of(component, deciders);
    let mut ledger = Ledger::default();
    ledger.add(Reason::Floor, limits.floor.get());
    ledger.add(Reason::Policy, wanted.saturating_sub(limits.floor.get()));
    limits.settle(ledger)
}

/// What people decided, and when it counts.
#[derive(Clone, Copy, Debug)]
pub struct Deciders<'a> {
    /// All overrides of the fleet.
    pub overrides: &'a [Override],
    /// One that is left out, to see what it brings.
    pub without: Option<usize>,
    /// Now.
    pub now: Timestamp,
    /// When something ordered now would serve.
    pub arrival: Timestamp,
}

impl<'a> Deciders<'a> {
    /// The overrides of a component that are in force.
    pub fn of(
        &self,
        component: &'a Component,
    ) -> impl Iterator<Item = (usize, &'a Override)> + use<'a> {
        let Self {
            overrides,
            without,
            now,
            arrival,
        } = *self;
        let holds = move |(index, one): &(usize, &'a Override)| {
            Some(*index) != without && one.component == component.name && one.holds(now, arrival)
        };
        overrides.iter().enumerate().filter(holds)
    }

    /// The demand that a person expects at arrival; of several the one decided last.
    pub fn forecast(&self, component: &'a Component) -> Option<StatedForecast> {
        let stated = |(_, one): (usize, &Override)| match one.decision {
            OverrideDecision::Forecast(stated) => Some(stated),
            _ => None,
        };
        self.of(component).filter_map(stated).last()
    }
}

/// The units that go ahead of everything else now; none where a person forbids any change.
pub fn floor_now(component: &Component, deciders: &Deciders) -> Units {
    let limits = Limits::of(component, deciders);
    match limits.pin {
        _ if limits.paused => Units::ZERO,
        Some(pin) => pin,
        None => limits.floor,
    }
}

/// Units that people provision on top of what is required.
pub fn provisioned(component: &Component, deciders: &Deciders) -> Units {
    Limits::of(component, deciders).more
}

/// Floor, ceiling and decisions of people, as they hold now.
struct Limits {
    floor: Units,
    ceiling: Units,
    pin: Option<Units>,
    paused: bool,
    /// A person says how many units there may be at most.
    limited: bool,
    /// Units on top of those that are required; what is only kept counts towards them.
    more: Units,
}

impl Limits {
    fn of(component: &Component, deciders: &Deciders) -> Self {
        let mut limits = Self {
            floor: component.floor,
            ceiling: component.ceiling,
            pin: None,
            paused: false,
            limited: false,
            more: Units::ZERO,
        };
        for (_, decided) in deciders.of(component) {
            match decided.decision {
                // A person may go under the document's floor by pinning, never over its ceiling.
                OverrideDecision::Pin(units) => {
                    limits.pin = Some(units.min(component.ceiling));
                    limits.limited = true;
                }
                OverrideDecision::Floor(units) => {
                    limits.floor = limits.floor.max(units.min(component.ceiling))
                }
                OverrideDecision::Ceiling(units) => {
                    limits.ceiling = limits.ceiling.min(units);
                    limits.limited = true;
                }
                OverrideDecision::Pause => limits.paused = true,
                OverrideDecision::Provision(units) => limits.more += units,
                // It is heeded where demand is turned into units.
                OverrideDecision::Forecast(_) => {}
            }
        }
        // A floor outranks a ceiling, whichever was listed first.
        limits.ceiling = limits.ceiling.max(limits.floor);
        limits
    }

    /// Cuts the ledger to the ceiling, or replaces it by what a person pinned.
    fn settle(&mut self, mut ledger: Ledger) -> Projection {
        ledger.add(Reason::Override, self.more.get());
        if let Some(pin) = self.pin {
            ledger = Ledger::default();
            ledger.add(Reason::Override, pin.get());
            (self.floor, self.ceiling) = (pin, pin);
        }
        ledger.cut_to(self.ceiling);
        let in_all = ledger.total();
        assert!(
            in_all <= self.ceiling,
            "{in_all} units wanted, over the ceiling of {}",
            self.ceiling
        );
        let standby = ledger.units_for(Reason::Standby);
        Projection {
            wanted: in_all - standby,
            standby,
            ledger,
            floor: self.floor,
            ceiling: self.ceiling,
            kept: Units::ZERO,
            cover: Units::ZERO,
            zone: Units::ZERO,
            spare: Units::ZERO,
            for_losses: Units::ZERO,
            paused: self.paused,
            may_drain: true,
            compelled: false,
            scale_out_ceiling: None,
        }
    }
}

impl Projection {
    /// Adds units that cover the loss of a spot domain, as far as there is room under the ceiling.
    pub fn cover(&mut self, units: Units) {
        let cover = units.min(self.room());
        self.ledger.add(Reason::SpotRisk, cover.get());
        self.wanted += cover;
        self.cover = cover;
    }

    /// Adds units that stand by for spot that may be lost at once, as far as there is room under the ceiling.
    pub fn stand_by_for_losses(&mut self, units: Units) {
        self.for_losses = units.min(self.room());
        self.ledger.add(Reason::Standby, self.for_losses.get());
        self.standby += self.for_losses;
    }

    /// Units that may still be added, so that no promotion passes the ceiling.
    fn room(&self) -> Units {
        self.ceiling.saturating_sub(self.wanted + self.standby)
    }

    /// Adds units without which the loss of a zone would leave less than `spare`, as far as there is room.
    pub fn spread(&mut self, units: Units, spare: Units) {
        self.zone = units.min(self.room());
        self.spare = spare;
        self.ledger.add(Reason::ZoneLoss, self.zone.get());
        self.wanted += self.zone;
    }
}
