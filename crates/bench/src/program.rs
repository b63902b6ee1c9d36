//! The program as a whole: how soon it answers, how long a backtest takes, how much memory it needs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::traces::Trace;

/// How often the memory is looked at; the system keeps the peak, so only the last look matters.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const STARTS: usize = 10;

/// What one run of the program took.
struct Spent {
    wall: Duration,
    /// `None` where the system does not tell.
    peak_mib: Option<f64>,
}

/// Measures the release build that lies beside this program.
pub fn measure(trace: &Trace) -> Result<()> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let program = own.with_file_name(format!("fleetcast{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        println!("fleetcast itself is not measured: cargo build --release --package fleetcast");
        return Ok(());
    }
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(spend(&program, &["--version"])?.wall.as_secs_f64() * 1e3);
    }
    let start = crate::judgement::median(starts).unwrap_or_default();
    println!("fleetcast --version: {start:.0} ms, median of {STARTS} (goal ≤ 300 ms)");
    let folder = tempfile::tempdir().context("cannot make a folder for the report")?;
    let report = folder.path().join("report").display().to_string();
    let per_unit = trace.per_unit.to_string();
    let mut args = vec!["backtest", "--quiet", "--report", &report];
    let path = trace.path.as_ref().map(|path| path.display().to_string());
    match &path {
        Some(path) => args.extend(["--demand", path, "--capacity-per-unit", &per_unit]),
        None => args.push("--example"),
    }
    let spent = spend(&program, &args)?;
    let memory = spent.peak_mib.map_or_else(
        || "memory is not told on this system".into(),
        |peak| format!("{peak:.0} MiB at its peak (goal ≤ 150)"),
    );
    println!(
        "fleetcast backtest, all policies, cost curve and report: {:.1} s, {memory}",
        spent.wall.as_secs_f64()
    );
    Ok(())
}

/// Runs the program to its end and looks at its memory meanwhile.
fn spend(program: &Path, args: &[&str]) -> Result<Spent> {
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let mut peak_mib = None;
    let status = loop {
        peak_mib = peak(child.id()).or(peak_mib);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(LOOK_EVERY);
    };
    if !status.success() {
        bail!("`fleetcast {}` failed: {status}", args.join(" "));
    }
    Ok(Spent {
        wall: began.elapsed(),
        peak_mib,
    })
}

/// The highest resident memory of a running process so far.
fn peak(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
