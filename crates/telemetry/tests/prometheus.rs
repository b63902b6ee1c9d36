//! Reads a recorded trace back from a real Prometheus, which is restarted on the way.
//!
//! Needs `prometheus` and `promtool` on the PATH (`apt-get install prometheus`) and the shared data
//! (`FLEETCAST_SHARED`); without them the test says so and passes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use fleetcast_series::{Demand, DemandKey, Series, Step, ValueUnit};
use fleetcast_telemetry::prometheus::{PrometheusError, PrometheusQuery, fetch};
use fleetcast_telemetry::{CsvOptions, IngestReport, read_csv};
use jiff::SignedDuration;

/// Three days.
const MINUTES: usize = 3 * 1440;
/// Minutes without a scrape.
const GAPS: [Range<usize>; 2] = [1000..1030, 2500..2620];
/// Minutes in which the exporter restarts, and its counters with it.
const RESTARTS: [usize; 2] = [700, 3333];
const SCRAPE_S: usize = 15;

/// A server, ended when dropped.
struct Prometheus {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl Prometheus {
    fn start(folder: &Path, port: u16) -> Self {
        fs::write(folder.join("prometheus.yml"), "").unwrap();
        let child = Command::new("prometheus")
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self {
            folder: folder.to_path_buf(),
            port,
            child,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        for _ in 0..200 {
            if self.is_ready() {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "prometheus ended: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
        panic!("prometheus did not start within 10 s");
    }

    fn is_ready(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n");
        asked
            .and_then(|()| stream.read_to_string(&mut answer))
            .is_ok()
            && answer.contains(" 200 OK")
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn shared() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("FLEETCAST_SHARED").map_or_else(default, PathBuf::from)
}

/// The queries a second of each minute.
fn trace(path: &Path) -> Series {
    let options = CsvOptions {
        value_unit: ValueUnit::PerSecond,
        ..CsvOptions::default()
    };
    let (demand, _) = read_csv(File::open(path).unwrap(), &options).unwrap();
    demand.get(&DemandKey::default()).unwrap().slice(0..MINUTES)
}

/// What scrapes of two instances would have seen, as OpenMetrics with timestamps.
fn open_metrics(trace: &Series) -> String {
    let mut text = "# TYPE http_requests counter\n".to_string();
    for (instance, share) in [("a", 0.6), ("b", 0.4)] {
        let mut counter = 1e6;
        for second in (0..MINUTES * 60).step_by(SCRAPE_S) {
            let minute = second / 60;
            if RESTARTS.contains(&minute) && second % 60 == 2 * SCRAPE_S {
                counter = 0.0;
            }
            if !GAPS.iter().any(|gap| gap.contains(&minute)) {
                let at = trace.start().as_second() + second as i64;
                writeln!(
                    text,
                    "http_requests_total{{instance=\"{instance}\"}} {counter} {at}"
                )
                .unwrap();
            }
            counter += trace.get(minute).unwrap() * share * SCRAPE_S as f64;
        }
    }
    text + "# EOF\n"
}

fn create_blocks(folder: &Path, trace: &Series) {
    let (metrics, data) = (folder.join("metrics.txt"), folder.join("data"));
    fs::write(&metrics, open_metrics(trace)).unwrap();
    let created = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([metrics, data])
        .output()
        .unwrap();
    assert!(
        created.status.success(),
        "{}",
        String::from_utf8_lossy(&created.stderr)
    );
}

fn query(server: &Prometheus, query: &str, trace: &Series) -> PrometheusQuery {
    let url = format!("http://127.0.0.1:{}", server.port);
    PrometheusQuery::new(url, query, trace.start(), trace.end(), Step::MINUTE)
}

async fn ask(query: &PrometheusQuery) -> Result<(Demand, IngestReport), PrometheusError> {
    fetch(query, &mut |_, _| ()).await
}

/// The rate over `window` minutes must be the mean of as many minutes of the trace, to a thousandth.
async fn check(server: &Prometheus, trace: &Series, window: usize) {
    let promql = format!("sum(rate(http_requests_total[{window}m]))");
    let query = PrometheusQuery {
        points_per_request: 1000,
        ..query(server, &promql, trace)
    };
    let (demand, report) = ask(&query).await.unwrap();
    println!("{promql}: {report}");
    let found = demand.get(&DemandKey::default()).unwrap();
    assert_eq!((found.start(), found.len()), (trace.start(), MINUTES));
    assert_eq!(demand.per_minute(1.0), 60.0);
    for index in window..MINUTES {
        let seen = index + 1 - window..index + 1;
        let scraped = seen
            .clone()
            .filter(|minute| !GAPS.iter().any(|gap| gap.contains(minute)))
            .count();
        let restarted = RESTARTS.iter().any(|minute| seen.contains(minute));
        let expected = seen.map(|minute| trace.get(minute).unwrap()).sum::<f64>() / window as f64;
        match found.get(index) {
            None => assert_eq!(scraped, 0, "minute {index} is missing"),
            Some(value) => {
                assert!(
                    scraped > 0,
                    "minute {index} was never scraped, but has {value}"
                );
                // The last minute before a gap, or of all, lacks the scrape that ends it.
                let ended = index + 1 < MINUTES && !GAPS.iter().any(|gap| gap.start == index + 1);
                let whole = scraped == window && ended && !restarted;
                // What was counted between the last scrape and a restart is lost; no more than that.
                let allowed = if whole {
                    0.001 * expected
                } else {
                    2.0 * expected.max(value)
                };
                assert!(
                    (value - expected).abs() <= allowed,
                    "minute {index}: {value}, not {expected}"
                );
            }
        }
    }
    let longest = report.longest_gap.unwrap();
    assert_eq!(
        (report.gaps, longest.start),
        (2, trace.timestamp(GAPS[1].end - longest.steps as usize))
    );
}

#[tokio::test]
async fn a_trace_comes_back_from_prometheus() {
    if !is_installed("prometheus") || !is_installed("promtool") {
        println!("skipped: prometheus is not installed");
        return;
    }
    let path = shared().join("data/traces/open/ms_mongo_machine_1min.csv");
    if !path.exists() {
        println!(
            "skipped: {} does not exist; set FLEETCAST_SHARED",
            path.display()
        );
        return;
    }
    let trace = trace(&path);
    let folder = tempfile::tempdir().unwrap();
    create_blocks(folder.path(), &trace);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server = Prometheus::start(folder.path(), port);

    check(&server, &trace, 1).await;
    check_errors(&server, &trace).await;

    // It goes away between two requests of one fetch …
    let long = PrometheusQuery {
        points_per_request: 1000,
        ..query(&server, "sum(rate(http_requests_total[1m]))", &trace)
    };
    let mut kill_after_first = |done, _| {
        if done == 1 {
            server.kill();
        }
    };
    let error = fetch(&long, &mut kill_after_first).await.unwrap_err();
    assert!(
        matches!(
            error,
            PrometheusError::Connect { .. } | PrometheusError::Broken { .. }
        ),
        "{error}"
    );

    // … and gives the same when it is back.
    let server = Prometheus::start(folder.path(), port);
    check(&server, &trace, 1).await;
    check(&server, &trace, 2).await;
}

async fn check_errors(server: &Prometheus, trace: &Series) {
    let message = async |query: PrometheusQuery| ask(&query).await.unwrap_err().to_string();
    let error = message(query(server, "sum(rate(http_requests_total[1m])", trace)).await;
    assert!(
        error.starts_with("the server refused the query (bad_data): "),
        "{error}"
    );
    assert!(error.contains("unclosed left parenthesis"), "{error}");

    let error = message(query(server, "rate(http_requests_total[1m])", trace)).await;
    assert!(
        error.contains("2 series") && error.contains(r#"{instance="a"} and {instance="b"}"#),
        "{error}"
    );

    let error = message(query(server, "sum(rate(no_such_metric[1m]))", trace)).await;
    assert!(
        error.contains("gives no samples") && error.contains("no data is not zero demand"),
        "{error}"
    );

    let early = PrometheusQuery {
        start: trace.start() - SignedDuration::from_hours(100 * 24),
        end: trace.start() - SignedDuration::from_mins(1),
        ..query(server, "sum(http_requests_total)", trace)
    };
    let error = message(early).await;
    assert!(
        error.contains("gives no samples between 2018-03-05T00:00:00Z and 2018-06-12T23:59:00Z"),
        "{error}"
    );

    let wrong_port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{wrong_port}");
    let error = message(PrometheusQuery {
        url: url.clone(),
        ..query(server, "up", trace)
    })
    .await;
    assert_eq!(
        error,
        format!("cannot connect to `{url}`: is the server running, and are host and port right?")
    );

    let wrong_path = PrometheusQuery {
        url: format!("http://127.0.0.1:{}/metrics2", server.port),
        ..query(server, "up", trace)
    };
    let error = message(wrong_path).await;
    assert!(
        error.contains("answered 404: give the server's base address"),
        "{error}"
    );
}
