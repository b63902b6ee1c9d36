//! A folder to run the program in.

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Monday 2026-03-02, midnight UTC.
pub const START: Timestamp = Timestamp::constant(1_772_409_600, 0);
/// Five-minute steps of a day.
pub const DAY: usize = 288;

/// A folder of its own, with nothing in it, that is gone after the test.
pub struct Place(TempDir);

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// With `demand.csv`: some days of demand that rises and falls, in five-minute steps.
    pub fn with_demand(days: usize) -> Self {
        let place = Self::new();
        place.write("demand.csv", demand(days));
        place
    }

    /// With `demand.csv`, and `shop` as `fleetcast init` writes it.
    pub fn with_shop(days: usize) -> Self {
        let place = Self::with_demand(days);
        place.check(&["init", "shop"]);
        place
    }

    /// The same with the fleet state changed, and a threshold that nothing passes.
    pub fn with_fleet(days: usize, change: impl Fn(&mut Value)) -> Self {
        let place = Self::with_shop(days);
        let mut fleet: Value = serde_json::from_str(&place.read("shop/fleet.json")).expect("JSON");
        fleet["approval_threshold"]["amount"] = json!(1_000);
        change(&mut fleet);
        let text = serde_json::to_string_pretty(&fleet).expect("text");
        place.write("shop/fleet.json", text);
        place
    }

    /// What a command says of the shop and its demand.
    pub fn of_shop(&self, command: &str, more: &[&str]) -> String {
        let demand = ["--demand", "demand.csv", "--value-unit", "per-second"];
        self.check(&[&[command, "shop"], &demand[..], &["--quiet"], more].concat())
    }

    /// A backtest of the shop that is recorded in `run`, as JSON.
    pub fn recorded(&self) -> Value {
        let record = [
            "--policy",
            "fleetcast",
            "--record",
            "run",
            "--format",
            "json",
        ];
        serde_json::from_str(&self.of_shop("backtest", &record)).expect("JSON")
    }

    /// Why a component of the recorded shop was decided upon as it was at a moment.
    pub fn why(&self, component: &str, at: &str) -> String {
        self.check(&["why", "run", "--component", component, "--at", at])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("in the folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes a text file.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, text.replacen(from, to, 1));
    }

    /// The program with arguments, to be run here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetcast"));
        command.args(args).current_dir(self.0.path());
        command.stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("the program starts"))
    }

    /// Runs, and expects success; gives what it printed.
    #[track_caller]
    pub fn check(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        ran.out
    }

    /// All files here, with the folders they are in.
    pub fn files(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        collect(self.0.path(), self.0.path(), &mut found);
        found
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is text");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("it is in there");
            found.insert(name.display().to_string());
        }
    }
}

/// Demand of one step: rises and falls with the day, and never twice the same.
pub fn of_step(i: usize) -> f64 {
    let wave = (TAU * (i as f64 / DAY as f64 - 0.3)).sin();
    let noise = ((i * 7_919) % 101) as f64 / 101.0 - 0.5;
    ((1_000.0 + 700.0 * wave) * (1.0 + 0.2 * noise) * 100.0).round() / 100.0
}

/// Rows of demand with their header.
pub fn demand(days: usize) -> String {
    rows((0..days * DAY).map(|i| (START + SignedDuration::from_mins(5) * i as i32, of_step(i))))
}

pub fn rows(rows: impl Iterator<Item = (Timestamp, f64)>) -> String {
    let mut text = String::from("timestamp,value\n");
    for (at, value) in rows {
        writeln!(text, "{at},{value}").expect("a string takes everything");
    }
    text
}
