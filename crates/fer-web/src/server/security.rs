//! Who may ask, and what a browser may do with the answer.
//! In: a request's headers. Out: a refusal, or the answer with its security headers.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::access::Access;
use crate::problem::{Problem, ProblemKind};

/// Name of the cookie that holds the access token.
const COOKIE: &str = "fer_token";

/// Headers of every answer. Scripts and styles only from this server, none inline; nothing framed,
/// nothing sent elsewhere; only the camera is asked for.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Refuses what may not ask; adds the security headers to every answer.
pub(crate) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let mut response = match check(&access, request.headers(), request.uri()) {
        Verdict::Allow => next.run(request).await,
        Verdict::SignIn(token) => sign_in(&token),
        Verdict::Refuse(problem) => refuse(problem, request.headers()),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Allow,
    /// The address held the right token: keep it in a cookie and forget the address.
    SignIn(Arc<str>),
    Refuse(Problem),
}

fn check(access: &Access, headers: &HeaderMap, uri: &Uri) -> Verdict {
    let Some(host) = host(headers, uri) else {
        return refuse_origin("expected one Host header with the name of this server");
    };
    if *access == Access::Loopback && !is_loopback(host.host()) {
        // A page elsewhere may have pointed its own name at 127.0.0.1 (DNS rebinding).
        return refuse_origin(format!(
            "expected a request to localhost, found one to {}: start with --allow-remote to be reached by other names",
            host.host()
        ));
    }
    if let Some(problem) = foreign_origin(headers, &host) {
        return Verdict::Refuse(problem);
    }
    match access {
        Access::Loopback => Verdict::Allow,
        Access::Token(token) => check_token(token, headers, uri),
    }
}

fn check_token(token: &Arc<str>, headers: &HeaderMap, uri: &Uri) -> Verdict {
    if uri.path() == "/" && token_in_query(uri).is_some_and(|given| same(given, token)) {
        return Verdict::SignIn(token.clone());
    }
    if bearer(headers).or_else(|| cookie(headers)).is_some_and(|given| same(given, token)) {
        return Verdict::Allow;
    }
    Verdict::Refuse(Problem::new(
        ProblemKind::TokenMissing,
        "open the address with ?token= that fer-live printed when it started, or send the header \
         Authorization: Bearer with the token",
    ))
}

/// The name the client used for this server; `None` when there is no one such name. A request line may name
/// the server too (RFC 9112, section 3.2.2): then both must say the same.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut names = headers.get_all(header::HOST).iter();
    let named: Option<Authority> = match (names.next(), names.next()) {
        (Some(name), None) => Some(name.to_str().ok()?.parse().ok()?),
        (None, None) => None,
        _ => return None,
    };
    match (named, uri.authority()) {
        (Some(named), Some(target)) => named.as_str().eq_ignore_ascii_case(target.as_str()).then_some(named),
        (named, target) => named.or_else(|| target.cloned()),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A problem when the request was made by a page of another site.
///
/// Browsers send `Origin` with WebSockets and every request that is not a plain GET,
/// and `Sec-Fetch-Site` with all of them; programs send neither.
fn foreign_origin(headers: &HeaderMap, host: &Authority) -> Option<Problem> {
    if let Some(origin) = headers.get(header::ORIGIN) {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        if authority.is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host.as_str())) {
            let found = String::from_utf8_lossy(origin.as_bytes()).into_owned();
            return Some(foreign(format!("expected a page of {host}, found one of {found}")));
        }
    }
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    let navigates = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    if matches!(site, Some("cross-site" | "same-site")) && !navigates {
        return Some(foreign(format!("expected a page of {host}, found one of another site")));
    }
    None
}

fn foreign(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::ForeignOrigin, detail)
}

fn refuse_origin(detail: impl Into<String>) -> Verdict {
    Verdict::Refuse(foreign(detail))
}

fn token_in_query(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Compares without stopping at the first difference, so that the time tells nothing.
fn same(given: &str, token: &str) -> bool {
    let difference = given.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == token.len() && difference == 0
}

fn sign_in(token: &str) -> Response {
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
    (StatusCode::SEE_OTHER, headers, Body::empty()).into_response()
}

/// People get a page, programs get the problem.
fn refuse(problem: Problem, headers: &HeaderMap) -> Response {
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if problem.kind == ProblemKind::TokenMissing && wants_page {
        let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        let page = include_str!("../page/token.html");
        return (problem.kind.status(), headers, page).into_response();
    }
    problem.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(access: &Access, uri: &str, headers: &[(&'static str, &'static str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        check(access, &map, &uri.parse().expect("the test writes a good address"))
    }

    fn is_refused(verdict: &Verdict, kind: ProblemKind) -> bool {
        matches!(verdict, Verdict::Refuse(problem) if problem.kind == kind)
    }

    #[test]
    fn loopback_names_are_allowed_and_no_others() {
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"] {
            assert_eq!(ask(&Access::Loopback, "/", &[("host", host)]), Verdict::Allow, "{host}");
        }
        for host in ["evil.example:8000", "localhost.evil.example", "192.168.1.7:8000", "127.0.0.1.nip.io"] {
            let verdict = ask(&Access::Loopback, "/", &[("host", host)]);
            assert!(is_refused(&verdict, ProblemKind::ForeignOrigin), "{host}: {verdict:?}");
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(is_refused(&ask(&Access::Loopback, "/", &two), ProblemKind::ForeignOrigin));
    }

    #[test]
    fn a_request_line_with_another_host_is_refused_like_a_foreign_host() {
        let host = [("host", "localhost:8000")];
        for target in
            ["http://evil.example/v1/model", "http://evil.example:8000/", "http://a@localhost:8000/"]
        {
            for headers in [&host[..], &[]] {
                let verdict = ask(&Access::Loopback, target, headers);
                let is_own = headers.is_empty() && target.contains("localhost");
                assert!(is_own || is_refused(&verdict, ProblemKind::ForeignOrigin), "{target}: {verdict:?}");
            }
        }
        let token = Access::Token("s3cret".into());
        let verdict =
            ask(&token, "http://evil.example/v1/model", &[host[0], ("authorization", "Bearer s3cret")]);
        assert!(is_refused(&verdict, ProblemKind::ForeignOrigin), "{verdict:?}");
        assert_eq!(ask(&Access::Loopback, "http://localhost:8000/v1/model", &host), Verdict::Allow);
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let host = ("host", "localhost:8000");
        for origin in ["http://evil.example", "null", "http://localhost:3000", "http://localhost"] {
            let verdict = ask(&Access::Loopback, "/v1/live", &[host, ("origin", origin)]);
            assert!(is_refused(&verdict, ProblemKind::ForeignOrigin), "{origin}: {verdict:?}");
        }
        let own = [host, ("origin", "http://localhost:8000")];
        assert_eq!(ask(&Access::Loopback, "/v1/live", &own), Verdict::Allow);
        let image = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        assert!(is_refused(&ask(&Access::Loopback, "/stream.mjpg", &image), ProblemKind::ForeignOrigin));
        let link = [host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(ask(&Access::Loopback, "/", &link), Verdict::Allow, "a link may lead here");
    }

    #[test]
    fn another_address_needs_the_token() {
        let access = Access::Token("s3cret".into());
        let host = ("host", "studio.example:8000");
        for headers in [
            vec![host],
            vec![host, ("authorization", "Bearer wrong")],
            vec![host, ("authorization", "Bearer s3cretx")],
            vec![host, ("cookie", "fer_token=s3cre")],
        ] {
            let verdict = ask(&access, "/v1/model", &headers);
            assert!(is_refused(&verdict, ProblemKind::TokenMissing), "{headers:?}");
        }
        let bearer = [host, ("authorization", "Bearer s3cret")];
        assert_eq!(ask(&access, "/v1/model", &bearer), Verdict::Allow);
        let cookie = [host, ("cookie", "a=b; fer_token=s3cret")];
        assert_eq!(ask(&access, "/v1/live", &cookie), Verdict::Allow);
        assert_eq!(ask(&access, "/?token=s3cret", &[host]), Verdict::SignIn("s3cret".into()));
        assert!(is_refused(&ask(&access, "/?token=wrong", &[host]), ProblemKind::TokenMissing));
        assert!(is_refused(&ask(&access, "/v1/model?token=s3cret", &[host]), ProblemKind::TokenMissing));
    }
}
