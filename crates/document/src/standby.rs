//! The standby policy of a component, read and written.

use fleetcast_model::{StandbyPolicy, StandbyTerms, StandbyTier, Units};
use jiff::SignedDuration;

use crate::amount::{duration, share};
use crate::problem::Problems;
use crate::wire::{self, Fraction, IsoDuration};

/// Standby is drilled so often where nothing is stated: a machine that nobody has started for a week may not start.
const DRILL_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) fn read(stated: &wire::Standby, at: &str, problems: &mut Problems) -> StandbyPolicy {
    let first = terms(
        stated.tier,
        stated.promotion,
        stated.price_share,
        at,
        problems,
    );
    let mut tiers = vec![stated.tier];
    let mut others = [None; 2];
    for (place, other) in stated.other_tiers.iter().enumerate() {
        let at = format!("{at}/other_tiers/{place}");
        let read = terms(
            other.tier,
            other.promotion,
            other.price_share,
            &at,
            problems,
        );
        if tiers.contains(&other.tier) {
            let text = format!("tier `{}` stands twice in this standby", other.tier.name());
            problems
                .add(&format!("{at}/tier"), text)
                .hint("leave one of them out; `tier` is one of those that may be used");
        } else if let Some(free) = others.iter_mut().find(|place| place.is_none()) {
            *free = Some(read);
        }
        tiers.push(other.tier);
    }
    let every = stated.drill_every.map_or(DRILL_EVERY, |time| {
        duration(time, &format!("{at}/drill_every"), problems)
    });
    StandbyPolicy {
        tier: first.tier,
        promotion: first.promotion,
        price_share: first.price_share,
        units: stated.units.map(Units::new),
        promote_on: stated.promote_on,
        drill_every: Some(every).filter(|every| !every.is_zero()),
        others,
    }
}

fn terms(
    tier: StandbyTier,
    promotion: Option<IsoDuration>,
    price_share: Option<Fraction>,
    at: &str,
    problems: &mut Problems,
) -> StandbyTerms {
    StandbyTerms {
        tier,
        promotion: promotion.map_or(tier.usual_promotion(), |time| {
            duration(time, &format!("{at}/promotion"), problems)
        }),
        price_share: price_share.map_or(tier.usual_price_share(), |part| {
            share(part, &format!("{at}/price_share"), problems)
        }),
    }
}

pub(crate) fn write(policy: &StandbyPolicy) -> wire::Standby {
    let other = |terms: StandbyTerms| wire::OtherTier {
        tier: terms.tier,
        promotion: Some(IsoDuration(terms.promotion)),
        price_share: Some(Fraction(terms.price_share.get())),
    };
    wire::Standby {
        tier: policy.tier,
        promotion: Some(IsoDuration(policy.promotion)),
        price_share: Some(Fraction(policy.price_share.get())),
        units: policy.units.map(Units::get),
        promote_on: policy.promote_on,
        drill_every: Some(IsoDuration(policy.drill_every.unwrap_or_default())),
        other_tiers: policy.others.into_iter().flatten().map(other).collect(),
    }
}
