//! What the engine keeps of one component.

use std::collections::VecDeque;

use fleetcast_capacity::{CapacityModel, LearnedUse};
use fleetcast_forecast::event_book::{EdgeBook, EventBook};
use fleetcast_forecast::lead::{
    Fitted as FittedLead, LeadConfig, LeadForecast, LeadForecaster, STEPS_BEFORE, TrainingWindow,
};
use fleetcast_forecast::{ConformalSettings, DelayedConformal, PersonaPrior, Side};
use fleetcast_model::{
    Cohort, Component, ComponentIndex, FitRequest, Fitted, InstanceState, MicroUsdPerHour,
    Objective, ObjectiveMetric, OfferIndex, PromoteOn, Resource, Share, StandbyPolicy, Succession,
    Timing, UnknownDemand, UseDrift,
};
use fleetcast_planner::OfferChoice;
use fleetcast_planner::steering::{
    FleetRules, Goal, Purchase, StandbyRules, Steering, SteeringConfig,
};
use fleetcast_policy::{NodeOffer, Policy, Surroundings};
use fleetcast_series::SlidingMaximum;
use jiff::{SignedDuration, Timestamp};

use crate::accuracy::Accuracy;
use crate::burn::BurnWatch;
use crate::config::{ConfigError, EngineConfig, Part};
use crate::drills::Drills;
use crate::fresh::FreshDemand;
use crate::hedge::Hedge;
use crate::regret::PairTerms;
use crate::scale_in::ScaleInBudget;
use crate::stages::feedback::FeedbackState;
use crate::stages::forecast::Arrival;
use crate::stages::gate::GateState;
use crate::stages::nodes;
use crate::stages::observe::Seen;
use crate::stages::projection::Projection;
use crate::stages::workflow::WorkflowState;
use crate::telemetry::Unserved;
use crate::trials::Trials;
use crate::turns::Turns;
use crate::unknown::UnknownInput;
use crate::watch::{Alert, Watch};

/// Where nothing is stated, so much of the demand may go unserved.
const DEFAULT_UNSERVED: Share = Share::per_mille(5);

fn default_objective() -> Objective {
    Objective::over_28_days(ObjectiveMetric::Unserved, DEFAULT_UNSERVED)
}

/// Unit starts a day that steering plans with, in mean fleets: starts wear users' patience (cold caches) and
/// are paid for while they boot; the limit that we are held to is 4, less what the probes may err. Near known events
/// a third more may be started.
const STARTS_PER_DAY: f64 = 3.85;

/// What the engine keeps of one component.
#[derive(Clone, Debug)]
pub struct ComponentState {
    pub(crate) capacity: CapacityModel,
    /// What was learned of its use; `None` before any was observed.
    pub(crate) learned: Option<Box<LearnedUse>>,
    /// Changes of the use per request that were found in this step.
    pub(crate) use_drifts: Vec<UseDrift>,
    /// CPU that was seen busy in the step that has just ended, in units' worth of it.
    pub(crate) busy_units: Option<f64>,
    /// The 95 % quantile of the latency that was measured last, in milliseconds.
    pub(crate) latency_ms_p95: Option<f64>,
    /// CPU of a unit, in thousandths of a core.
    pub(crate) unit_cpu: f64,
    /// What one unit carries, in the measure that is forecast: 1 by profiles, which measure in units, until
    /// its use was observed.
    pub(crate) per_unit: f64,
    pub(crate) offers: Vec<OfferChoice>,
    /// The same as an autoscaler of nodes sees them; empty where none decides.
    pub(crate) node_offers: Vec<NodeOffer>,
    pub(crate) stateful: bool,
    pub(crate) scale_in: ScaleInBudget,
    pub(crate) turns: Turns,
    pub(crate) timing: Timing,
    /// Its standby, where Fleetcast itself decides.
    pub(crate) standby: Option<StandbyPolicy>,
    pub(crate) drills: Drills,
    /// How fast the objective's budget burns, where that promotes standby.
    pub(crate) burn: Option<BurnWatch>,
    /// Steps from a decision to the first step that its order serves.
    pub(crate) lead_steps: u32,
    pub(crate) step_seconds: u32,
    /// Units in service, and what they carried, in the steps whose demand is not told yet, oldest first.
    pub(crate) served: VecDeque<(u64, f64)>,
    pub(crate) known: bool,
    pub(crate) volume: f64,
    pub(crate) measure: f64,
    pub(crate) binding: Resource,
    /// Last known volumes by interaction type.
    pub(crate) volumes: Vec<f64>,
    pub(crate) cohorts: Vec<Cohort>,
    pub(crate) brain: Brain,
    /// What the last full step wanted, and its forecast.
    pub(crate) kept: Option<(Projection, Option<Arrival>)>,
    pub(crate) gate: GateState,
    pub(crate) workflow: WorkflowState,
    pub(crate) feedback: FeedbackState,
    /// Its spot pools, if it may buy spot.
    pub(crate) hedge: Option<Box<Hedge>>,
    /// Overrides on trial: what they bring.
    pub(crate) trials: Trials,
}

/// Who decides for a component.
#[derive(Clone, Debug)]
pub(crate) enum Brain {
    Ours(Box<Ours>),
    Peer(Box<Policy>),
}

/// Our own forecasting and steering for one component.
#[derive(Clone, Debug)]
pub struct Ours {
    pub(crate) forecaster: LeadForecaster,
    pub(crate) steering: Steering,
    pub(crate) hold: SlidingMaximum,
    /// Units in all, with those that stand by, that were wanted lately.
    pub(crate) deep: SlidingMaximum,
    /// Units that paid for themselves lately in standby for the loss of spot.
    pub(crate) losses: SlidingMaximum,
    /// The last forecast, as it was bought from.
    pub(crate) last: LeadForecast,
    /// What is unusual; `None` if that is not to matter.
    pub(crate) watch: Option<Watch>,
    pub(crate) alert: Alert,
    /// How well what buying uses was forecast.
    pub(crate) accuracy: Accuracy,
    pub(crate) prior: PersonaPrior,
    /// What events do, as far as is known.
    pub(crate) events: EventBook,
    /// What they do around their start and end: until arrival, and until some steps before it.
    pub(crate) edges: EdgeBook,
    pub(crate) edges_before: [EdgeBook; STEPS_BEFORE],
    /// Keeps the 95 % quantile that people see at 95 %. What is bought is calibrated by steering.
    pub(crate) seen_p95: DelayedConformal,
    /// The reactive lower bound: the highest demand of the last boot time.
    pub(crate) recent: SlidingMaximum,
    /// Whether an objective was stated, so that it decides and not the reactive bound.
    pub(crate) objective_stated: bool,
    /// Where only what was served is seen.
    pub(crate) cut_off: Option<CutOff>,
    pub(crate) step: u64,
    pub(crate) observed: usize,
    /// Steps of known demand that are still to come before anything is scaled in.
    pub(crate) fresh: FreshDemand,
    /// For how long demand has been unknown, and what is done about it.
    pub(crate) unknown: UnknownInput,
    /// Steps of an hour: history is weighed against the persona by the hour, because a forecast of the
    /// next minutes rests on the last ones far more than on the same time of other days.
    pub(crate) hour_steps: usize,
    requests: u64,
}

/// What fills in demand that was cut off at the capacity.
#[derive(Clone, Debug)]
pub(crate) struct CutOff {
    fill: Unserved,
    /// Forecasts of the steps under way, oldest first.
    forecasts: VecDeque<LeadForecast>,
    lead_steps: usize,
}

impl CutOff {
    /// The demand that stands behind what was served in the step whose demand is told now.
    pub(crate) fn fill_in(&mut self, served: Option<f64>, carried: f64) -> Option<f64> {
        if self.forecasts.len() < self.lead_steps {
            return served;
        }
        let forecast = self.forecasts.pop_front()?;
        served.map(|served| self.fill.fill_in(served, carried, &forecast))
    }

    /// Keeps a forecast until the demand of its step is told.
    pub(crate) fn keep(&mut self, forecast: &LeadForecast) {
        self.forecasts.push_back(*forecast);
    }
}

/// A model to be fitted: pure work that the world does, and whose result it tells the engine.
#[derive(Clone, Debug)]
pub struct FitJob {
    component: ComponentIndex,
    request: u64,
    window: TrainingWindow,
}

impl FitJob {
    /// Fits. Equal jobs give equal results.
    pub fn run(&self) -> Fitted {
        let parameters = fleetcast_forecast::lead::fit(&self.window).to_parameters();
        let form = self.window.form();
        Fitted {
            component: self.component,
            request: self.request,
            form,
            parameters,
        }
    }
}

impl ComponentState {
    /// Prepares a component for its first step.
    pub(crate) fn new(
        config: &EngineConfig,
        index: usize,
        component: &Component,
        capacity: CapacityModel,
    ) -> Result<Self, ConfigError> {
        let offers = offer_choices(&config.offers, component);
        if offers.is_empty() {
            return Err(ConfigError::NoOffer(component.name.to_string()));
        }
        let fits = |choice: &OfferChoice| {
            let each = u64::from(choice.units_each);
            component.floor.get().div_ceil(each) * each <= component.ceiling.get()
        };
        if !offers.iter().any(fits) {
            return Err(ConfigError::NothingFits {
                component: component.name.to_string(),
                floor: component.floor.get(),
                ceiling: component.ceiling.get(),
            });
        }
        let boot_steps = config.boot_steps[index];
        let per_unit = match capacity {
            CapacityModel::Plain { per_unit } => per_unit,
            CapacityModel::Profiled(_) => 1.0,
        };
        let surroundings = Surroundings {
            step_seconds: config.step_seconds,
            boot_steps,
            delay_steps: config.telemetry.delay_steps,
        };
        let brain = match config.policies[index].build(&surroundings) {
            Some(policy) => Brain::Peer(Box::new(policy)),
            None => Brain::Ours(Box::new(Ours::new(config, component, boot_steps, per_unit))),
        };
        let ours = matches!(brain, Brain::Ours(_));
        let lead = SignedDuration::from_secs(i64::from(config.step_seconds))
            * i32::try_from(boot_steps + 1).unwrap_or(i32::MAX);
        let hedge = Hedge::new(component, &config.offers, &offers, lead)
            .filter(|_| !config.without.contains(&Part::Hedge))
            .map(Box::new);
        let rules = FleetRules {
            boot_steps: boot_steps as usize,
            drain_steps: drain_steps(component, config.step_seconds),
        };
        let trials = Trials::new(rules, unit_price(&offers), config.step_seconds);
        Ok(Self {
            standby: component.standby.filter(|_| ours),
            drills: Drills::default(),
            burn: component
                .standby
                .filter(|policy| policy.promote_on == PromoteOn::Burn)
                .map(|_| {
                    let objective = config
                        .objective_of(component)
                        .unwrap_or_else(default_objective);
                    BurnWatch::new(&objective, config.step_seconds)
                }),
            capacity,
            learned: None,
            use_drifts: Vec::new(),
            busy_units: None,
            latency_ms_p95: None,
            unit_cpu: component.unit.cpu.as_f64(),
            per_unit,
            node_offers: match &brain {
                Brain::Peer(policy) if policy.scales_nodes() => {
                    nodes::offers(config, component, &offers)
                }
                _ => Vec::new(),
            },
            offers,
            hedge,
            stateful: component.stateful,
            scale_in: ScaleInBudget::new(component.timing.scale_in_per_hour.filter(|_| ours)),
            turns: Turns::default(),
            timing: component.timing,
            lead_steps: boot_steps + 1,
            step_seconds: config.step_seconds,
            served: VecDeque::new(),
            known: false,
            volume: 0.0,
            measure: 0.0,
            binding: Resource::Unit,
            volumes: Vec::new(),
            cohorts: Vec::new(),
            brain,
            kept: None,
            gate: GateState::default(),
            workflow: WorkflowState::default(),
            feedback: FeedbackState::new(forecast_steps(config, boot_steps)),
            trials,
        })
    }

    /// Takes the volumes of the step that has just ended; what is unknown stays as it was last known.
    pub(crate) fn take_demand(&mut self, volumes: &[Option<f64>]) {
        self.known = volumes.iter().all(Option::is_some);
        self.volumes.resize(volumes.len(), 0.0);
        for (last, volume) in self.volumes.iter_mut().zip(volumes) {
            *last = volume.unwrap_or(*last);
        }
        let load = self.capacity.load(&self.volumes);
        self.volume = self.volumes.iter().sum();
        self.binding = load.binding;
        self.measure = match self.capacity {
            // The very number that was told, so that no rounding comes between.
            CapacityModel::Plain { .. } => self.volume,
            CapacityModel::Profiled(_) => load.units,
        };
        self.settle();
    }

    /// Puts what served in the step that demand is told of beside that demand, where demand comes late.
    pub(crate) fn remember_service(&mut self, seen: &mut Seen, delay_steps: u32) {
        self.served.push_back((seen.ready, seen.effective));
        if self.served.len() > delay_steps as usize
            && let Some((ready, effective)) = self.served.pop_front()
        {
            (seen.ready_then, seen.effective) = (ready, effective);
        }
    }

    /// Takes a fitted model, if it is ours.
    pub(crate) fn take_fit(&mut self, fitted: &Fitted) {
        if let Brain::Ours(ours) = &mut self.brain
            && let Some(model) = FittedLead::from_parameters(&fitted.parameters)
        {
            ours.forecaster.install(fitted.form, model);
        }
    }

    /// Who forecasts from now on, if that has changed since this was last asked.
    pub(crate) fn succession(&mut self) -> Option<Succession> {
        let Brain::Ours(ours) = &mut self.brain else {
            return None;
        };
        let change = ours.forecaster.take_succession()?;
        Some(Succession {
            champion: change.champion.name().into(),
            loss_ratio: change.loss_ratio,
        })
    }

    /// What is done about demand that is unknown; told once only where the step is looked at `again`.
    pub(crate) fn unknown(&self, again: bool) -> Option<UnknownDemand> {
        match &self.brain {
            Brain::Ours(ours) if again => ours.unknown.again(),
            Brain::Ours(ours) => ours.unknown.now(),
            Brain::Peer(_) => None,
        }
    }

    /// What is unusual about its demand now, in a word.
    pub(crate) fn anomaly(&self) -> Option<String> {
        match &self.brain {
            Brain::Ours(ours) => ours.alert.kind.map(|kind| kind.to_string()),
            Brain::Peer(_) => None,
        }
    }

    /// Units that one instance of a cohort provides.
    pub(crate) fn units_each(&self, cohort: &Cohort) -> u64 {
        fleetcast_planner::units_each(&self.offers, cohort)
    }

    /// Units that are promoted for a drill and not in service yet: they stand by as far as anybody counts.
    pub(crate) fn drilling(&self) -> u64 {
        let drilled = self
            .cohorts
            .iter()
            .find(|cohort| cohort.state == InstanceState::Promoting && self.drills.holds(cohort));
        drilled.map_or(0, |cohort| self.units_each(cohort))
    }

    /// How its regret is priced.
    pub(crate) fn terms(&self, config: &EngineConfig, component: &Component) -> PairTerms {
        let objective = config.objective_of(component);
        let share = objective.map_or(DEFAULT_UNSERVED, |objective| objective.target);
        PairTerms {
            rules: FleetRules {
                boot_steps: self.lead_steps as usize - 1,
                drain_steps: drain_steps(component, config.step_seconds),
            },
            unit_price: unit_price(&self.offers),
            step_seconds: config.step_seconds,
            missing_price: 1.0 / share.get().max(1e-6),
        }
    }

    /// Whether anything may be given back: what is compelled may, and so may policies that are compared with ours.
    pub(crate) fn may_turn(&self, compelled: bool, now: Timestamp, changes_per_hour: u32) -> bool {
        let free = compelled || matches!(self.brain, Brain::Peer(_));
        free || self.turns.may_shrink(now, changes_per_hour)
    }

    /// What everything that is listed costs.
    pub(crate) fn rate(&self) -> MicroUsdPerHour {
        let price = |cohort: &Cohort| {
            let choice = self
                .offers
                .iter()
                .find(|choice| choice.offer == cohort.offer);
            let full = choice.map(|choice| choice.price)?;
            let ppm = match (cohort.state, &self.standby) {
                (InstanceState::Standby, Some(policy)) => policy.price_share.parts_per_million(),
                _ => return Some(full),
            };
            let share = u128::from(full.get()) * u128::from(ppm);
            Some(MicroUsdPerHour::new(share.div_ceil(1_000_000) as u64))
        };
        self.cohorts
            .iter()
            .map(|cohort| price(cohort).unwrap_or_default() * u64::from(cohort.count))
            .sum()
    }
}

impl Ours {
    fn new(config: &EngineConfig, component: &Component, boot_steps: u32, per_unit: f64) -> Self {
        let lead_steps = forecast_steps(config, boot_steps);
        let step_seconds = config.step_seconds;
        let lead = LeadConfig {
            step_seconds,
            lead_steps,
            boot_steps: boot_steps as usize,
            challenger: !config.without.contains(&Part::Challenger),
        };
        let edges = |lead| EdgeBook::new(SignedDuration::from_secs(i64::from(step_seconds)), lead);
        let rules = FleetRules {
            boot_steps: boot_steps as usize,
            drain_steps: drain_steps(component, step_seconds),
        };
        let stated = config.objective_of(component);
        let objective = stated.unwrap_or_else(default_objective);
        let target = objective.target.get();
        let objective = match objective.metric {
            ObjectiveMetric::Unserved => Goal::UnservedShare(target),
            ObjectiveMetric::Violation => Goal::ViolationShare(target),
        };
        let steps_per_day = 86_400.0 / f64::from(step_seconds);
        let purchase = Purchase {
            goal: objective,
            capacity: per_unit,
            rules,
        };
        let steering = Steering::new(SteeringConfig {
            purchase,
            steps_per_day,
            delay_steps: config.telemetry.delay_steps as usize,
            warm_up_steps: config.warm_up_steps,
            starts_per_day: STARTS_PER_DAY,
            learn_depth: !config.without.contains(&Part::Calibration),
            keep_budget: !config.without.contains(&Part::Budget),
        });
        let steering = match &component.standby {
            Some(policy) => {
                let tiers = policy.terms();
                let rules = tiers.map(|terms| standby_rules(&policy.at(terms), step_seconds));
                steering.with_standby(&rules.collect::<Vec<_>>())
            }
            None => steering,
        };
        let confidence = config.persona.as_ref().map_or(Share::NONE, mean_confidence);
        Self {
            forecaster: LeadForecaster::new(lead),
            hold: SlidingMaximum::new(1),
            deep: SlidingMaximum::new(1),
            losses: SlidingMaximum::new(1),
            steering,
            last: LeadForecast::default(),
            watch: (!config.without.contains(&Part::Anomalies)).then(|| Watch::new(step_seconds)),
            alert: Alert::default(),
            accuracy: Accuracy::new(lead_steps, step_seconds),
            prior: PersonaPrior::new(confidence),
            events: EventBook::new(SignedDuration::from_secs(i64::from(step_seconds))),
            edges: edges(lead_steps),
            edges_before: lead.before_arrival().map(edges),
            seen_p95: DelayedConformal::new(ConformalSettings::new(Side::Above, 0.05), lead_steps),
            recent: SlidingMaximum::new(u64::from(boot_steps.max(1))),
            objective_stated: stated.is_some(),
            cut_off: config.telemetry.served_only.then(|| CutOff {
                fill: Unserved::default(),
                forecasts: VecDeque::new(),
                lead_steps,
            }),
            step: 0,
            observed: 0,
            fresh: FreshDemand::new(boot_steps + 1),
            unknown: UnknownInput::new(step_seconds),
            hour_steps: (steps_per_day / 24.0).max(1.0) as usize,
            requests: 0,
        }
    }

    /// The weight of the persona beside the data, 0 to 1.
    pub(crate) fn persona_weight(&self) -> f64 {
        1.0 - self.prior.data_weight(self.observed, self.hour_steps)
    }

    /// A fit that is due now.
    pub(crate) fn fit_job(&mut self, component: ComponentIndex) -> Option<FitJob> {
        let window = self.forecaster.fit_due()?;
        self.requests += 1;
        Some(FitJob {
            component,
            request: self.requests,
            window,
        })
    }
}

impl FitJob {
    /// Tells windows apart: equal ones have equal results.
    pub fn fingerprint(&self) -> u64 {
        self.window.fingerprint()
    }

    /// Which component, and which of its requests.
    pub fn key(&self) -> (ComponentIndex, u64) {
        (self.component, self.request)
    }

    /// What the world is asked for.
    pub fn request(&self) -> FitRequest {
        FitRequest {
            component: self.component,
            request: self.request,
            form: self.window.form(),
        }
    }
}

/// What steering has to know of a standby policy. Where the engine promotes, its look comes at the end of a step.
pub(crate) fn standby_rules(policy: &StandbyPolicy, step_seconds: u32) -> StandbyRules {
    let promotion = policy.promotion.as_secs_f64() / f64::from(step_seconds);
    StandbyRules {
        promotion_steps: match policy.promote_on {
            PromoteOn::OverCapacity => promotion,
            PromoteOn::Burn => 1.0 + promotion,
        },
        price_share: policy.price_share.get(),
        fixed: policy.units.map(|units| units.get()),
        correlated_loss: 0,
    }
}

/// The price of the cheapest unit.
fn unit_price(offers: &[OfferChoice]) -> MicroUsdPerHour {
    let each = |choice: &OfferChoice| choice.price.get() / u64::from(choice.units_each.max(1));
    MicroUsdPerHour::new(offers.iter().map(each).min().unwrap_or_default())
}

/// Steps for which a unit that is given back is paid for.
fn drain_steps(component: &Component, step_seconds: u32) -> usize {
    let drain = component.timing.drain.as_secs().max(0).unsigned_abs();
    drain.div_ceil(u64::from(step_seconds)) as usize
}

/// The offers that a component's placements allow, as the planner sees them.
pub(crate) fn offer_choices(
    offers: &[fleetcast_model::Offer],
    component: &Component,
) -> Vec<OfferChoice> {
    let lifetime = u32::try_from(component.timing.lifetime.as_secs()).unwrap_or(u32::MAX);
    let choice = |(offer, index): (&fleetcast_model::Offer, u16)| {
        let units_each = u32::try_from(offer.units_of(&component.unit)).unwrap_or(u32::MAX);
        component.allows(offer).then_some(OfferChoice {
            offer: OfferIndex(index),
            units_each,
            price: offer.price,
            lifetime_seconds: lifetime,
            billing: offer.billing,
        })
    };
    offers.iter().zip(0..).filter_map(choice).collect()
}

/// Steps from the newest demand that is told to the first step that an order placed now would serve.
fn forecast_steps(config: &EngineConfig, boot_steps: u32) -> usize {
    boot_steps as usize + 1 + config.telemetry.delay_steps as usize
}

fn mean_confidence(persona: &fleetcast_model::Persona) -> Share {
    let patterns = &persona.engagement_patterns;
    let sum: f64 = patterns
        .iter()
        .map(|pattern| pattern.confidence.get())
        .sum();
    Share::new(sum / patterns.len().max(1) as f64).unwrap_or(Share::NONE)
}
