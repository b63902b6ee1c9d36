//! Standby: as people type it (`60s:0.10`), and what it did and brought in a run.

use fleetcast_engine::Engine;
use fleetcast_model::Share;
use fleetcast_sim::{PlainStandby, Tally};

use super::runs::Finished;
use super::scenario::Scenario;

/// Reads a promotion time and a share of the price.
pub fn parse(text: &str) -> Result<PlainStandby, String> {
    let clear = || format!("`{text}` is no standby: use TIME:SHARE such as 60s:0.10 or 2m:15%");
    let (promotion, share) = text.rsplit_once(':').ok_or_else(clear)?;
    let share = share.trim();
    let share = match share.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => share.parse(),
    };
    let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
    let promotion = crate::cli::any_time(promotion).map_err(|_| clear())?;
    Ok(PlainStandby {
        promotion,
        price_share: share.and_then(Share::new).ok_or_else(clear)?,
    })
}

/// What standby cost and brought, beside the same without it; and what its drills found.
pub fn notes(finished: &[Finished], engine: Option<&Engine>, scenario: &Scenario) -> Vec<String> {
    if !scenario.has_standby() {
        return Vec::new();
    }
    let tally = |without: bool| {
        let own = |run: &&Finished| {
            run.run.is_ours()
                && run.run.without_standby == without
                && (without || !run.run.curve_only)
        };
        finished.iter().find(own).map(|run| &run.tally)
    };
    let mut notes: Vec<String> = tally(false)
        .map(|with| did(with, tally(true)))
        .into_iter()
        .collect();
    let drills = (scenario.components.iter().enumerate())
        .filter_map(|(place, name)| drilled(engine?, place, name));
    notes.extend(drills);
    notes
}

fn did(with: &Tally, without: Option<&Tally>) -> String {
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let (cost, standby) = (with.cost().as_usd(), with.standby_cost().as_usd());
    let mut text = format!(
        "standby: {:.1} units on average at ${standby:.2} ({:.1} % of the bill), {} promoted",
        with.standby as f64 / with.steps.max(1) as f64,
        100.0 * standby / cost.max(f64::MIN_POSITIVE),
        with.promoted
    );
    if let Some(bare) = without {
        let saved = 1.0 - cost / bare.cost().as_usd().max(f64::MIN_POSITIVE);
        let verdict = if saved > 0.0 {
            format!(
                "it pays for itself and saves {:.1} % of the bill",
                saved * 100.0
            )
        } else {
            format!(
                "it does not pay for itself and costs {:.1} % more",
                -saved * 100.0
            )
        };
        text += &format!(
            "; without it the same objective would have cost ${:.2} instead of ${cost:.2}, with {} unserved instead of \
             {}: {verdict}",
            bare.cost().as_usd(),
            percent(bare.unserved_share()),
            percent(with.unserved_share())
        );
    }
    text
}

fn drilled(engine: &Engine, place: usize, name: &str) -> Option<String> {
    let (book, proven) = engine.drills(place)?;
    if book.done == 0 {
        return None;
    }
    let served = (book.in_time + book.slow).max(1);
    let mean = book.time.as_secs_f64() / served as f64;
    let proven = proven.map_or_else(String::new, |share| {
        format!(
            "; {:.0} % of what stands by now came into service within the last 30 days",
            share * 100.0
        )
    });
    Some(format!(
        "{name}: {} drills of standby, {} in time, {} slow, {} failed and replaced, {mean:.0} s on average{proven}",
        book.done, book.in_time, book.slow, book.failed
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_and_share_are_read() {
        let read = |text| parse(text).map(|s| (s.promotion.as_secs(), s.price_share.get()));
        assert_eq!(read("60s:0.10"), Ok((60, 0.1)));
        assert_eq!(read("2m:15%"), Ok((120, 0.15)));
        for text in ["60s", "60s:0", "60s:2", "x:0.1", "-1m:0.1", ":0.1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
