//! Judges a plan of the whole fleet against the stated problem, from the runs alone.

use fleetcast_model::MicroUsd;

use super::answer::{Cost, FleetPlan, Missing, Origin, Part};
use super::loads::{Loads, Room, Span};
use super::problem::{ComponentProblem, FleetProblem};
use super::terms::Terms;
use crate::check::Note;

/// Lists what is wrong with a plan of a valid problem; nothing for a good one.
pub fn check_fleet(problem: &FleetProblem, plan: &FleetPlan) -> Vec<Note> {
    let mut notes = Vec::new();
    if plan.parts.len() != problem.components.len() {
        return vec![Note(format!(
            "{} parts for {} components",
            plan.parts.len(),
            problem.components.len()
        ))];
    }
    let mut cost = Cost::default();
    let mut quotas = vec![vec![0_i64; problem.periods as usize]; problem.quotas.len()];
    let mut bound = quotas.clone();
    for (need, part) in problem.components.iter().zip(&plan.parts) {
        let terms = Terms::new(problem, need);
        let judged = judge(need, &terms, part, &mut notes);
        cost += part.cost;
        for (place, used) in terms.quotas.iter().zip(judged.quota.iter()) {
            let total = &mut quotas[*place];
            total
                .iter_mut()
                .zip(used)
                .for_each(|(total, used)| *total += used);
        }
        let mut loads = Loads::empty(&terms);
        for (span, count) in super::loads::bound_spans(&terms) {
            loads.add(&terms, &span, count);
        }
        for (place, used) in terms.quotas.iter().zip(loads.quota.iter()) {
            let total = &mut bound[*place];
            total
                .iter_mut()
                .zip(used)
                .for_each(|(total, used)| *total += used);
        }
    }
    for ((quota, used), bound) in problem.quotas.iter().zip(&quotas).zip(&bound) {
        for (t, (used, bound)) in used.iter().zip(bound).enumerate() {
            let limit = i64::try_from(quota.limit).unwrap_or(i64::MAX).max(*bound);
            if *used > limit {
                notes.push(Note(format!(
                    "quota `{}`: {used} of {limit} in period {t}",
                    quota.name
                )));
            }
        }
    }
    if cost != plan.cost {
        notes.push(Note(format!("costs {cost:?}, and says {:?}", plan.cost)));
    }
    if let Some(budget) = problem.budget
        && cost.bill > budget
        && plan
            .parts
            .iter()
            .any(|part| part.cost.bill > least_bill(problem, part))
    {
        notes.push(Note(format!(
            "bills {} over the budget of {budget}",
            cost.bill
        )));
    }
    if plan.lower_bound > cost.total() {
        notes.push(Note(format!(
            "costs {}, under its lower bound of {}",
            cost.total(),
            plan.lower_bound
        )));
    }
    notes
}

/// What a component is billed whatever is decided: its stateful instances go on.
fn least_bill(problem: &FleetProblem, part: &Part) -> MicroUsd {
    let need = problem
        .components
        .iter()
        .find(|need| need.component == part.component);
    let forced = need.map_or(0, |need| {
        let terms = Terms::new(problem, need);
        let each = terms.standing.iter();
        each.map(|s| s.forced_bill * i64::from(s.count)).sum()
    });
    MicroUsd::new(forced.unsigned_abs())
}

/// Judges one part, and tells what it adds up to.
fn judge(need: &ComponentProblem, terms: &Terms, part: &Part, notes: &mut Vec<Note>) -> Loads {
    let component = need.component.0;
    let mut note = |text: String| notes.push(Note(format!("component {component}: {text}")));
    let mut loads = Loads::empty(terms);
    let (mut bill, mut starts) = (0, 0);
    let mut stood = vec![0_u64; terms.standing.len()];
    for run in &part.runs {
        let Some(pool) = terms.pools.iter().position(|pool| pool.pool == run.pool.0) else {
            note(format!("{run:?} is of no pool that it may use"));
            continue;
        };
        let span = Span {
            from: run.from,
            until: run.until,
            pool: pool as u32,
            standing: match run.origin {
                Origin::Standing(place) => Some(place),
                Origin::New => None,
            },
        };
        if let Some(problem) = wrong(terms, &span) {
            note(format!("{run:?} {problem}"));
            continue;
        }
        if let Some(place) = span.standing {
            stood[place as usize] += u64::from(run.count);
        }
        let count = i64::from(run.count);
        loads.add(terms, &span, count);
        bill += span.bill(terms) * count;
        starts += span.start(terms) * count;
    }
    for (standing, stood) in terms.standing.iter().zip(&stood) {
        if u64::from(standing.count) != *stood {
            note(format!("{stood} of {} standing instances", standing.count));
        }
    }
    let room = Room::new(
        terms,
        vec![vec![i64::MAX; terms.periods]; terms.quotas.len()],
    );
    if !room.holds(&loads) {
        note(format!("is over its ceiling of {} units", need.ceiling));
    }
    let mut shortage = 0;
    for t in 0..terms.periods {
        let missing = [
            (Missing::Demand, terms.wanted[t] - loads.serving[t]),
            (Missing::ZoneSpare, terms.spare[t] - loads.without_zone(t)),
        ];
        for (what, missing) in missing {
            let said = part
                .unmet
                .iter()
                .filter(|u| u.period as usize == t && u.what == what);
            let said: u64 = said.map(|unmet| unmet.units.get()).sum();
            let missing = missing.max(0).unsigned_abs();
            if said != missing {
                note(format!(
                    "{missing} units miss in period {t} ({what:?}), and it says {said}"
                ));
            }
            if what == Missing::Demand && terms.priced {
                shortage += missing * need.shortage_price.unwrap_or_default().get();
            }
        }
    }
    let cost = Cost {
        bill: MicroUsd::new(bill.unsigned_abs()),
        starts: MicroUsd::new(starts.unsigned_abs()),
        shortage: MicroUsd::new(shortage),
    };
    if cost != part.cost {
        note(format!("costs {cost:?}, and says {:?}", part.cost));
    }
    loads
}

/// What is wrong with a run by itself.
fn wrong(terms: &Terms, span: &Span) -> Option<&'static str> {
    let pool = &terms.pools[span.pool as usize];
    let (until, periods) = (span.until as usize, terms.periods);
    if until > periods {
        return Some("runs beyond the horizon");
    }
    let paid_until = match span.standing {
        Some(place) => {
            let Some(standing) = terms.standing.get(place as usize) else {
                return Some("names nothing that stands");
            };
            if standing.pool != span.pool as usize || span.from != 0 {
                return Some("is not what stands there");
            }
            standing.bound
        }
        None => span.from as usize + pool.first,
    };
    if until < paid_until.min(periods) {
        return Some("ends while it is bound");
    }
    let whole = until == periods || (until - paid_until).is_multiple_of(pool.again);
    if !whole {
        return Some("ends within a block that is paid for");
    }
    if terms.stateful && until < periods {
        return Some("ends, and is stateful");
    }
    None
}
