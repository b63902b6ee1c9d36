//! What takes part in a tier: the models of the catalogue, and networks if asked for.

use anyhow::Result;
use fleetcast_forecast::Model;
use fleetcast_neural::{Cell, RecurrentSpec};

use super::args::ForecastArgs;
use super::rolling::{self, Place, Run};
use super::series::Trace;
use super::tier::Tier;

/// Said below a table that has networks.
pub const NOTE: &str =
    "networks are trained anew at each origin, on one core, from the protocol's origins only";

const NETWORKS: [(&str, Cell); 2] = [("gru", Cell::Gru), ("lstm", Cell::Lstm)];

/// One row of ours.
pub enum Entrant {
    Model(String, Box<Model>),
    Network(&'static str, RecurrentSpec),
}

impl Entrant {
    /// All that are asked for, by name.
    pub fn all(args: &ForecastArgs) -> Result<Vec<Self>> {
        let mut names = super::names(args);
        if args.networks {
            names.retain(|name| !is_network(name));
            names.extend(NETWORKS.map(|(name, _)| name.to_string()));
        }
        names.into_iter().map(Self::parse).collect()
    }

    fn parse(name: String) -> Result<Self> {
        let network = NETWORKS.iter().find(|(known, _)| *known == name);
        Ok(match network {
            Some((name, cell)) => Self::Network(name, RecurrentSpec::new(*cell)),
            None => {
                let model = name.parse()?;
                Self::Model(name, Box::new(model))
            }
        })
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Model(name, _) => name,
            Self::Network(name, _) => name,
        }
    }

    /// Runs it from all origins, a network from the protocol's.
    pub fn run(&self, tier: &Tier, trace: &Trace, places: &[Place]) -> Run {
        match self {
            Self::Model(_, model) => rolling::run(model.as_ref(), tier, trace, places),
            Self::Network(_, spec) => {
                let protocol = |place: &Place| {
                    place.protocol.then_some(Place {
                        apart: false,
                        ..*place
                    })
                };
                let places: Vec<Place> = places.iter().filter_map(protocol).collect();
                rolling::run(spec, tier, trace, &places)
            }
        }
    }
}

/// Whether a name is that of a network.
pub fn is_network(name: &str) -> bool {
    NETWORKS.iter().any(|(known, _)| *known == name)
}
