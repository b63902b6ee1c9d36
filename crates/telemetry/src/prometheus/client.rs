//! Requests to a server, and what its refusals mean.

use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode, Url};

use super::answer::Answer;
use super::collect::Chunk;
use super::{PrometheusError, PrometheusQuery};

/// A server.
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    /// The address as messages may show it.
    shown_url: String,
    timeout: Duration,
}

/// A larger answer is thousands of series.
const ANSWER_MAX_MB: usize = 64;
/// How often a request is sent while the server is overloaded.
const ATTEMPTS: u32 = 3;
/// A server that wants a longer pause is waited for so long.
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Client {
    pub fn new(query: &PrometheusQuery) -> Result<Self, PrometheusError> {
        let (url, shown_url) = parse_url(&query.url)?;
        let mut builder = reqwest::Client::builder()
            .default_headers(parse_headers(query)?)
            .user_agent(concat!("fleetcast/", env!("CARGO_PKG_VERSION")))
            .timeout(query.timeout)
            // A redirected POST loses its body, and a token should go where it was meant to go.
            .redirect(Policy::none());
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|source| PrometheusError::Broken {
            url: shown_url.clone(),
            source,
        })?;
        Ok(Self {
            http,
            url,
            shown_url,
            timeout: query.timeout,
        })
    }

    /// Evaluates a query at the ends of the chunk's steps.
    pub async fn query_range(&self, query: &str, chunk: &Chunk) -> Result<Answer, PrometheusError> {
        let parameters = [
            ("query", query.to_string()),
            ("start", chunk.first_s.to_string()),
            ("end", chunk.last_s.to_string()),
            ("step", chunk.step.seconds().to_string()),
        ];
        // POST, since queries may be longer than an address; some proxies only let GET through.
        let response = self
            .send(|| self.http.post(self.url.clone()).form(&parameters))
            .await?;
        let response = match response.status() {
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                self.send(|| self.http.get(self.url.clone()).query(&parameters))
                    .await?
            }
            _ => response,
        };
        self.read(response).await
    }

    /// Sends a request, again after a pause if the server is overloaded.
    async fn send(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, PrometheusError> {
        let mut attempt = 1;
        loop {
            let response = request()
                .send()
                .await
                .map_err(|error| self.transport_error(error))?;
            let overloaded = matches!(response.status().as_u16(), 429 | 502 | 503 | 504);
            // A server that explains itself in JSON has judged the query: repeating it changes nothing.
            if !overloaded || is_json(&response) && response.status() != 429 || attempt == ATTEMPTS
            {
                return Ok(response);
            }
            let wanted = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok());
            let pause = wanted.map_or(Duration::from_millis(500) * attempt, Duration::from_secs);
            tokio::time::sleep(pause.min(PAUSE_MAX)).await;
            attempt += 1;
        }
    }

    async fn read(&self, mut response: Response) -> Result<Answer, PrometheusError> {
        let status = response.status();
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| Some(value.to_str().ok()?.to_string()));
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|error| self.transport_error(error))?
        {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_MAX_MB * 1_000_000 {
                return Err(PrometheusError::LargeAnswer {
                    max_mb: ANSWER_MAX_MB,
                });
            }
        }
        match serde_json::from_slice::<Answer>(&body) {
            Ok(Answer {
                error: Some(message),
                error_type,
                ..
            }) => Err(PrometheusError::Refused {
                kind: error_type.unwrap_or_else(|| status.to_string()),
                message,
            }),
            Ok(answer) if status.is_success() => Ok(answer),
            Err(source) if status.is_success() => Err(PrometheusError::NotPrometheus {
                url: self.shown_url.clone(),
                body: excerpt(&body),
                source,
            }),
            _ => Err(PrometheusError::Http {
                url: self.shown_url.clone(),
                status: status.as_u16(),
                hint: hint(status, location),
                body: excerpt(&body),
            }),
        }
    }

    fn transport_error(&self, error: reqwest::Error) -> PrometheusError {
        // The address may hold a password; the message names it without.
        let (url, source) = (self.shown_url.clone(), error.without_url());
        if source.is_timeout() {
            PrometheusError::TimedOut {
                url,
                after: self.timeout,
            }
        } else if source.is_connect() {
            PrometheusError::Connect { url, source }
        } else {
            PrometheusError::Broken { url, source }
        }
    }
}

/// The address of range queries, and the one to show. People give the base, or copy more of it.
fn parse_url(text: &str) -> Result<(Url, String), PrometheusError> {
    const PATH: &str = "/api/v1/query_range";
    let bad = |url: &str, problem: &str| PrometheusError::BadUrl {
        url: url.to_string(),
        problem: problem.to_string(),
    };
    // What cannot be parsed may hold a password before the last @.
    let without_user = text.rsplit('@').next().unwrap_or(text);
    let mut url = Url::parse(text).map_err(|problem| bad(without_user, &problem.to_string()))?;
    let mut shown = url.clone();
    // These fail for addresses that cannot have a user; then there is none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    let shown = shown.to_string();
    let shown = shown.trim_end_matches('/');
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(shown, "it does not begin with http:// or https://"));
    }
    let path = url.path().trim_end_matches('/');
    let base = [PATH, "/api/v1/query", "/api/v1", "/graph"]
        .iter()
        .find_map(|end| path.strip_suffix(end))
        .unwrap_or(path);
    let path = format!("{base}{PATH}");
    url.set_path(&path);
    Ok((url, shown.to_string()))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

fn parse_headers(query: &PrometheusQuery) -> Result<HeaderMap, PrometheusError> {
    let bearer = query
        .bearer
        .iter()
        .map(|token| (AUTHORIZATION.to_string(), format!("Bearer {token}")));
    let mut headers = HeaderMap::new();
    for (name, value) in bearer.chain(query.headers.iter().cloned()) {
        let header = (HeaderName::try_from(&name), HeaderValue::try_from(&value));
        let (Ok(parsed), Ok(mut value)) = header else {
            return Err(PrometheusError::BadHeader { name });
        };
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    Ok(headers)
}

fn is_json(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

fn hint(status: StatusCode, location: Option<String>) -> String {
    match (status.as_u16(), location) {
        (300..=399, Some(location)) => {
            format!(": it wants to be asked at `{location}`; give that address")
        }
        (401 | 403, _) => ": give a token or a user that may query".to_string(),
        (404, _) => ": give the server's base address, the part before `/api/v1`".to_string(),
        (429, _) => ": it is overloaded; ask for less, or later".to_string(),
        (502..=504, _) => ": the server behind it is down or overloaded".to_string(),
        _ => String::new(),
    }
}

/// How a body begins, on one line.
fn excerpt(body: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, shown: &str) {
        let (url, shown_url) = parse_url(text).unwrap();
        assert_eq!((url.as_str(), shown_url.as_str()), (expected, shown));
    }

    #[test]
    fn addresses_are_completed() {
        check(
            "http://p:9090",
            "http://p:9090/api/v1/query_range",
            "http://p:9090",
        );
        check(
            "http://p:9090/",
            "http://p:9090/api/v1/query_range",
            "http://p:9090",
        );
        check(
            "https://h/prometheus/api/v1",
            "https://h/prometheus/api/v1/query_range",
            "https://h/prometheus/api/v1",
        );
        check(
            "http://p/graph?tab=0",
            "http://p/api/v1/query_range?tab=0",
            "http://p/graph",
        );
        check(
            "http://me:secret@p",
            "http://me:secret@p/api/v1/query_range",
            "http://p",
        );
    }

    #[test]
    fn other_addresses_are_refused_without_their_passwords() {
        let check = |text: &str, shown: &str, problem: &str| {
            let expected = format!(
                "`{shown}` is not an address of a server ({problem}): write it as `http://prometheus:9090`"
            );
            assert_eq!(parse_url(text).unwrap_err().to_string(), expected);
        };
        check("p/graph", "p/graph", "relative URL without a base");
        check(
            "prometheus:9090",
            "prometheus:9090",
            "it does not begin with http:// or https://",
        );
        check(
            "ftp://me:secret@p",
            "ftp://p",
            "it does not begin with http:// or https://",
        );
        check("http://me:secret@p:99999", "p:99999", "invalid port number");
    }
}
