//! Objectives as people type them: `unserved:0.5%`.

use fleetcast_model::{Objective, ObjectiveMetric, Share};

/// Reads `unserved:0.5%` or `violation:0.05`.
pub fn parse(text: &str) -> Result<Objective, String> {
    let clear = || format!("`{text}` is no objective: use unserved:0.5% or violation:5%");
    let (metric, share) = text.split_once(':').ok_or_else(clear)?;
    let metric = match metric.trim() {
        "unserved" => ObjectiveMetric::Unserved,
        "violation" => ObjectiveMetric::Violation,
        _ => return Err(clear()),
    };
    let target = share_of(share).ok_or_else(clear)?;
    Ok(Objective::over_28_days(metric, target))
}

/// Reads `0.5%` or `0.005`: more than nothing and less than all.
pub fn share(text: &str) -> Result<Share, String> {
    share_of(text).ok_or_else(|| format!("`{text}` is no objective: use a share such as 0.5%"))
}

fn share_of(text: &str) -> Option<Share> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (share > 0.0 && share < 1.0)
        .then(|| Share::new(share))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_percent_or_fraction() {
        for text in ["unserved:0.5%", "unserved:0.005", "unserved: 0.5 %"] {
            assert_eq!(
                parse(text).map(|o| (o.metric, o.target.get())),
                Ok((ObjectiveMetric::Unserved, 0.005)),
                "{text}"
            );
        }
        for text in [
            "unserved",
            "unserved:50",
            "lost:1%",
            "violation:0",
            "violation:-1%",
            "violation:NaN",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
