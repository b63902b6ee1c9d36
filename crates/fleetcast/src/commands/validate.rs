//! `fleetcast validate`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use fleetcast_document::{
    Document, Problems, check_events, check_offers, check_overrides, check_together, decode,
    parse_any, warn_of_limits,
};

use fleetcast_model::Offer;

use super::documents;
use crate::cli::ValidateArgs;
use crate::files::BadInput;

/// Runs the command: 0 if everything is valid, 3 with all problems if not.
pub fn run(args: &ValidateArgs) -> Result<ExitCode> {
    let mut problems = 0;
    for files in beside_each_other(&args.paths)? {
        problems += check_files(&files, args.offers.as_deref())?;
    }
    match problems {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(BadInput("1 problem".into()).into()),
        count => Err(BadInput(format!("{count} problems")).into()),
    }
}

/// The files to look at, those of a folder together; each once.
fn beside_each_other(paths: &[PathBuf]) -> Result<Vec<Vec<PathBuf>>> {
    let mut groups: Vec<Vec<PathBuf>> = Vec::new();
    for path in paths {
        let files = if path.is_dir() {
            documents_in(path)?
        } else {
            vec![path.clone()]
        };
        for file in files {
            let beside = groups
                .iter_mut()
                .find(|group| group[0].parent() == file.parent());
            match beside {
                Some(group) if group.contains(&file) => {}
                Some(group) => group.push(file),
                None => groups.push(vec![file]),
            }
        }
    }
    Ok(groups)
}

/// The documents of a folder.
fn documents_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let names = [
        documents::FLEET,
        documents::PERSONA,
        documents::EVENTS,
        documents::OVERRIDES,
        documents::OFFERS,
    ];
    let found: Vec<PathBuf> = names
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists())
        .collect();
    if found.is_empty() {
        let text = format!(
            "{} holds none of {}: `fleetcast init {}` writes some to start from",
            folder.display(),
            names.join(", "),
            folder.display()
        );
        return Err(BadInput(text).into());
    }
    Ok(found)
}

/// Checks each file, and what is said of a fleet against the fleet that stands beside it; where several
/// do, nothing tells which of them is meant.
fn check_files(files: &[PathBuf], own_offers: Option<&Path>) -> Result<usize> {
    let (mut fleets, mut others) = (Vec::new(), Vec::new());
    let mut own = Vec::new();
    let mut offers_are_good = true;
    let mut count = 0;
    for path in files {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let parsed =
            decode(&bytes).and_then(|text| parse_any(text).map(|document| (text, document)));
        match parsed {
            Ok((text, document)) => {
                outln!("{}: valid {}", path.display(), document.kind().name());
                match document {
                    Document::Fleet(fleet) => fleets.push((path, text.to_string(), fleet)),
                    Document::Offers(offers) => own.push(offers),
                    other => others.push((path, text.to_string(), other)),
                }
            }
            Err(problems) => {
                offers_are_good &= !path.ends_with(documents::OFFERS);
                count += say(path, &String::from_utf8_lossy(&bytes), &problems);
            }
        }
    }
    if let [(path, text, fleet)] = fleets.as_slice() {
        let catalogue = match own_offers {
            Some(_) => documents::catalogue(own_offers)?,
            None => documents::with_own(own.pop().map(Into::into)),
        };
        let offers: Vec<Offer> = catalogue.offers().cloned().collect();
        let problems = check_offers(fleet, &offers);
        // What is not in a catalogue that cannot be read says nothing of the fleet.
        if offers_are_good && !problems.is_empty() {
            count += say(path, text, &problems);
        }
        let warnings = warn_of_limits(fleet, &offers);
        if offers_are_good && !warnings.is_empty() {
            say(path, text, &warnings);
        }
        for (path, text, document) in &others {
            let problems = match document {
                Document::Persona(persona) => check_together(fleet, persona),
                Document::Events(events) => check_events(fleet, events),
                Document::Overrides(overrides) => check_overrides(fleet, overrides),
                _ => continue,
            };
            if !problems.is_empty() {
                count += say(path, text, &problems);
            }
        }
    }
    Ok(count)
}

fn say(path: &Path, text: &str, problems: &Problems) -> usize {
    errln!(
        "{}",
        problems
            .render(&path.display().to_string(), text)
            .trim_end()
    );
    problems.0.len()
}
