//! What is known of a visitor who has not signed in: the address, and whether the request came from our own page.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, header, request::Parts};
use service::Problem;

use crate::state::App;

/// The address that limits count and the audit log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visitor(pub(crate) IpAddr);

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        Ok(Self(address(
            peer,
            &parts.headers,
            app.settings.trusted_proxies,
        )))
    }
}

/// The address that the outermost of our own proxies saw; what is left of it in the header, anybody may have written.
fn address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: usize) -> IpAddr {
    let Some(from_the_right) = trusted_proxies.checked_sub(1) else {
        return peer;
    };
    headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','))
        .nth(from_the_right)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(peer)
}

/// A request that acts on a cookie, and was sent by a page of our own, or by no page at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnPage;

impl<S: Sync> FromRequestParts<S> for OwnPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if is_own_page(&parts.headers) {
            return Ok(Self);
        }
        Err(Problem::forbidden(
            "this request was sent by the page of another site",
        ))
    }
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`. The cookie is `SameSite=Strict` as well:
/// this is the second lock.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST.as_str())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let peer: IpAddr = "10.0.0.1".parse().expect("an address");
        let forged = headers(&[
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7"),
            ("x-forwarded-for", "10.0.0.9"),
        ]);
        for (proxies, seen) in [
            (0, "10.0.0.1"),
            (1, "10.0.0.9"),
            (2, "192.0.2.7"),
            (3, "6.6.6.6"),
            (4, "10.0.0.1"),
        ] {
            assert_eq!(
                address(peer, &forged, proxies).to_string(),
                seen,
                "{proxies} proxies"
            );
        }
        assert_eq!(
            address(peer, &headers(&[("x-forwarded-for", "rubbish")]), 1),
            peer
        );
    }

    #[test]
    fn other_sites_are_refused() {
        for (pairs, own) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (
                &[("origin", "https://a.example"), ("host", "a.example")],
                true,
            ),
            (
                &[("origin", "https://b.example"), ("host", "a.example")],
                false,
            ),
            (&[("origin", "null"), ("host", "a.example")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://a.example"),
                    ("host", "a.example"),
                ],
                false,
            ),
        ] {
            assert_eq!(is_own_page(&headers(pairs)), own, "{pairs:?}");
        }
    }
}
