//! Where runners are: an address, or a name that stands for several.
//!
//! A headless Service of Kubernetes answers with the address of every pod that is ready. Only `http` is resolved here: with TLS
//! the name itself is what a certificate is for.

use std::{collections::BTreeSet, io, net::SocketAddr};

use reqwest::Url;

use crate::error::EvaluationError;

/// One of the addresses that were given.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// As it was given.
    pub(super) url: String,
    /// What is to be resolved; none where it stands for itself.
    name: Option<(String, u16)>,
}

impl Place {
    /// Understands an address as it was given.
    pub(crate) fn new(url: &str) -> Result<Self, EvaluationError> {
        let wrong = || {
            EvaluationError::Setting(format!(
                "CODEMENTOR_RUNNER_URLS holds {url:?}, which is no http address; it looks like http://runner:8080"
            ))
        };
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let name = match (parsed.domain(), parsed.port_or_known_default()) {
            (Some(host), Some(port)) if parsed.scheme() == "http" => Some((host.to_owned(), port)),
            _ => None,
        };
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            name,
        })
    }

    /// The base address of every runner there is now.
    pub(super) async fn addresses(&self) -> io::Result<Vec<String>> {
        let Some((host, port)) = &self.name else {
            return Ok(vec![self.url.clone()]);
        };
        let found = tokio::net::lookup_host((host.as_str(), *port)).await?;
        Ok(of_one_family(found))
    }
}

/// A runner with an address of either family is still one runner.
fn of_one_family(found: impl Iterator<Item = SocketAddr>) -> Vec<String> {
    let found: BTreeSet<_> = found.collect();
    let four = found.iter().any(SocketAddr::is_ipv4);
    found
        .iter()
        .filter(|address| address.is_ipv4() == four)
        .map(|address| format!("http://{address}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_a_name_is_a_runner_and_is_one_once() {
        let found = ["[::1]:80", "10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:80"]
            .map(|text| text.parse().expect("an address"));
        assert_eq!(
            of_one_family(found.into_iter()),
            ["http://10.0.0.1:80", "http://10.0.0.2:80"]
        );
        let six = ["[::1]:80".parse().expect("an address")];
        assert_eq!(of_one_family(six.into_iter()), ["http://[::1]:80"]);
    }

    #[tokio::test]
    async fn an_address_stands_for_itself_and_a_name_is_resolved() {
        let place = Place::new("http://127.0.0.1:8084/").expect("an address");
        assert_eq!(
            place.addresses().await.expect("nothing to resolve"),
            ["http://127.0.0.1:8084"]
        );
        let place = Place::new("http://localhost:8084").expect("a name");
        let addresses = place.addresses().await.expect("it is known everywhere");
        assert!(
            addresses.len() == 1 && addresses[0].ends_with(":8084"),
            "{addresses:?}"
        );
        let place = Place::new("https://runner.example.org").expect("a name");
        assert_eq!(
            place.addresses().await.expect("TLS needs the name"),
            ["https://runner.example.org"]
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for wrong in ["runner:8080", "ftp://runner", "8080"] {
            let error = Place::new(wrong).expect_err(wrong).to_string();
            assert!(
                error.contains("CODEMENTOR_RUNNER_URLS") && error.contains("http://runner:8080"),
                "{error}"
            );
        }
    }
}
