//! Changes to a fleet as people approve them: what may be done and cost at most, and why.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ComponentName, ContentHash, MicroUsd, MicroUsdPerHour, OfferId, ProviderKind, PurchaseKind,
    Reason, Region, Units, Zone,
};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// Rents instances.
    Add,
    /// Gives instances back.
    Remove,
    /// Puts standby instances into service.
    Promote,
}

/// What a change may do and cost at most: all that an approval binds to, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeBound {
    /// The component that changes.
    pub component: ComponentName,
    /// What happens.
    pub action: ChangeAction,
    /// The provider.
    pub provider: ProviderKind,
    /// Its region.
    pub region: Region,
    /// The zone, if it matters.
    pub zone: Option<Zone>,
    /// The offer of the catalogue.
    pub offer: OfferId,
    /// How it is bought.
    pub purchase: PurchaseKind,
    /// At most so many instances.
    pub instances_max: u64,
    /// At most this price for each; `None`: not stated.
    pub price_max: Option<MicroUsdPerHour>,
    /// When it must be ready.
    pub ready_by: Timestamp,
    /// When an approval of it ends; `None`: not stated.
    pub expires: Option<Timestamp>,
}

/// What a change costs over the priced hours, with its range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CostBounds {
    /// Given back as soon as it could be: the minimum bill, or the boot and the drain.
    pub low: MicroUsd,
    /// What is expected.
    pub expected: MicroUsd,
    /// Kept for all of the priced hours, or for its minimum bill if that is longer.
    pub high: MicroUsd,
}

/// One change with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What may be done at most.
    pub bound: ChangeBound,
    /// The units of the component that it is.
    pub units: Units,
    /// When it must be ordered to be ready in time.
    pub order_by: Timestamp,
    /// What it costs; nothing for what is given back.
    pub cost: CostBounds,
    /// What giving it back saves over the priced hours.
    pub saves: MicroUsd,
    /// Why, by number of units: they sum to `units`.
    pub reasons: Vec<(Reason, Units)>,
}

/// Hashes what changes may do and cost at most: the one truth of what an approval binds to, for documents and
/// for the engine's own requests. The order of the changes does not matter, nor do costs and reasons.
pub fn change_set_hash<'a>(bounds: impl IntoIterator<Item = &'a ChangeBound>) -> ContentHash {
    let mut each: Vec<ContentHash> = bounds.into_iter().map(ChangeBound::hash).collect();
    each.sort_unstable();
    let mut body = b"change set\0".to_vec();
    each.iter().for_each(|hash| body.extend(hash.as_bytes()));
    ContentHash::of(&body)
}

impl ChangeBound {
    fn hash(&self) -> ContentHash {
        let mut body = Vec::with_capacity(160);
        // Each part behind its length, so that no two changes write the same body.
        let mut part = |bytes: &[u8]| {
            body.extend((bytes.len() as u64).to_le_bytes());
            body.extend(bytes);
        };
        part(self.component.as_str().as_bytes());
        part(match self.action {
            ChangeAction::Add => b"add",
            ChangeAction::Remove => b"remove",
            ChangeAction::Promote => b"promote",
        });
        part(self.provider.to_string().as_bytes());
        part(self.region.as_str().as_bytes());
        part(self.zone.as_ref().map_or("", Zone::as_str).as_bytes());
        part(self.offer.as_str().as_bytes());
        part(match self.purchase {
            PurchaseKind::OnDemand => b"on_demand",
            PurchaseKind::Spot => b"spot",
            PurchaseKind::Reserved => b"reserved",
            PurchaseKind::Standby => b"standby",
        });
        part(&self.instances_max.to_le_bytes());
        let price = self.price_max.map(|price| price.get().to_le_bytes());
        part(price.as_ref().map_or(&[], |price| price));
        part(&self.ready_by.as_nanosecond().to_le_bytes());
        let expires = self.expires.map(|at| at.as_nanosecond().to_le_bytes());
        part(expires.as_ref().map_or(&[], |at| at));
        ContentHash::of(&body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(instances_max: u64) -> ChangeBound {
        ChangeBound {
            component: ComponentName::new("web").expect("a name"),
            action: ChangeAction::Add,
            provider: ProviderKind::Simulated,
            region: Region::new("here").expect("a name"),
            zone: None,
            offer: OfferId::new("simulated/here/u1").expect("a name"),
            purchase: PurchaseKind::OnDemand,
            instances_max,
            price_max: Some(MicroUsdPerHour::new(100)),
            ready_by: Timestamp::UNIX_EPOCH,
            expires: None,
        }
    }

    #[test]
    fn the_order_of_changes_does_not_matter_and_everything_else_does() {
        let (one, two) = (bound(1), bound(2));
        let hash = change_set_hash([&one, &two]);
        assert_eq!(hash, change_set_hash([&two, &one]));
        assert_ne!(hash, change_set_hash([&one]));
        assert_ne!(hash, change_set_hash([&one, &one]));
        let dearer = ChangeBound {
            price_max: None,
            ..two.clone()
        };
        let later = ChangeBound {
            expires: Some(Timestamp::UNIX_EPOCH),
            ..two
        };
        for other in [dearer, later] {
            assert_ne!(hash, change_set_hash([&one, &other]));
        }
    }
}
