use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use fleetcast_series::DemandKey;

use super::*;

const JSON: &str = "application/json";

/// What a server was asked.
#[derive(Clone, Debug, Default)]
struct Asked {
    method: String,
    headers: Vec<String>,
    parameters: BTreeMap<String, String>,
}

/// A server on loopback which answers one request after another from a list, the last one for ever:
/// status, content type and more headers, body.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(answers: Vec<(u16, String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let (status, kind, body) = &answers[index.min(answers.len() - 1)];
                let mut stream = stream.unwrap();
                log.lock().unwrap().push(read_request(&stream));
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_string());
    }
    let length = lines.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let (method, target) = lines
        .remove(0)
        .split_once(' ')
        .map(|(m, t)| (m.to_string(), t.to_string()))
        .unwrap();
    let query = if body.is_empty() {
        target
    } else {
        format!("/?{}", String::from_utf8(body).unwrap())
    };
    let query = query.split(' ').next().unwrap();
    let url = reqwest::Url::parse(&format!("http://p{query}")).unwrap();
    Asked {
        method,
        headers: lines,
        parameters: url.query_pairs().into_owned().collect(),
    }
}

fn matrix(series: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

/// One series: labels, then minutes and values.
fn series(labels: &str, values: &[(i64, &str)]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|(minute, value)| format!("[{},\"{value}\"]", minute * 60))
        .collect();
    format!(
        r#"{{"metric":{{{labels}}},"values":[{}]}}"#,
        values.join(",")
    )
}

/// Asks for the first five minutes of 1970.
fn query(url: &str) -> PrometheusQuery {
    let minute = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    PrometheusQuery::new(url, "sum(rate(x[1m]))", minute(0), minute(5), Step::MINUTE)
}

async fn ask(query: &PrometheusQuery) -> Result<(Demand, IngestReport), PrometheusError> {
    fetch(query, &mut |_, _| ()).await
}

fn shown(demand: &Demand, key: &DemandKey) -> String {
    let values = demand.get(key).unwrap().values();
    values
        .map(|value| value.map_or("-".to_string(), |value| value.to_string()))
        .collect::<Vec<_>>()
        .join(" ")
}

async fn check(body: &str, expected: &str) -> IngestReport {
    let server = Server::start(vec![(200, JSON.into(), body.into())]);
    let (demand, report) = ask(&query(&server.url)).await.unwrap();
    assert_eq!(shown(&demand, &DemandKey::default()), expected);
    report
}

async fn check_error(status: u16, kind: &str, body: &str, expected: &str) {
    let server = Server::start(vec![(status, kind.into(), body.into())]);
    let error = ask(&query(&server.url)).await.unwrap_err();
    assert_eq!(error.to_string().replace(&server.url, "URL"), expected);
}

#[tokio::test]
async fn the_value_of_a_step_is_the_one_at_its_end() {
    let report = check(
        &matrix(&series(
            "",
            &[(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")],
        )),
        "1 2 3 4 5",
    )
    .await;
    assert_eq!(
        report.to_string(),
        "5 rows, 1970-01-01T00:00:00Z to 1970-01-01T00:04:00Z, step 1 min"
    );
}

#[tokio::test]
async fn what_is_not_a_number_is_missing() {
    let samples = [(2, "NaN"), (3, "1.5e1"), (4, "+Inf")];
    let report = check(&matrix(&series(r#""job":"web""#, &samples)), "15 - -").await;
    let expected = "\
        3 rows, 1970-01-01T00:02:00Z to 1970-01-01T00:02:00Z, step 1 min\n\
        2 of 3 steps missing, in 1 gap; the longest lasts 2 steps from 1970-01-01T00:03:00Z\n\
        the first sample is of 1970-01-01T00:02:00Z; 1970-01-01T00:00:00Z was asked for\n\
        2 samples not a finite number: missing";
    assert_eq!(report.to_string(), expected);
}

#[tokio::test]
async fn warnings_are_passed_on() {
    let body = matrix(&series("", &[(1, "1")])).replace(
        r#""data""#,
        r#""warnings":["a store did not answer"],"infos":["not a counter?"],"isPartial":true,"data""#,
    );
    let report = check(&body, "1 - - - -").await;
    let expected = [
        "the server warns: a store did not answer",
        "the server warns: not a counter?",
        "the server warns: the answer is partial",
    ];
    assert_eq!(report.notes, expected);
}

#[tokio::test]
async fn long_ranges_are_asked_for_in_parts_that_meet() {
    let answers = [
        vec![(1, "1"), (2, "2")],
        vec![(3, "3"), (4, "4")],
        vec![(5, "5")],
    ];
    let answers = answers
        .iter()
        .map(|samples| (200, JSON.to_string(), matrix(&series("", samples))));
    let server = Server::start(answers.collect());
    let query = PrometheusQuery {
        points_per_request: 2,
        bearer: Some("secret".into()),
        headers: vec![("X-Scope-OrgID".into(), "shop".into())],
        ..query(&format!("{}/api/v1/query_range", server.url))
    };
    let mut done = Vec::new();
    let (demand, _) = fetch(&query, &mut |now, total| done.push((now, total)))
        .await
        .unwrap();
    assert_eq!(shown(&demand, &DemandKey::default()), "1 2 3 4 5");
    assert_eq!(demand.per_minute(2.0), 120.0);
    assert_eq!(done, [(0, 3), (1, 3), (2, 3), (3, 3)]);
    let asked = server.asked();
    let ranges: Vec<_> = asked
        .iter()
        .map(|asked| (&*asked.parameters["start"], &*asked.parameters["end"]))
        .collect();
    assert_eq!(ranges, [("60", "120"), ("180", "240"), ("300", "300")]);
    assert_eq!(
        (&*asked[0].method, &*asked[0].parameters["query"]),
        ("POST", "sum(rate(x[1m]))")
    );
    assert_eq!(asked[0].parameters["step"], "60");
    let sent = |header: &str| {
        asked.iter().all(|asked| {
            asked
                .headers
                .iter()
                .any(|sent| sent.eq_ignore_ascii_case(header))
        })
    };
    assert!(
        sent("Authorization: Bearer secret") && sent("X-Scope-OrgID: shop"),
        "{asked:?}"
    );
    assert!(!format!("{query:?}").contains("secret"));
}

#[tokio::test]
async fn servers_that_refuse_post_are_asked_by_get() {
    let good = matrix(&series("", &[(1, "7")]));
    let server = Server::start(vec![
        (405, "text/plain".into(), "no".into()),
        (200, JSON.into(), good),
    ]);
    ask(&query(&server.url)).await.unwrap();
    let asked = server.asked();
    assert_eq!(
        asked.iter().map(|asked| &*asked.method).collect::<Vec<_>>(),
        ["POST", "GET"]
    );
    assert_eq!(asked[0].parameters, asked[1].parameters);
}

#[tokio::test]
async fn overloaded_servers_are_asked_again() {
    let good = matrix(&series("", &[(1, "7")]));
    let busy = (
        503,
        "text/html\r\nRetry-After: 0".to_string(),
        "busy".to_string(),
    );
    let server = Server::start(vec![busy.clone(), busy.clone(), (200, JSON.into(), good)]);
    ask(&query(&server.url)).await.unwrap();
    assert_eq!(server.asked().len(), 3);
    let server = Server::start(vec![busy]);
    let error = ask(&query(&server.url)).await.unwrap_err().to_string();
    let expected =
        "`URL` answered 503: the server behind it is down or overloaded; the answer begins `busy`";
    assert_eq!(error.replace(&server.url, "URL"), expected);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn labels_tell_series_apart() {
    let parts = [
        series(
            r#""interaction_type":"search","region":"eu""#,
            &[(1, "1"), (2, "2")],
        ),
        series(r#""interaction_type":"search","region":"us""#, &[(2, "5")]),
    ];
    let server = Server::start(vec![(200, JSON.into(), matrix(&parts.join(",")))]);
    let (demand, report) = ask(&query(&server.url)).await.unwrap();
    let found: Vec<_> = demand
        .iter()
        .map(|(key, _)| (key.to_string(), shown(&demand, key)))
        .collect();
    let expected = [("search in eu", "1 2 - - -"), ("search in us", "- 5 - - -")];
    assert_eq!(
        found,
        expected.map(|(key, values)| (key.to_string(), values.to_string()))
    );
    assert_eq!(report.series, 2);
}

#[tokio::test]
async fn series_that_cannot_be_told_apart_are_an_error() {
    let ambiguous = |parts: [&str; 2], shown: &str| {
        let parts = parts.map(|labels| series(labels, &[(1, "1")]));
        let expected = format!(
            "the query gives 2 series which the labels `interaction_type` and `region` do not tell apart, such as {shown}: \
             add them up with `sum(…)` or `sum by (interaction_type, region) (…)`"
        );
        (matrix(&parts.join(",")), expected)
    };
    let (body, expected) = ambiguous(
        [
            r#""instance":"a","region":"eu""#,
            r#""instance":"b","region":"eu""#,
        ],
        r#"{instance="a", region="eu"} and {instance="b", region="eu"}"#,
    );
    check_error(200, JSON, &body, &expected).await;
    let (body, expected) = ambiguous(
        [r#""region":"eu""#, r#""zone":"us""#],
        r#"{region="eu"} and {zone="us"}"#,
    );
    check_error(200, JSON, &body, &expected).await;
    let many: Vec<_> = (0..1001)
        .map(|i| series(&format!(r#""region":"r{i}""#), &[(1, "1")]))
        .collect();
    let expected = "the query gives more than 1000 series: add them up with `sum(…)` or `sum by (interaction_type, region) (…)`";
    check_error(200, JSON, &matrix(&many.join(",")), expected).await;
}

#[tokio::test]
async fn samples_that_are_no_demand_are_errors() {
    let expected = "the query gives no samples between 1970-01-01T00:00:00Z and 1970-01-01T00:05:00Z: no data is not zero demand; \
        check the metric's name, its labels, the range and the server's retention";
    check_error(200, JSON, &matrix(""), expected).await;
    check_error(200, JSON, &matrix(&series("", &[(1, "NaN")])), expected).await;
    let expected = "the query gives -2 at 1970-01-01T00:03:00Z, and demand cannot be negative: \
        use `rate(…)` for counters, or `clamp_min(…, 0)`";
    check_error(200, JSON, &matrix(&series("", &[(3, "-2")])), expected).await;
    let expected = "the label `interaction_type` has the value `browse`, which is not an interaction type: \
        use search, transaction, content_view, api_call or x-…, if need be with `label_replace(…)`";
    check_error(
        200,
        JSON,
        &matrix(&series(r#""interaction_type":"browse""#, &[(1, "1")])),
        expected,
    )
    .await;
    let expected = "the label `region` has the value `e u`, which is not a region: \
        use 1 to 120 letters, digits, `.`, `_`, `-`, `/` or `:`";
    check_error(
        200,
        JSON,
        &matrix(&series(r#""region":"e u""#, &[(1, "1")])),
        expected,
    )
    .await;
    let histograms = r#"{"metric":{},"histograms":[[60,{"count":"1","sum":"2"}]]}"#;
    let expected =
        "the query gives native histograms: take their count, as in `histogram_count(rate(…))`";
    check_error(200, JSON, &matrix(histograms), expected).await;
}

#[tokio::test]
async fn refusals_say_why() {
    let body = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left parenthesis"}"#;
    let expected =
        "the server refused the query (bad_data): 1:5: parse error: unclosed left parenthesis";
    check_error(400, JSON, body, expected).await;
    let body = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    check_error(
        503,
        JSON,
        body,
        "the server refused the query (timeout): query timed out",
    )
    .await;
    let expected = "`URL` answered 401: give a token or a user that may query; the answer begins `Unauthorized`";
    check_error(401, "text/plain", "Unauthorized\n", expected).await;
    let expected = "`URL` answered 404: give the server's base address, the part before `/api/v1`; the answer begins `404 page not found`";
    check_error(404, "text/plain", "404 page not found", expected).await;
    let expected =
        "`URL` answered 302: it wants to be asked at `https://login/`; give that address";
    check_error(302, "text/plain\r\nLocation: https://login/", "", expected).await;
    let expected = "`URL` answered something else than the JSON of Prometheus: is it the right address, and is there a login page \
        or a proxy in front?; the answer begins `<!doctype html> <title>Sign in</title>`";
    check_error(
        200,
        "text/html",
        "<!doctype html>\n<title>Sign in</title>",
        expected,
    )
    .await;
    let expected = "`URL` answered something else than the JSON of Prometheus: is it the right address, and is there a login page \
        or a proxy in front?; the answer begins `{\"status\":\"green\"}`";
    check_error(200, JSON, r#"{"status":"green"}"#, expected).await;
}

#[tokio::test]
async fn servers_that_do_not_answer_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let slow = PrometheusQuery {
        timeout: Duration::from_millis(100),
        ..query(&url)
    };
    let error = ask(&slow).await.unwrap_err().to_string();
    let expected = format!(
        "`{url}` did not answer within 0.1 s: raise the timeout, shorten the range or simplify the query"
    );
    assert_eq!(error, expected);
    drop(listener);
    let error = ask(&query(&url)).await.unwrap_err();
    let expected =
        format!("cannot connect to `{url}`: is the server running, and are host and port right?");
    assert_eq!(error.to_string(), expected);
    assert!(!error.source().unwrap().to_string().contains(&url));
}

#[tokio::test]
async fn settings_are_checked_before_anything_is_sent() {
    let range = |start: &str, end: &str| PrometheusQuery {
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
        ..query("http://p")
    };
    let message = async |query: PrometheusQuery| ask(&query).await.unwrap_err().to_string();
    let expected = "there is no whole step of 1 min between 2026-01-01T00:00:30Z and 2026-01-01T00:00:59Z: \
        give a longer range or a finer step";
    assert_eq!(
        message(range("2026-01-01T00:00:30Z", "2026-01-01T00:00:59Z")).await,
        expected
    );
    let expected = "the range has 29979360 steps of 1 min, and at most 10000000 can be read: \
        give a shorter range or a coarser step";
    assert_eq!(
        message(range("1970-01-01T00:00:00Z", "2027-01-01T00:00:00Z")).await,
        expected
    );
    let headers = vec![("X Y".to_string(), "z".to_string())];
    let expected = "the header `X Y` has a name or a value that HTTP does not allow";
    assert_eq!(
        message(PrometheusQuery {
            headers,
            ..query("http://p")
        })
        .await,
        expected
    );
    let expected = "`p:9090` is not an address of a server (it does not begin with http:// or https://): \
        write it as `http://prometheus:9090`";
    assert_eq!(message(query("p:9090")).await, expected);
}
