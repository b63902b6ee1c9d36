//! Kinds of interaction that users have with a site.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user does: one of the four kinds of the persona language, or the site's own (`x-…`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum InteractionType {
    /// A search.
    Search,
    /// A purchase, a booking, a payment.
    Transaction,
    /// A page or an item looked at.
    ContentView,
    /// A call of an API, by a client or by another component.
    ApiCall,
    /// The site's own kind; its name starts with `x-`.
    Custom(String),
}

/// The text is neither one of the four kinds nor starts with `x-`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an interaction type: use search, transaction, content_view, api_call or x-…")]
pub struct BadInteractionType(pub String);

impl InteractionType {
    /// The four kinds that need no prefix, in the order of the persona language.
    pub const STANDARD: [&'static str; 4] = ["search", "transaction", "content_view", "api_call"];

    /// The kind's name as it stands in documents.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Search => "search",
            Self::Transaction => "transaction",
            Self::ContentView => "content_view",
            Self::ApiCall => "api_call",
            Self::Custom(name) => name,
        }
    }
}

impl TryFrom<String> for InteractionType {
    type Error = BadInteractionType;
    fn try_from(name: String) -> Result<Self, BadInteractionType> {
        match name.as_str() {
            "search" => Ok(Self::Search),
            "transaction" => Ok(Self::Transaction),
            "content_view" => Ok(Self::ContentView),
            "api_call" => Ok(Self::ApiCall),
            custom if custom.len() > 2 && custom.starts_with("x-") => Ok(Self::Custom(name)),
            _ => Err(BadInteractionType(name)),
        }
    }
}

impl From<InteractionType> for String {
    fn from(kind: InteractionType) -> String {
        kind.as_str().to_string()
    }
}

impl fmt::Display for InteractionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
