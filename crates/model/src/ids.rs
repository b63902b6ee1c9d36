//! Distinct id types, so that a component's name is never passed where an offer's is wanted.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name was empty, too long or held a character that names may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`")]
pub struct BadName(pub String);

fn check(name: &str) -> Result<(), BadName> {
    let fits = (1..=120).contains(&name.len());
    let legal = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c));
    if fits && legal {
        Ok(())
    } else {
        Err(BadName(name.to_string()))
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and wraps a name.
            pub fn new(name: &str) -> Result<Self, BadName> {
                check(name)?;
                Ok(Self(name.into()))
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(name: String) -> Result<Self, BadName> {
                Self::new(&name)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.to_string()
            }
        }
    };
}

name_type! {
    /// Names a fleet.
    FleetName
}
name_type! {
    /// Names a component of a fleet (`web`, `api`, `workers` …).
    ComponentName
}
name_type! {
    /// Names a persona.
    PersonaName
}
name_type! {
    /// Names an engagement pattern of a persona.
    PatternName
}
name_type! {
    /// Names an offer of the catalogue, such as `aws/us-east-1/m7i.xlarge`.
    OfferId
}
name_type! {
    /// Names a provider's region.
    Region
}
name_type! {
    /// Names a zone within a region.
    Zone
}

/// Identifies one order of the workflow: derived from the order's body, so that repeating it is
/// harmless (the provider returns what it has already started).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Token(pub u64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Token {
    /// Derives a token from the parts of a body (FNV-1a, 64 bit): equal bodies, equal tokens.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
            for byte in part.iter().chain([0xff_u8].iter()) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }
}

/// A component by its place in its fleet's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ComponentIndex(pub u16);

/// An offer by its place in the engine's list of offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfferIndex(pub u16);
