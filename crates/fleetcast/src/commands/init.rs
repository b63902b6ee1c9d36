//! `fleetcast init`

use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::{events_to_json, fleet_to_json, persona_to_json, schemas};
use fleetcast_sim::example;

use super::documents;
use crate::cli::InitArgs;
use crate::files::{self, BadInput};

/// Where the schemas lie beside the documents, so that editors find them without a network.
const SCHEMAS: &str = "schemas";

/// Runs the command.
pub fn run(args: &InitArgs) -> Result<ExitCode> {
    let shop = example::shop();
    let mut written = vec![
        (
            documents::FLEET.to_string(),
            with_schema(&fleet_to_json(&shop.fleet), "fleet-state-v1.json"),
        ),
        (
            documents::PERSONA.to_string(),
            with_schema(&persona_to_json(&shop.persona), "persona-v1.json"),
        ),
        (
            documents::EVENTS.to_string(),
            with_schema(&events_to_json(&shop.events), "events-v1.json"),
        ),
        ("README.md".to_string(), readme(args)),
    ];
    written.extend(
        schemas()
            .into_iter()
            .map(|(name, schema)| (format!("{SCHEMAS}/{name}"), schema)),
    );
    let there: Vec<String> = written
        .iter()
        .map(|(name, _)| args.folder.join(name))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() && !args.force {
        let text = format!(
            "{} is there already: use another folder, or --force to replace it",
            there[0]
        );
        return Err(BadInput(text).into());
    }
    for (name, text) in &written {
        files::write(&args.folder.join(name), text)?;
    }
    let folder = args.folder.display();
    outln!("wrote fleet.json, persona.json, events.json, README.md and schemas/ into {folder}");
    outln!("next: fleetcast validate {folder}");
    outln!("      fleetcast backtest {folder} --demand history.csv");
    outln!("      (no history at hand? fleetcast example history.csv writes a synthetic one)");
    Ok(ExitCode::SUCCESS)
}

/// With the schema that lies beside it.
fn with_schema(json: &str, schema: &str) -> String {
    documents::with_schema(json, Some(&format!("{SCHEMAS}/{schema}")))
}

fn readme(args: &InitArgs) -> String {
    let folder = args.folder.display();
    format!(
        "# A fleet to start from

These documents describe an invented shop. Change them to describe yours; `schemas/` says what each
field means, and an editor that knows JSON Schema shows it as you type.

| file | what it says |
|---|---|
| `fleet.json` | what the fleet is and should be: components, units, places, floors and ceilings, SLA, budget |
| `persona.json` | how the fleet will be used: when, how much, how fast it must answer, and what that takes |
| `events.json` | what is known to come: campaigns, releases, maintenance |
| `overrides.json` | (not written) what people decided: pins, floors, ceilings, pauses, each with an expiry |

```
fleetcast validate {folder}
fleetcast backtest {folder} --demand history.csv
fleetcast backtest {folder} --prometheus http://127.0.0.1:9090 --query 'sum(rate(http_requests_total[1m]))'
```

`history.csv` has `timestamp,value` and, if you can tell them apart, `interaction_type`. Without that
column the demand is divided between the interaction types as the persona expects them.
"
    )
}
