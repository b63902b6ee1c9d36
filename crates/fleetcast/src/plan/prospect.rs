//! The engine before a decision: it has lived through the history, and can be asked under any version of the
//! documents.

use anyhow::Result;
use fleetcast_engine::{Engine, FitJob, Step};
use fleetcast_model::{
    Budget, Cohort, Component, ComponentIndex, DemandObserved, Fleet, InstanceState, Inventory,
    Mode, Observation, Offer, Override, PerMinute, Placement, ProviderKind, Region, Token, Units,
    Zone,
};
use fleetcast_series::Series;
use fleetcast_sim::{
    Catalogue, Interval, SharedFits, Sink, simulate_sharing_fits, whole_instances,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::backtest::demand::History;
use crate::backtest::scenario::{Documents, Scenario};
use crate::backtest::worst_price::prices_at_worst;
use crate::cli::PlanArgs;
use crate::commands::documents;
use crate::files::BadInput;

/// The engine before a decision.
pub struct Prospect {
    /// The documents, as they were read.
    pub documents: Documents,
    /// When the decision is made.
    pub now: Timestamp,
    /// The volumes of each component until then, in interactions a minute.
    pub volumes: Vec<Series>,
    /// What was assumed because nobody said it.
    pub assumptions: Vec<String>,
    /// Units of each component that run now.
    pub running: Vec<Units>,
    engine: Engine,
    seen: Vec<Observation>,
}

/// One decision, and the engine after it.
pub struct Decision {
    /// The engine after the step.
    pub engine: Engine,
    /// What was decided.
    pub step: Step,
}

impl Prospect {
    /// Lets the engine live through the history until the asked moment, in charge of a simulated fleet, and takes
    /// the fleet that the documents state over.
    pub fn new(args: &PlanArgs, history: &History) -> Result<Self> {
        let documents = documents::read_folder(&args.folder, args.offers.as_deref())?;
        // An untyped volume is divided by the time it spans: what came later must not take part.
        let mut history = history.clone();
        if let Some(at) = args.at {
            history.demand = history.demand.until(at);
        }
        let mut scenario = Scenario::new(&args.as_backtest(), &history)?;
        // The whole catalogue: recommendations may go beyond what the placements allow.
        let end = scenario.simulation.demand.first().map(Series::end);
        let today = args.at.or(end).unwrap_or(scenario.config.start);
        scenario.config.offers = rentable(&documents.fleet, &documents.catalogue, today);
        scenario.config.prices_at_worst.clear();
        let steps = steps_until(&scenario, args.at)?;
        let all = std::mem::take(&mut scenario.simulation.demand);
        scenario.simulation.demand = all.iter().map(|one| one.slice(0..steps - 1)).collect();
        scenario.config.fleet = learning(&documents.fleet);
        let budget = documents.fleet.budget;
        let capped = budget.is_some_and(|budget| budget.hard_cap.is_some());
        let (last, mut engine) = simulate_sharing_fits(
            scenario.config,
            &scenario.simulation,
            Last::default(),
            &SharedFits::default(),
        )?;
        crate::stop::check()?;
        let now = engine.wake_at();
        let (worst, mut assumptions) = if capped {
            prices_at_worst(&engine.config().offers)
        } else {
            (Vec::new(), Vec::new())
        };
        engine.price_at_worst(worst);
        let mut seen: Vec<Observation> = last
            .fits
            .iter()
            .map(|job| Observation::Fitted(job.run()))
            .collect();
        let delay_steps = engine.config().telemetry.delay_steps as usize;
        let step = SignedDuration::from_secs(i64::from(engine.config().step_seconds));
        let late = step * delay_steps as i32;
        let newest = (steps - 1).checked_sub(delay_steps);
        seen.extend(newest.map(|newest| {
            let per_minute = all
                .iter()
                .map(|one| one.get(newest).and_then(PerMinute::new));
            Observation::Demand(DemandObserved {
                from: engine.now() - late,
                until: now - late,
                per_minute: per_minute.collect(),
            })
        }));
        let (running, assumed) = running(&engine, &documents.fleet);
        assumptions.extend(assumed);
        let offers = engine.config().offers.clone();
        seen.push(Observation::Inventory(listing(
            &documents.fleet,
            &offers,
            &running,
            now,
        )));
        Ok(Self {
            volumes: by_component(&engine, &all, steps),
            documents,
            now,
            assumptions,
            running,
            engine,
            seen,
        })
    }

    /// Takes over an engine as a recording left it before a decision at `now`, and what it saw then; `None` in the
    /// plain setting, which has no documents.
    pub fn recorded(
        engine: Engine,
        now: Timestamp,
        seen: Vec<Observation>,
        (running, volumes): (Vec<Units>, Vec<Series>),
    ) -> Option<Self> {
        let config = engine.config();
        let documents = Documents {
            fleet: config.fleet.clone(),
            persona: config.persona.clone()?,
            events: config.events.clone(),
            overrides: config.overrides.clone(),
            catalogue: Catalogue::built_in(),
        };
        Some(Self {
            documents,
            now,
            volumes,
            assumptions: Vec::new(),
            running,
            engine,
            seen,
        })
    }

    /// The fleet state with what runs now.
    pub fn fleet(&self) -> Fleet {
        let mut fleet = self.documents.fleet.clone();
        for (component, running) in fleet.components.iter_mut().zip(&self.running) {
            component.current = Some(*running);
        }
        fleet
    }

    /// Decides under these documents.
    pub fn decide(&self, fleet: Fleet, overrides: Vec<Override>) -> Result<Decision> {
        let mut engine = self.engine.clone();
        engine
            .amend(fleet, overrides)
            .map_err(|error| BadInput(error.to_string()))?;
        let step = engine.step(self.now, &self.seen);
        Ok(Decision { engine, step })
    }
}

/// Everything that a fleet could rent anywhere, at the prices that are to be believed at a moment.
pub fn rentable(fleet: &Fleet, catalogue: &Catalogue, at: Timestamp) -> Vec<Offer> {
    let mut everywhere = fleet.clone();
    let mut places: Vec<(ProviderKind, Region)> = Vec::new();
    for offer in catalogue.offers() {
        if !places
            .iter()
            .any(|(p, r)| *p == offer.provider && *r == offer.region)
        {
            places.push((offer.provider, offer.region.clone()));
        }
    }
    for component in &mut everywhere.components {
        let kinds = component.placements.first();
        let kinds = kinds.map_or_else(Vec::new, |place| place.purchase_kinds.clone());
        let anywhere = places.iter().map(|(provider, region)| Placement {
            provider: *provider,
            region: region.clone(),
            zones: Vec::new(),
            offers: Vec::new(),
            purchase_kinds: kinds.clone(),
        });
        component.placements.extend(anywhere);
    }
    let today = at.to_zoned(TimeZone::UTC).date();
    catalogue.rentable_by(&everywhere, today).offers
}

/// Keeps the fits that were asked for in the last step: their results come with the next one.
#[derive(Default)]
struct Last {
    fits: Vec<FitJob>,
}

impl Sink for Last {
    fn step(&mut self, _: &Interval, _: &[Observation], step: &Step) {
        self.fits.clone_from(&step.fits);
    }
    fn go_on(&self) -> bool {
        !crate::stop::asked()
    }
}

/// Whole steps of the history until a moment; at least two, so that there is something to know.
fn steps_until(scenario: &Scenario, at: Option<Timestamp>) -> Result<usize> {
    let all = scenario.steps();
    let start = scenario.config.start;
    let step = i64::from(scenario.config.step_seconds);
    let steps = at.map_or(all, |at| {
        let whole = at.duration_since(start).as_secs().div_euclid(step);
        usize::try_from(whole).unwrap_or(0).min(all)
    });
    if steps < 2 {
        let end = start + SignedDuration::from_secs(step * all as i64);
        let text = match at {
            Some(at) => format!(
                "--at {at} lies before anything is known: the history reaches from {start} to {end}"
            ),
            None => "the history has fewer than two steps: give more of it".into(),
        };
        return Err(BadInput(text).into());
    }
    Ok(steps)
}

/// The fleet state to learn under: the engine is in charge, and nobody has to be asked.
fn learning(fleet: &Fleet) -> Fleet {
    let mut fleet = fleet.clone();
    fleet.mode = Mode::Auto;
    fleet.mode_promotion = None;
    fleet.approval_threshold = None;
    fleet.freeze_windows.clear();
    fleet.quotas.clear();
    fleet.budget = fleet.budget.map(|budget| Budget {
        hard_cap: None,
        ..budget
    });
    for component in &mut fleet.components {
        component.current = None;
    }
    fleet
}

/// Units that run now: as the documents say, else what the last demand needs.
fn running(engine: &Engine, fleet: &Fleet) -> (Vec<Units>, Vec<String>) {
    let mut assumptions = Vec::new();
    let of = |(index, component): (usize, &fleetcast_model::Component)| {
        component.current.unwrap_or_else(|| {
            let volumes = engine.explain(index).volumes;
            let volume = volumes.iter().map(|(_, volume)| volume).sum();
            let need = engine.units_for(index, volume);
            let need = need.clamp(component.floor, component.ceiling);
            assumptions.push(format!(
                "fleet.json does not say how many units of `{}` run (`current`): {need} are assumed, what the last \
                 demand needs",
                component.name
            ));
            need
        })
    };
    let running = fleet.components.iter().enumerate().map(of).collect();
    (running, assumptions)
}

/// The provider's listing of a fleet of which only the units are known: the cheapest whole instances, long warm.
fn listing(fleet: &Fleet, offers: &[Offer], running: &[Units], now: Timestamp) -> Inventory {
    let components = fleet.components.iter().zip(running).enumerate();
    let cohorts = |(index, (component, units)): (usize, (&Component, &Units))| {
        let place = ComponentIndex(index as u16);
        let cohort = |(group, (of, units)): (usize, (Component, Units))| {
            let (offer, count) = whole_instances(offers, &of, units, units)?;
            let (own, nth) = (place.0.to_le_bytes(), group.to_le_bytes());
            let parts: [&[u8]; 3] = [b"stated", &own, &nth];
            let token = &parts[..if group > 0 { 3 } else { 2 }];
            (count > 0).then(|| Cohort {
                token: Token::of(token),
                first: 0,
                count,
                component: place,
                offer,
                state: InstanceState::InService,
                // Nobody says where in its bill it is: at the end of a day of hours, once it has drained.
                since: now - SignedDuration::from_hours(24) + component.timing.drain,
            })
        };
        let cohorts = |groups: Vec<(Component, Units)>| -> Vec<Cohort> {
            groups.into_iter().enumerate().filter_map(cohort).collect()
        };
        let units_of = |cohorts: &[Cohort]| -> u64 {
            let of = |cohort: &Cohort| {
                let offer = &offers[usize::from(cohort.offer.0)];
                u64::from(cohort.count) * offer.units_of(&component.unit)
            };
            cohorts.iter().map(of).sum()
        };
        let together = cohorts(vec![(component.clone(), *units)]);
        let spread = cohorts(by_zone(component, *units));
        // Whole instances may be too large to be shared out.
        if units_of(&spread) >= units_of(&together) {
            spread
        } else {
            together
        }
    };
    Inventory {
        as_of: now,
        complete: true,
        cohorts: components.flat_map(cohorts).collect(),
    }
}

/// What runs of a component, by zone where the loss of one is to leave enough: the documents do not say in which zones,
/// so as evenly as there are any. In each group the component may rent in that zone only.
fn by_zone(component: &Component, units: Units) -> Vec<(Component, Units)> {
    if component.sla.zone_loss.is_none() {
        return vec![(component.clone(), units)];
    }
    let in_zone = |place: &Placement, zone: &Zone| {
        let mut component = component.clone();
        component.placements = vec![Placement {
            zones: vec![zone.clone()],
            ..place.clone()
        }];
        component
    };
    let mut zones: Vec<Component> = Vec::new();
    for place in &component.placements {
        for zone in &place.zones {
            let one = in_zone(place, zone);
            let same = |known: &Component| {
                let known = &known.placements[0];
                known.provider == place.provider
                    && known.region == place.region
                    && known.zones.contains(zone)
            };
            if !zones.iter().any(same) {
                zones.push(one);
            }
        }
    }
    let mut left = units.get();
    let count = zones.len();
    let shared = zones.into_iter().enumerate().map(|(at, one)| {
        let share = left.div_ceil((count - at) as u64);
        left -= share;
        (one, Units::new(share))
    });
    shared.collect()
}

/// The volumes of each component over the first steps of the history; those that nobody has been told yet are unknown.
fn by_component(engine: &Engine, demand: &[Series], steps: usize) -> Vec<Series> {
    let Some(first) = demand.first() else {
        return Vec::new();
    };
    let Ok(map) = engine.config().demand_map() else {
        return Vec::new();
    };
    let mut routed = map.empty_volumes();
    let mut volumes = vec![Series::new(first.start(), first.step()); routed.len()];
    let untold = steps.saturating_sub(engine.config().telemetry.delay_steps as usize);
    for index in 0..steps {
        let told = |one: &Series| one.get(index).filter(|_| index < untold);
        let told: Vec<Option<f64>> = demand.iter().map(told).collect();
        map.route(&told, &mut routed);
        for (series, parts) in volumes.iter_mut().zip(&routed) {
            series.push(parts.iter().copied().sum());
        }
    }
    volumes
}
