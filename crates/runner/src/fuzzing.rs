//! The request parser, opened for `fuzz/` and its own test. Not compiled otherwise; nothing else may use it.

use std::path::{Component, Path};

use contract::runner_api::{JudgeRequest, RunRequest};

use crate::validate;

/// What a request of `/internal/judge` and `/internal/run` goes through before anything is started for it.
///
/// # Panics
/// When something was let through that must not be: that is a finding.
pub fn request(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<JudgeRequest>(data)
        && validate::judge_request(&request).is_ok()
    {
        assert!(!request.files.is_empty() && request.judging.limits.time_ms > 0);
        // Dots within a name (`a..b`) lead nowhere; a name that is more than one part, or no name at all, would.
        assert!(request.files.iter().all(|file| {
            let mut parts = Path::new(&file.name).components();
            matches!(parts.next(), Some(Component::Normal(part)) if part == file.name.as_str())
                && parts.next().is_none()
        }));
        // What is understood can be said again.
        let text = serde_json::to_vec(&request).expect("can be said");
        serde_json::from_slice::<JudgeRequest>(&text).expect("is understood again");
    }
    if let Ok(request) = serde_json::from_slice::<RunRequest>(data)
        && validate::run_request(&request).is_ok()
    {
        assert!(!request.files.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn dots_within_a_name_are_no_finding() {
        for seed in ["judge", "run"] {
            let path = format!(
                "{}/../../fuzz/seeds/judge_request/{seed}",
                env!("CARGO_MANIFEST_DIR")
            );
            let text = std::fs::read_to_string(path).expect("a seed");
            request(text.as_bytes());
            for name in ["a..b", "../main", "..", "a/b", "/main"] {
                request(text.replace("main.", &format!("{name}.")).as_bytes());
            }
        }
    }
}
