//! `fleetcast offers`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use fleetcast_document::offers_to_json;
use fleetcast_model::{Listing, PriceBasis, ProviderKind, PurchaseKind, Region};
use fleetcast_report::{Column, TextTable};
use fleetcast_sim::{Catalogue, PriceQuestion, PriceSource, run_to_end, stale_days};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backtest::text_style;
use super::documents;
use crate::cli::{Format, OffersArgs};
use crate::files::{self, BadInput};

/// Runs the command.
pub fn run(args: &OffersArgs) -> Result<ExitCode> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let question = question(args)?;
    let documents = args
        .folder
        .as_deref()
        .map(|folder| documents::read_folder(folder, None))
        .transpose()?;
    let mut catalogue = match &documents {
        Some(documents) => documents.catalogue.clone(),
        None => documents::catalogue(args.offers.as_deref())?,
    };
    if let (Some(newer), Some(out)) = (&args.refresh, &args.out) {
        refresh(&mut catalogue, newer, &question, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let purchase = args
        .purchase
        .as_deref()
        .map(|name| {
            named::<PurchaseKind>("--purchase", name, "on_demand, spot, reserved or standby")
        })
        .transpose()?;
    let wanted = |listing: &&Listing| {
        let offer = &listing.offer;
        let rented = documents.as_ref().is_none_or(|documents| {
            documents.fleet.components.iter().any(|component| {
                let places = &component.placements;
                component.fits(offer) && places.iter().any(|place| place.allows_anywhere(offer))
            })
        });
        rented
            && question.provider.is_none_or(|kind| kind == offer.provider)
            && question
                .region
                .as_ref()
                .is_none_or(|region| *region == offer.region)
            && purchase.is_none_or(|kind| kind == offer.purchase)
    };
    let listings: Vec<&Listing> = catalogue.listings().filter(wanted).collect();
    match args.format {
        Format::Json => {
            let rows: Vec<Row<'_>> = listings.iter().map(|one| Row::new(one, today)).collect();
            outln!("{}", serde_json::to_string_pretty(&rows)?);
        }
        Format::Text => print(&listings, &catalogue, today)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes in newer prices of a file, says what became of them, and writes the whole.
fn refresh(
    catalogue: &mut Catalogue,
    newer: &Path,
    question: &PriceQuestion,
    out: &Path,
) -> Result<()> {
    let text = files::read(newer)?;
    let source = Catalogue::parse(&text)
        .map_err(|problems| BadInput(problems.render(&newer.display().to_string(), &text)))?;
    let quotes = match run_to_end(source.quotes(question)) {
        Ok(quotes) => quotes,
        Err(never) => match never {},
    };
    let done = catalogue.refresh(&quotes);
    for change in &done.changed {
        let now = change.now.as_f64() / 1e6;
        match change.before {
            Some(before) => outln!("{}: {} → {now}", change.id, before.as_f64() / 1e6),
            None => outln!("{}: {now}, which was not known", change.id),
        }
    }
    for refused in &done.refused {
        outln!("{}: not taken over: {}", refused.type_id, refused.reason);
    }
    outln!(
        "{} changed, {} confirmed, {} not taken over",
        done.changed.len(),
        done.confirmed,
        done.refused.len()
    );
    files::write(out, &offers_to_json(&catalogue.clone().into()))?;
    outln!("wrote {}", out.display());
    Ok(())
}

fn question(args: &OffersArgs) -> Result<PriceQuestion> {
    let kinds = "aws, azure, gcp, kubernetes, own or simulated";
    let provider = args.provider.as_deref();
    let region = args.region.as_deref().map(Region::new).transpose();
    Ok(PriceQuestion {
        provider: provider
            .map(|name| named::<ProviderKind>("--provider", name, kinds))
            .transpose()?,
        region: region.map_err(|error| BadInput(format!("--region: {error}")))?,
    })
}

/// A word of the documents, as the command line gives it.
fn named<T: DeserializeOwned>(option: &str, name: &str, kinds: &str) -> Result<T> {
    serde_json::from_value(name.into())
        .map_err(|_| BadInput(format!("{option} is `{name}`: use {kinds}")).into())
}

fn print(listings: &[&Listing], catalogue: &Catalogue, today: Date) -> Result<()> {
    if listings.is_empty() {
        return Err(BadInput("no offer is like that: `fleetcast offers` lists all".into()).into());
    }
    let mut table = TextTable::new(vec![
        Column::words("offer"),
        Column::number("cores"),
        Column::number("memory\nGiB"),
        Column::words("runs"),
        Column::words("bought"),
        Column::number("$ an\nhour"),
        Column::words("price read"),
    ]);
    for listing in listings {
        let offer = &listing.offer;
        table.row(vec![
            offer.id.to_string(),
            format!("{}", offer.cpu.as_f64() / 1e3),
            format!("{:.1}", offer.memory.as_f64() / 1_073_741_824.0),
            offer
                .architecture
                .map_or_else(String::new, |one| one.to_string()),
            bought(listing),
            format!("{:.4}", offer.price.as_f64() / 1e6),
            read_on(listing, today),
        ]);
    }
    outln!("{}", table.render(text_style()).trim_end());
    outln!("");
    outln!(
        "Sources stand in `--format json`. A price marked ≤ is a bound: that of the same type on demand."
    );
    if !catalogue.unpriced().is_empty() {
        let names: Vec<String> = catalogue
            .unpriced()
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        outln!("Without any price, so not bought: {}.", names.join(", "));
    }
    Ok(())
}

fn bought(listing: &Listing) -> String {
    match listing.offer.term_months {
        Some(months) => format!("{}, {months} months", listing.offer.purchase),
        None => listing.offer.purchase.to_string(),
    }
}

fn read_on(listing: &Listing, today: Date) -> String {
    match (&listing.basis, stale_days(listing, today)) {
        (PriceBasis::Bound, _) => "≤, not known".to_string(),
        (_, Some(days)) if listing.offer.purchase == PurchaseKind::Spot => {
            format!(
                "{}, {days} days ago: too old, on demand counts",
                listing.as_of
            )
        }
        (_, Some(days)) => format!("{}, {days} days ago: look again", listing.as_of),
        (PriceBasis::Converted { currency }, _) => {
            format!("{}, from {currency}", listing.as_of)
        }
        _ => listing.as_of.to_string(),
    }
}

/// One offer for programs.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    listing: &'a Listing,
    /// Days since the price was read, where it is too old to plan with.
    stale_days: Option<i32>,
}

impl<'a> Row<'a> {
    fn new(listing: &'a Listing, today: Date) -> Self {
        Self {
            listing,
            stale_days: stale_days(listing, today),
        }
    }
}
