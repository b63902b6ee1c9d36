//! A fleet of which only the units are stated: which instances it is taken to be.

use fleetcast_model::{Component, Offer, OfferIndex, PurchaseKind, Units};

/// The cheapest whole instances of one offer that are `units` of a component, and never more than `most`; where
/// none are, the most that fit. `None` if nothing may be rented for it.
pub fn whole_instances(
    offers: &[Offer],
    component: &Component,
    units: Units,
    most: Units,
) -> Option<(OfferIndex, u32)> {
    let (units, most) = (units.get(), most.get());
    let each = |offer: &Offer| offer.units_of(&component.unit);
    let instances = |offer: &Offer| units.div_ceil(each(offer)).min(most / each(offer));
    let allowed = || offers.iter().filter(|offer| component.allows(offer));
    let firm = |offer: &Offer| offer.purchase != PurchaseKind::Spot;
    // What runs was not hedged by us: it is firm, wherever firm capacity may be had.
    let any_firm = allowed().any(firm);
    let fits = |offer: &Offer| component.allows(offer) && instances(offer) > 0;
    let (offer, chosen) = offers
        .iter()
        .enumerate()
        .filter(|(_, offer)| fits(offer) && (firm(offer) || !any_firm))
        .min_by_key(|(_, offer)| {
            let missing = units.saturating_sub(instances(offer) * each(offer));
            (
                missing,
                u128::from(offer.price.get()) * u128::from(instances(offer)),
            )
        })?;
    let count = u32::try_from(instances(chosen)).unwrap_or(u32::MAX);
    Some((OfferIndex(offer as u16), count))
}
