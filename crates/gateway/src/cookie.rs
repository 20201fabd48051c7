//! The refresh cookie: the only cookie there is.
//!
//! Scripts cannot read it, other sites cannot make it be sent, and it is sent to the sign-in routes only.

use axum::response::AppendHeaders;
use http::{HeaderMap, HeaderName, header};

use crate::{secret::RefreshToken, session::LIFETIME};

const NAME: &str = "codementor_refresh";
const PATH: &str = "/api/v1/auth";

/// A response part that sets or clears it.
pub(crate) type SetCookie = AppendHeaders<[(HeaderName, String); 1]>;

/// The token of a request. Of several cookies of the name the first is taken: browsers send the most specific one first.
pub(crate) fn read(headers: &HeaderMap) -> Option<RefreshToken> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .and_then(|(_, value)| RefreshToken::parse(value))
}

/// Gives it to the browser.
pub(crate) fn set(token: &RefreshToken, https: bool) -> SetCookie {
    cookie(&token.reveal(), LIFETIME.whole_seconds(), https)
}

/// Takes it away.
pub(crate) fn clear(https: bool) -> SetCookie {
    cookie("", 0, https)
}

fn cookie(value: &str, max_age: i64, https: bool) -> SetCookie {
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!(
        "{NAME}={value}; Path={PATH}; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}"
    );
    AppendHeaders([(header::SET_COOKIE, cookie)])
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn is_read_among_others() {
        let token = RefreshToken::generate();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b".parse().expect("a value"));
        headers.append(
            header::COOKIE,
            format!("c=d; {NAME}={}; e", token.reveal())
                .parse()
                .expect("a value"),
        );
        assert_eq!(read(&headers), Some(token));
        headers.insert(
            header::COOKIE,
            format!("{NAME}=rubbish").parse().expect("a value"),
        );
        assert_eq!(read(&headers), None);
    }

    #[test]
    fn is_out_of_reach() {
        let sent = |https| {
            let response = clear(https).into_response();
            response.headers()[header::SET_COOKIE]
                .to_str()
                .expect("text")
                .to_owned()
        };
        assert_eq!(
            sent(false),
            "codementor_refresh=; Path=/api/v1/auth; Max-Age=0; HttpOnly; SameSite=Strict"
        );
        assert!(sent(true).ends_with("; Secure"));
    }
}
