//! The simulation world: recorded or generated demand, the simulated cloud, virtual time.

use std::collections::VecDeque;
use std::convert::Infallible;

use fleetcast_capacity::CapacityModel;
use fleetcast_engine::{DemandMap, Engine, EngineConfig, Step, World};
use fleetcast_model::{
    Action, Approval, ComponentIndex, DemandObserved, Fenced, Observation, PerMinute,
    PricesObserved, Units,
};
use fleetcast_series::Series;
use jiff::{SignedDuration, Timestamp};

use crate::cloud::{Bill, Lifecycle, Serving, SimCloud};
use crate::fits::SharedFits;
use crate::random::Random;
use crate::spot_market::SpotMarket;
use crate::stated::whole_instances;
use crate::usage::{TrueUse, Usage};

/// What a simulation is made of, beside the engine.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Volumes by interaction type, in the engine's order, all on one grid.
    pub demand: Vec<Series>,
    /// How instances come and go, for each component.
    pub lifecycles: Vec<Lifecycle>,
    /// What each call to the cloud takes.
    pub api_delay: SignedDuration,
    /// How long a person takes to approve what needs it; `None`: nobody ever does.
    pub approval_delay: Option<SignedDuration>,
    /// When spot offers are to be had; `None`: always, and nothing is ever taken back.
    pub spot: Option<SpotMarket>,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// What the fleet really uses, if it is observed; `None`: what its profiles say, seen by nobody.
    pub usage: Option<Usage>,
    /// How demand becomes known.
    pub telling: Telling,
}

/// How demand becomes known, and whether what is not served comes again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Telling {
    /// Steps by which demand is told late.
    pub delay_steps: u32,
    /// In a closed loop: only what was served is told, and this share of the rest is asked for again in the next
    /// step. `None`: everything is told, and asked for once.
    pub retried: Option<f64>,
}

impl Telling {
    /// Of what was turned away so much is asked for again in the next step: an assumption.
    pub const RETRIED: f64 = 1.0 / 3.0;
}

/// What one interval was like, and what the engine decided at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// Its place in the run.
    pub index: usize,
    /// First moment.
    pub from: Timestamp,
    /// For each component.
    pub components: Vec<ComponentInterval>,
}

/// What one interval was like for one component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ComponentInterval {
    /// Whether the demand was observed; what was not is not scored.
    pub observed: bool,
    /// Demand in interactions a minute (in the plain setting: in the demand's own unit).
    pub volume: f64,
    /// Units that carry it in time, as a fraction.
    pub load: f64,
    /// The same in whole units, at least one.
    pub need: u64,
    /// What served.
    pub serving: Serving,
    /// Volume beyond what the units in service carry in time.
    pub unserved: f64,
    /// Whether the latency target was missed.
    pub violated: bool,
    /// The bill.
    pub bill: Bill,
}

/// Follows a run: called once a step, after the engine has decided.
pub trait Sink {
    /// Takes an interval and what was decided at its end.
    fn step(&mut self, interval: &Interval, seen: &[Observation], step: &Step);
    /// Whether to go on; asked before each step.
    fn go_on(&self) -> bool {
        true
    }
}

/// The simulation world.
pub struct Sim<'a, S> {
    simulation: &'a Simulation,
    cloud: SimCloud,
    map: DemandMap,
    capacities: Vec<CapacityModel>,
    step: SignedDuration,
    steps: usize,
    index: usize,
    start: Timestamp,
    interval: Interval,
    volumes: Vec<Vec<Option<f64>>>,
    flat: Vec<f64>,
    last: Vec<f64>,
    serving: Vec<Serving>,
    bills: Vec<Bill>,
    fits: SharedFits,
    fitted: Vec<Observation>,
    approvals: VecDeque<(Timestamp, Approval)>,
    truth: Option<TrueUse>,
    /// What a step of an engine that leads no more was answered.
    fenced: Option<Fenced>,
    /// Uses observed in the interval that has just ended.
    uses: Vec<Observation>,
    /// Demand that is not told yet, oldest first.
    untold: VecDeque<DemandObserved>,
    /// By interaction type: what is asked for again in the next step.
    again: Vec<f64>,
    /// By component: the interaction types of users that it serves.
    serves: Vec<Vec<usize>>,
    sink: S,
}

/// Runs a configuration on a simulation to the end of its demand, and gives the sink back.
pub fn simulate<S: Sink>(
    config: EngineConfig,
    simulation: &Simulation,
    sink: S,
) -> Result<S, fleetcast_engine::ConfigError> {
    simulate_sharing_fits(config, simulation, sink, &SharedFits::default()).map(|(sink, _)| sink)
}

/// The same, with fits that other runs on the same demand may have done before, and with the engine as it is
/// after the last step.
pub fn simulate_sharing_fits<S: Sink>(
    config: EngineConfig,
    simulation: &Simulation,
    sink: S,
    fits: &SharedFits,
) -> Result<(S, Engine), fleetcast_engine::ConfigError> {
    let mut sim = Sim::new(&config, simulation, sink)?;
    sim.fits = fits.clone();
    let mut engine = Engine::new(config)?;
    match run_to_end(fleetcast_engine::drive(&mut engine, &mut sim)) {
        Ok(()) => Ok((sim.sink, engine)),
        Err(never) => match never {},
    }
}

impl<'a, S: Sink> Sim<'a, S> {
    /// Prepares a world in which the fleet that the documents state (or that the first demand needs) runs.
    pub fn new(
        config: &EngineConfig,
        simulation: &'a Simulation,
        sink: S,
    ) -> Result<Self, fleetcast_engine::ConfigError> {
        let map = config.demand_map()?;
        let capacities = config.capacity_models(&map)?;
        let step = SignedDuration::from_secs(i64::from(config.step_seconds));
        let components = &config.fleet.components;
        let units_each: Vec<Vec<u32>> = components
            .iter()
            .map(|component| {
                config
                    .offers
                    .iter()
                    .map(|offer| u32::try_from(offer.units_of(&component.unit)).unwrap_or(u32::MAX))
                    .collect()
            })
            .collect();
        let random = Random::new(simulation.seed, "boot times");
        let cloud = SimCloud::new(
            config.offers.clone(),
            units_each,
            simulation.lifecycles.clone(),
            simulation.api_delay,
            step,
            random,
        )
        .with_faults(Random::new(simulation.seed, "standby promotions"))
        .with_market(
            simulation.spot.clone().unwrap_or_default(),
            Random::new(simulation.seed, "spot reclaims"),
        );
        let mut sim = Self {
            simulation,
            cloud,
            volumes: map.empty_volumes(),
            map,
            capacities,
            step,
            steps: simulation.demand.iter().map(Series::len).min().unwrap_or(0),
            index: 0,
            start: config.start,
            interval: Interval {
                components: vec![ComponentInterval::default(); components.len()],
                ..Interval::default()
            },
            flat: Vec::new(),
            last: vec![0.0; simulation.demand.len()],
            serving: Vec::new(),
            bills: Vec::new(),
            fits: SharedFits::default(),
            fitted: Vec::new(),
            approvals: VecDeque::new(),
            truth: None,
            fenced: None,
            uses: Vec::new(),
            untold: VecDeque::new(),
            again: vec![0.0; simulation.demand.len()],
            serves: types_served(config),
            sink,
        };
        if let Some(usage) = &simulation.usage {
            sim.truth = Some(TrueUse::new(usage, config, &sim.map, simulation)?);
        }
        sim.start_fleet(config)?;
        Ok(sim)
    }

    /// The fleet runs from before the first step: as stated, or as the first demand needs.
    fn start_fleet(&mut self, config: &EngineConfig) -> Result<(), fleetcast_engine::ConfigError> {
        for (series, last) in self.simulation.demand.iter().zip(&mut self.last) {
            *last = (0..series.len()).find_map(|i| series.get(i)).unwrap_or(0.0);
        }
        let first: Vec<Option<f64>> = self.last.iter().map(|value| Some(*value)).collect();
        self.map.route(&first, &mut self.volumes);
        for (index, component) in config.fleet.components.iter().enumerate() {
            self.flat.clear();
            self.flat.extend(
                self.volumes[index]
                    .iter()
                    .map(|volume| volume.unwrap_or(0.0)),
            );
            let load = match &self.truth {
                Some(truth) => truth.load(index, 0, config.start, &self.flat),
                None => self.capacities[index].load(&self.flat).units,
            };
            let need = need(load);
            let units = component
                .current
                .map_or(need, |current| current.get())
                .clamp(component.floor.get(), component.ceiling.get());
            // Whole instances, and never more than the ceiling.
            let units = Units::new(units);
            let Some((offer, count)) =
                whole_instances(&config.offers, component, units, component.ceiling)
            else {
                return Err(fleetcast_engine::ConfigError::NoOffer(
                    component.name.to_string(),
                ));
            };
            self.cloud
                .start_with(ComponentIndex(index as u16), offer, count, config.start);
        }
        Ok(())
    }

    /// Lives through one interval: what serves, what is asked, what it costs.
    fn live(&mut self, from: Timestamp, until: Timestamp) -> Vec<Option<PerMinute>> {
        let mut told: Vec<Option<f64>> = Vec::with_capacity(self.simulation.demand.len());
        let mut observed = true;
        for (series, last) in self.simulation.demand.iter().zip(&mut self.last) {
            let value = series.get(self.index);
            *last = value.unwrap_or(*last);
            observed &= value.is_some();
            told.push(value);
        }
        let truth: Vec<Option<f64>> = self.last.iter().map(|value| Some(*value)).collect();
        self.map.route(&truth, &mut self.volumes);
        let promoted = self.promote(from);
        self.cloud.serving(from, &mut self.serving);
        for (serving, promoted) in self.serving.iter_mut().zip(promoted) {
            serving.promoted = promoted;
        }
        self.cloud.bill(from, until, &mut self.bills);
        self.interval.index = self.index;
        self.interval.from = from;
        for (index, at) in self.interval.components.iter_mut().enumerate() {
            self.flat.clear();
            self.flat.extend(
                self.volumes[index]
                    .iter()
                    .map(|volume| volume.unwrap_or(0.0)),
            );
            let load = match &self.truth {
                Some(truth) => truth.load(index, self.index, from, &self.flat),
                None => self.capacities[index].load(&self.flat).units,
            };
            *at = live_through(
                &self.capacities[index],
                &self.flat,
                load,
                self.serving[index],
                self.bills[index],
                observed,
            );
            if let Some(truth) = &mut self.truth {
                let interval = (from, until);
                let seen =
                    truth.observe(index, self.index, interval, &self.flat, self.serving[index]);
                // Use without demand beside it tells nothing.
                self.uses.extend(seen.filter(|_| observed));
            }
        }
        if let Some(retried) = self.simulation.telling.retried {
            self.close_loop(retried, &mut told);
        }
        told.into_iter()
            .map(|value| value.and_then(PerMinute::new))
            .collect()
    }

    /// Adds what is asked for again, leaves of `told` what was served, and keeps what will be asked for once more.
    ///
    /// Demand and need stay those of the first attempts, so that policies are compared on equal terms; what is
    /// turned away counts as unserved each time.
    fn close_loop(&mut self, retried: f64, told: &mut [Option<f64>]) {
        let offered: Vec<f64> = (self.last.iter().zip(&self.again))
            .map(|(first, again)| first + again)
            .collect();
        let all: Vec<Option<f64>> = offered.iter().map(|value| Some(*value)).collect();
        self.map.route(&all, &mut self.volumes);
        let mut lost_share = vec![0.0f64; offered.len()];
        for (index, at) in self.interval.components.iter_mut().enumerate() {
            self.flat.clear();
            self.flat
                .extend(self.volumes[index].iter().map(|v| v.unwrap_or(0.0)));
            let asked: f64 = self.flat.iter().sum();
            let load = match &self.truth {
                Some(truth) => truth.load(index, self.index, self.interval.from, &self.flat),
                None => self.capacities[index].load(&self.flat).units,
            };
            let with_retries = live_through(
                &self.capacities[index],
                &self.flat,
                load,
                at.serving,
                at.bill,
                at.observed,
            );
            (at.unserved, at.violated) = (with_retries.unserved, with_retries.violated);
            if asked > 0.0 {
                for &kind in &self.serves[index] {
                    lost_share[kind] = lost_share[kind].max(at.unserved / asked);
                }
            }
        }
        for (kind, offered) in offered.into_iter().enumerate() {
            let lost = offered * lost_share[kind];
            self.again[kind] = retried * lost;
            told[kind] = told[kind].map(|_| offered - lost);
        }
    }

    /// Tells demand, as late as it comes.
    fn tell(&mut self, demand: DemandObserved) -> Option<DemandObserved> {
        self.untold.push_back(demand);
        let due = self.untold.len() > self.simulation.telling.delay_steps as usize;
        due.then(|| self.untold.pop_front()).flatten()
    }
}

/// By component: the places of the interaction types of users that it serves.
fn types_served(config: &EngineConfig) -> Vec<Vec<usize>> {
    let place = |kind| config.interaction_types.iter().position(|k| k == kind);
    let components = config.fleet.components.iter();
    components
        .map(|component| component.serves.iter().filter_map(place).collect())
        .collect()
}

impl<S> Sim<'_, S> {
    /// Fences engines of earlier terms off: what they start from now on is not carried out.
    pub fn fence(&mut self, term: u64) {
        self.cloud.fence(term);
    }

    /// What is armed promotes standby as soon as the demand of the interval is there; units, for each component.
    fn promote(&mut self, from: Timestamp) -> Vec<u64> {
        let mut promoted = vec![0; self.capacities.len()];
        if !self.cloud.is_armed() {
            return promoted;
        }
        for (index, promoted) in promoted.iter_mut().enumerate() {
            self.flat.clear();
            let volumes = self.volumes[index].iter();
            self.flat
                .extend(volumes.map(|volume| volume.unwrap_or(0.0)));
            let need = need(self.capacities[index].load(&self.flat).units);
            *promoted = self
                .cloud
                .promote_armed(ComponentIndex(index as u16), need, from);
        }
        promoted
    }
}

/// What an interval was like for one component.
fn live_through(
    capacity: &CapacityModel,
    volumes: &[f64],
    load: f64,
    serving: Serving,
    bill: Bill,
    observed: bool,
) -> ComponentInterval {
    let volume: f64 = volumes.iter().sum();
    let (unserved, violated) = match capacity {
        // In the demand's own unit, so that no rounding comes between.
        CapacityModel::Plain { per_unit } => {
            let unserved = over_parts(&serving, |units| (volume - units * per_unit).max(0.0));
            (unserved, volume > serving.effective * per_unit)
        }
        CapacityModel::Profiled(_) => {
            let beyond = over_parts(&serving, |units| (load - units).max(0.0));
            (
                if load > 0.0 {
                    volume * beyond / load
                } else {
                    0.0
                },
                load > serving.effective,
            )
        }
    };
    ComponentInterval {
        observed,
        volume,
        load,
        need: need(load),
        serving,
        unserved,
        violated,
        bill,
    }
}

/// The mean over the parts of an interval, before and after promoted units enter service.
fn over_parts(serving: &Serving, unserved: impl Fn(f64) -> f64) -> f64 {
    if serving.entering == 0 {
        return unserved(serving.effective);
    }
    let parts = serving.parts().into_iter();
    parts.map(|(share, units)| share * unserved(units)).sum()
}

/// Whole units that a load needs, at least one.
fn need(load: f64) -> u64 {
    (load.ceil().clamp(1.0, 1e12)) as u64
}

impl<S: Sink> World for Sim<'_, S> {
    type Error = Infallible;

    async fn observe(
        &mut self,
        wake_at: Timestamp,
        seen: &mut Vec<Observation>,
    ) -> Result<Option<Timestamp>, Infallible> {
        if self.index >= self.steps || !self.sink.go_on() {
            return Ok(None);
        }
        let from = self.start + self.step * self.index as i32;
        let until = wake_at.max(from + self.step);
        let per_minute = self.live(from, until);
        self.cloud.advance(until);
        seen.append(&mut self.fitted);
        seen.extend(self.fenced.take().map(Observation::Fenced));
        while self.approvals.front().is_some_and(|(at, _)| *at <= until) {
            seen.extend(
                self.approvals
                    .pop_front()
                    .map(|(_, approval)| Observation::Approval(approval)),
            );
        }
        let told = self.tell(DemandObserved {
            from,
            until,
            per_minute,
        });
        seen.extend(told.map(Observation::Demand));
        let prices = self.cloud.take_prices();
        if !prices.is_empty() {
            let as_of = until;
            seen.push(Observation::Prices(PricesObserved { as_of, prices }));
        }
        seen.extend(
            self.cloud
                .take_refused()
                .into_iter()
                .map(Observation::Refused),
        );
        seen.push(Observation::Inventory(self.cloud.list(until)));
        seen.append(&mut self.uses);
        self.index += 1;
        Ok(Some(until))
    }

    async fn record(&mut self, seen: &[Observation], step: &Step) -> Result<(), Infallible> {
        self.sink.step(&self.interval, seen, step);
        Ok(())
    }

    async fn start(&mut self, step: Step) -> Result<(), Infallible> {
        let now = step.now;
        if !self.cloud.fence(step.term) {
            let term = self.cloud.term();
            self.fenced = Some(Fenced { term });
            return Ok(());
        }
        for action in &step.actions {
            match action {
                Action::Order(order) => self.cloud.order(order, now),
                Action::Renew(renewal) => self.cloud.renew(renewal, now),
                Action::Register(range) => self.cloud.register(range, now),
                Action::Release(range) => self.cloud.release(range, now),
                Action::Promote(range) => self.cloud.promote(range, now),
                Action::Demote(range) => self.cloud.demote(range, now),
                Action::Arm(arming) => self.cloud.arm(arming),
                Action::RequestApproval(request) => {
                    let answer = Approval {
                        change_set: request.change_set,
                        granted: true,
                    };
                    let delay = self.simulation.approval_delay;
                    self.approvals
                        .extend(delay.map(|delay| (now + delay, answer)));
                }
                Action::Fit(_) | Action::UpdateFleetState(_) => {}
            }
        }
        // A fit takes one step of virtual time.
        let fits = &self.fits;
        self.fitted.extend(
            step.fits
                .iter()
                .map(|job| Observation::Fitted(fits.run(job))),
        );
        Ok(())
    }
}

/// Runs a future that never waits: worlds in virtual time are always ready.
pub fn run_to_end<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
