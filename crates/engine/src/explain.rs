//! What stands behind the last step, for people and documents: inputs, requirement, alternatives, risk.

use fleetcast_capacity::{Figure, Outlook, RESOURCES, ResourceAmounts, ScaleOutCeiling};
use fleetcast_forecast::KnownEvent;
use fleetcast_model::{
    Cohort, InteractionType, MicroUsdPerHour, OfferId, Override, OverrideScore, Resource,
    StandbyPolicy, StandbyTerms, Units, UseDrift,
};
use fleetcast_planner::OfferChoice;
use jiff::{SignedDuration, Timestamp};

use crate::accuracy::Accuracy;
use crate::component::{Brain, ComponentState};
use crate::drills::DrillBook;
use crate::engine::Engine;
use crate::events::Known;
use crate::stages::requirement::round_up;

/// What stands behind the last step of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Last known volumes, in interactions a minute.
    pub volumes: Vec<(InteractionType, f64)>,
    /// What those need, by resource; `None` in the plain setting.
    pub amounts: Option<ResourceAmounts>,
    /// The 95 % quantile of the latency with the units in service, in milliseconds; `None`: unknown or over
    /// every bound.
    pub latency_ms_p95: Option<f64>,
    /// The same as it was measured in the step that has just ended, if it was.
    pub measured_latency_ms_p95: Option<f64>,
    /// What may be rented, each with its units and price, cheapest unit first.
    pub offers: Vec<(OfferId, u32, MicroUsdPerHour)>,
    /// Forecasts scored so far, and the share of them whose demand stayed at or under the 95 % quantile.
    pub scored: (u64, f64),
    /// Who forecasts, in words, and the check loss of its challenger over its own on held-out time; `None` where
    /// another policy decides.
    pub champion: Option<(&'static str, f64)>,
    /// Mean absolute error of the median, as a share of mean demand.
    pub relative_error: f64,
    /// What was learned of its use; `None`: none was observed.
    pub learned: Option<LearnedView>,
}

/// What was learned of a component's use.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedView {
    /// Each measured resource and type, in the order of the component's types.
    pub figures: Vec<Figure>,
    /// The resources for which what was learned decides, and not the profile.
    pub decides: Vec<Resource>,
    /// Use that no request asked for, by resource: of the whole component and of each unit, in cores, bytes, operations
    /// a second, kilobits a second and bytes.
    pub bases: Vec<(Resource, f64, f64)>,
    /// Changes of the use per request that were found, oldest first.
    pub drifts: Vec<UseDrift>,
    /// The units beyond which more do not help, if the data show them.
    pub ceiling: Option<ScaleOutCeiling>,
    /// The time constant with which memory follows the volume, in seconds; 0: at once.
    pub memory_follows_seconds: f64,
}

impl Engine {
    /// What stands behind the last step of a component.
    pub fn explain(&self, component: usize) -> Explained {
        let state = &self.components[component];
        let kinds = self.map.types_of(component).iter().cloned();
        let mut by_price = state.offers.clone();
        by_price.sort_by(OfferChoice::cmp_price);
        let offers = (by_price.iter())
            .map(|choice| {
                let offer = &self.config.offers[usize::from(choice.offer.0)];
                (offer.id.clone(), choice.units_each, choice.price)
            })
            .collect();
        let book = state.feedback.book;
        let count = book.count.max(1) as f64;
        let ready = crate::stages::observe::look(state, self.now(), self.now()).ready as f64;
        let champion = match &state.brain {
            Brain::Ours(ours) => {
                let (champion, rival_loss) = ours.forecaster.champion();
                Some((champion.name(), rival_loss))
            }
            Brain::Peer(_) => None,
        };
        Explained {
            champion,
            volumes: kinds.zip(state.volumes.iter().copied()).collect(),
            amounts: state.amounts(&state.volumes, Outlook::AtArrival),
            latency_ms_p95: match &state.learned {
                Some(learned) => learned.latency_ms_p95(&state.volumes, ready),
                None => state.capacity.latency_ms_p95(&state.volumes, ready),
            },
            measured_latency_ms_p95: state.latency_ms_p95,
            learned: state.learned_view(ready),
            offers,
            scored: (book.count, book.under_p95 as f64 / count),
            relative_error: if book.demand > 0.0 {
                book.absolute_error / book.demand
            } else {
                0.0
            },
        }
    }

    /// What a component's drills found, and the share of what stands by that came into service within the last
    /// 30 days; `None` without standby.
    pub fn drills(&self, component: usize) -> Option<(&DrillBook, Option<f64>)> {
        let state = &self.components[component];
        state.standby?;
        let proven = state.drills.proven_share(&state.cohorts, self.now());
        Some((&state.drills.book, proven))
    }

    /// The tiers that a component's standby may be kept in, each with what the fleet would have paid with it of late over
    /// what it would have paid without standby, as much demand left unserved; `None` where a tier never pays. Empty without
    /// standby.
    pub fn standby_tiers(&self, component: usize) -> Vec<(StandbyTerms, Option<f64>)> {
        let policy = self.config.fleet.components[component].standby;
        let Brain::Ours(ours) = &self.components[component].brain else {
            return Vec::new();
        };
        let terms = policy.iter().flat_map(StandbyPolicy::terms);
        terms.zip(ours.steering.tier_costs()).collect()
    }

    /// How well a component's demand at arrival was forecast; `None` where another policy decides.
    pub fn accuracy(&self, component: usize) -> Option<&Accuracy> {
        match &self.components[component].brain {
            Brain::Ours(ours) => Some(&ours.accuracy),
            Brain::Peer(_) => None,
        }
    }

    /// The events that concern a component, with what is said of each for its present mix of types.
    pub fn events_of(&self, component: usize) -> Vec<KnownEvent> {
        let stated = &self.config.fleet.components[component];
        let types = self.map.types_of(component);
        let volumes = &self.components[component].volumes;
        Known::new(&self.config.events, stated, types, volumes)
            .iter()
            .map(|(event, statement)| KnownEvent {
                event: event.clone(),
                statement,
            })
            .collect()
    }

    /// What the overrides of a component brought, as far as they are over, in the order in which they ended.
    pub fn override_scores(&self, component: usize) -> &[OverrideScore] {
        &self.components[component].trials.done
    }

    /// The overrides of a component that are in force for the last step.
    pub fn overrides_in_force(&self, component: usize) -> Vec<&Override> {
        let step = self.config.step_seconds;
        let lead = self.components[component].lead_steps - 1;
        let arrival = self.now() + SignedDuration::from_secs(i64::from(step) * i64::from(lead));
        let name = &self.config.fleet.components[component].name;
        let holds = |one: &&Override| one.component == *name && one.holds(self.now(), arrival);
        self.config.overrides.iter().filter(holds).collect()
    }

    /// The instances of a component, as they were listed before the last step.
    pub fn cohorts(&self, component: usize) -> &[Cohort] {
        &self.components[component].cohorts
    }

    /// What a component would need for this many interactions a minute, in its present mix, by resource.
    pub fn amounts_for(&self, component: usize, volume: f64) -> Option<ResourceAmounts> {
        let volumes = self.scaled(component, volume);
        self.components[component].amounts(&volumes, Outlook::Sustained)
    }

    /// The same when an order placed now would serve: memory that follows demand slowly has not come after it.
    pub fn amounts_at_arrival(&self, component: usize, volume: f64) -> Option<ResourceAmounts> {
        let volumes = self.scaled(component, volume);
        self.components[component].amounts(&volumes, Outlook::AtArrival)
    }

    /// Units that this many interactions a minute need, as a fraction, in the present mix.
    pub fn load_for(&self, component: usize, volume: f64) -> f64 {
        let state = &self.components[component];
        let volumes = self.scaled(component, volume);
        match &state.learned {
            Some(learned) => learned.load(&volumes, Outlook::Sustained).units,
            None => state.capacity.load(&volumes).units,
        }
    }

    /// The same, rounded up.
    pub fn units_for(&self, component: usize, volume: f64) -> Units {
        Units::new(round_up(self.load_for(component, volume)))
    }

    /// The probability, as the last forecast has it, that demand at arrival exceeds what so many units
    /// carry; `None` where no forecast of ours was made.
    pub fn shortfall_risk(&self, component: usize, units: u64) -> Option<f64> {
        let state = &self.components[component];
        let Brain::Ours(ours) = &state.brain else {
            return None;
        };
        let carried = units as f64 * state.per_unit;
        Some(libm::exp(-ours.last.depth_of(carried)))
    }

    /// What the known events that are on at a moment multiply a component's demand by, as far as is known.
    pub fn event_uplift(&self, component: usize, at: Timestamp) -> f64 {
        let state = &self.components[component];
        let Brain::Ours(ours) = &state.brain else {
            return 1.0;
        };
        if self.config.events.is_empty() {
            return 1.0;
        }
        let types = self.map.types_of(component);
        let of = &self.config.fleet.components[component];
        Known::new(&self.config.events, of, types, &state.volumes).factor(&ours.events, at)
    }

    /// The fewest units that carry demand at arrival with probability `level`, as the last forecast has it; `None`
    /// where no forecast of ours was made.
    pub fn units_at_level(&self, component: usize, level: f64) -> Option<Units> {
        let state = &self.components[component];
        let Brain::Ours(ours) = &state.brain else {
            return None;
        };
        let depth = -libm::log1p(-level.clamp(0.0, 0.999_9));
        Some(Units::new(round_up(
            ours.last.at_depth(depth) / state.per_unit,
        )))
    }

    fn scaled(&self, component: usize, volume: f64) -> Vec<f64> {
        let volumes = &self.components[component].volumes;
        let all: f64 = volumes.iter().sum();
        let share = |one: &f64| {
            if all > 0.0 {
                one / all
            } else {
                1.0 / volumes.len().max(1) as f64
            }
        };
        volumes.iter().map(|one| share(one) * volume).collect()
    }
}

impl ComponentState {
    /// What volumes need by resource, by what was learned where anything was.
    fn amounts(&self, volumes: &[f64], outlook: Outlook) -> Option<ResourceAmounts> {
        match &self.learned {
            Some(learned) => Some(learned.amounts(volumes, outlook)),
            None => self.capacity.amounts(volumes),
        }
    }

    fn learned_view(&self, ready: f64) -> Option<LearnedView> {
        let learned = self.learned.as_ref()?;
        let decides = RESOURCES.into_iter();
        let base = |resource: Resource| {
            let (all, each_unit) = learned.base(resource);
            (resource, all, each_unit)
        };
        Some(LearnedView {
            figures: learned.figures(),
            decides: decides
                .filter(|resource| learned.decides(*resource, &self.volumes, ready))
                .collect(),
            bases: RESOURCES.into_iter().map(base).collect(),
            drifts: learned.drifts().to_vec(),
            ceiling: learned.ceiling(),
            memory_follows_seconds: learned.memory_follows_seconds(),
        })
    }
}
