//! How the volumes of the site's interaction types reach its components.

use fleetcast_model::{Fleet, InteractionType};

use crate::config::ConfigError;

/// Where a part of a component's demand comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TypeSource {
    /// Users, of the interaction type at this place in the observations.
    Users(usize),
    /// Another component, so many calls for each interaction that it serves.
    Calls {
        /// The caller's place in the fleet.
        caller: usize,
        /// Calls for each of its interactions.
        for_each: f64,
    },
}

/// The way from interaction types to components, callers before the called.
#[derive(Clone, Debug, PartialEq)]
pub struct DemandMap {
    /// For each component, its interaction types.
    types: Vec<Vec<InteractionType>>,
    /// For each component and each of its types, the sources that add up.
    sources: Vec<Vec<Vec<TypeSource>>>,
    /// Components in an order in which callers come first.
    order: Vec<usize>,
}

impl DemandMap {
    /// Finds what each component is asked for.
    pub fn new(fleet: &Fleet, interaction_types: &[InteractionType]) -> Result<Self, ConfigError> {
        let components = &fleet.components;
        let (mut types, mut sources) = (
            vec![Vec::new(); components.len()],
            vec![Vec::new(); components.len()],
        );
        let mut add = |component: usize, kind: &InteractionType, source: TypeSource| {
            let known: &mut Vec<InteractionType> = &mut types[component];
            let place = known.iter().position(|k| k == kind).unwrap_or_else(|| {
                known.push(kind.clone());
                sources[component].push(Vec::new());
                known.len() - 1
            });
            sources[component][place].push(source);
        };
        for (index, component) in components.iter().enumerate() {
            for kind in &component.serves {
                if let Some(place) = interaction_types.iter().position(|k| k == kind) {
                    add(index, kind, TypeSource::Users(place));
                }
            }
        }
        for (caller, component) in components.iter().enumerate() {
            for dependency in &component.depends_on {
                if let Some(called) = components
                    .iter()
                    .position(|c| c.name == dependency.component)
                {
                    let for_each = dependency.calls_per_interaction;
                    add(
                        called,
                        &dependency.interaction_type,
                        TypeSource::Calls { caller, for_each },
                    );
                }
            }
        }
        let order = callers_first(fleet)?;
        Ok(Self {
            types,
            sources,
            order,
        })
    }

    /// The interaction types that a component is asked for.
    pub fn types_of(&self, component: usize) -> &[InteractionType] {
        &self.types[component]
    }

    /// Fills in each component's volumes, in the order of its types; `None` where a source is unknown.
    pub fn route(&self, per_minute: &[Option<f64>], volumes: &mut [Vec<Option<f64>>]) {
        for &component in &self.order {
            for place in 0..self.types[component].len() {
                let mut sum = Some(0.0);
                for source in &self.sources[component][place] {
                    let part = match *source {
                        TypeSource::Users(index) => per_minute.get(index).copied().flatten(),
                        TypeSource::Calls { caller, for_each } => {
                            let all: Option<f64> = volumes[caller].iter().copied().sum();
                            all.map(|all| all * for_each)
                        }
                    };
                    sum = sum.zip(part).map(|(a, b)| a + b);
                }
                volumes[component][place] = sum;
            }
        }
    }

    /// The components that are called, directly or through others, by one of those that are marked.
    pub fn called_by(&self, marked: &[bool]) -> Vec<bool> {
        let mut called = vec![false; marked.len()];
        for &component in &self.order {
            called[component] = self.sources[component].iter().flatten().any(|source| {
                matches!(source, TypeSource::Calls { caller, .. } if marked[*caller] || called[*caller])
            });
        }
        called
    }

    /// Volumes to be filled in by [`Self::route`].
    pub fn empty_volumes(&self) -> Vec<Vec<Option<f64>>> {
        self.types
            .iter()
            .map(|types| vec![None; types.len()])
            .collect()
    }
}

/// Orders components so that callers come before the components they call.
fn callers_first(fleet: &Fleet) -> Result<Vec<usize>, ConfigError> {
    let components = &fleet.components;
    let calls = |caller: usize, called: usize| {
        components[caller]
            .depends_on
            .iter()
            .any(|d| d.component == components[called].name)
    };
    let mut order: Vec<usize> = Vec::with_capacity(components.len());
    while order.len() < components.len() {
        let left = || (0..components.len()).filter(|i| !order.contains(i));
        let next = left().find(|called| !left().any(|caller| calls(caller, *called)));
        let Some(next) = next else {
            let stuck = left().next().unwrap_or_default();
            return Err(ConfigError::Circle(components[stuck].name.to_string()));
        };
        order.push(next);
    }
    Ok(order)
}
