//! The headline under every condition: one line each, ours beside the peers given the same conditions.

use anyhow::Result;
use fleetcast_model::Share;
use fleetcast_report::{Column, TextTable};
use jiff::SignedDuration;

use crate::cli::{ProvisioningArgs, TraceArgs};
use crate::provisioning::{self, STYLE, trimmed};
use crate::{direct, traces, violation};

/// A condition with a name, and what it changes.
type Condition = (&'static str, fn(&mut TraceArgs));

const CONDITIONS: [Condition; 7] = [
    ("plain setting", |_| {}),
    ("boot of 2 minutes", |args| args.boot = minutes(2)),
    ("boot of 10 minutes", |args| args.boot = minutes(10)),
    ("boot of 20 minutes", |args| args.boot = minutes(20)),
    ("telemetry 1 minute late", |args| args.delay = minutes(1)),
    ("telemetry 3 minutes late", |args| args.delay = minutes(3)),
    ("closed loop", |args| args.closed_loop = true),
];

/// Objectives of every condition; the plain setting is held to a stricter one too.
const OBJECTIVES: [f64; 2] = [0.005, 0.001];
const STRICT: f64 = 0.0002;

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Prints the table.
pub fn run(args: &ProvisioningArgs) -> Result<()> {
    let mut table = TextTable::new(vec![
        Column::words("condition"),
        Column::number("objective\n%"),
        Column::number("ratio\nmean"),
        Column::number("ratio\nworst"),
        Column::number("traces\ncompared"),
        Column::number("median\n|ln ÷ target|"),
        Column::number("least\n÷ target"),
        Column::number("most\n÷ target"),
        Column::number("starts\nfleets/day"),
    ]);
    for (name, change) in CONDITIONS {
        let mut of_condition = args.traces.clone();
        change(&mut of_condition);
        let traces = traces::read(&of_condition)?;
        let plain = name == CONDITIONS[0].0;
        let shares = OBJECTIVES.iter().chain(plain.then_some(&STRICT));
        let objectives: Vec<Share> = shares.copied().filter_map(Share::new).collect();
        let rows = provisioning::measure(&traces, &objectives, &direct::curves(&traces)?)?;
        for target in objectives {
            let judgement = provisioning::judge(target, &rows);
            let of_target = || {
                rows.iter()
                    .filter(|row| row.target_share == target.get())
                    .map(|row| row.achieved_over_target)
            };
            let number =
                |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
            table.row(vec![
                name.to_string(),
                trimmed(target.get() * 100.0),
                number(judgement.ratio_mean),
                number(judgement.ratio_worst),
                format!("{} of {}", judgement.traces_compared, judgement.traces),
                number(judgement.miss_median),
                format!("{:.2}", of_target().fold(f64::INFINITY, f64::min)),
                format!("{:.2}", of_target().fold(0.0, f64::max)),
                number(judgement.starts_per_day_fleets_most),
            ]);
        }
    }
    let traces = traces::read(&args.traces)?;
    provisioning::print_settings(&provisioning::settings(&args.traces, &traces));
    print!("{}", table.render(STYLE));
    let gap = violation::mean_gap_fine(&violation::measure(&traces)?);
    println!(
        "\nrequested violation rates of 10, 5 and 1 %: mean gap {} percentage points where a unit serves less than a \
         tenth of the load, goal ≤ {}",
        gap.map_or("–".into(), |gap| format!("{gap:.3}")),
        violation::GAP_GOAL
    );
    Ok(())
}
