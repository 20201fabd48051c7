//! The request parser, opened for `fuzz/`. Not compiled otherwise; nothing else may use it.

use contract::runner_api::{JudgeRequest, RunRequest};

use crate::validate;

/// What a request of `/internal/judge` and `/internal/run` goes through before anything is started for it.
pub fn request(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<JudgeRequest>(data)
        && validate::judge_request(&request).is_ok()
    {
        assert!(!request.files.is_empty() && request.judging.limits.time_ms > 0);
        assert!(
            request
                .files
                .iter()
                .all(|file| !file.name.contains("..") && !file.name.starts_with('/'))
        );
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
