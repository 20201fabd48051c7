//! Which service a path belongs to. The table is all there is: nothing else is ever asked for from outside.

/// A service behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// Submissions, runs, batches, usage.
    Execute,
    /// Questions.
    Question,
}

impl Upstream {
    /// The audience of its tokens.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Question => "question",
        }
    }
}

const PREFIX: &str = "/api/v1/";

/// Whose a path is, by its first segment behind the prefix; `None` when it is nobody's, or not plain.
pub(crate) fn of(path: &str) -> Option<Upstream> {
    if !is_plain(path) {
        return None;
    }
    match path.strip_prefix(PREFIX)?.split('/').next()? {
        "questions" => Some(Upstream::Question),
        "submissions" | "runs" | "rejudges" | "batches" | "languages" | "usage" | "feed"
        | "dead-letters" | "intake" => Some(Upstream::Execute),
        _ => None,
    }
}

/// Whether anybody may ask, signed in or not.
pub(crate) fn is_public(path: &str) -> bool {
    path == "/api/v1/languages"
}

/// Whether a body may be as large as a package of tests.
pub(crate) fn takes_uploads(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/api/v1/questions/") else {
        return path == "/api/v1/questions";
    };
    let mut segments = rest.split('/');
    matches!(
        (segments.next(), segments.next()),
        (Some("import"), None) | (Some(_), Some("tests"))
    )
}

/// Whether a path means the same to everybody on the way: nothing in it is resolved, decoded to a slash, or taken for one. A
/// client library would turn `/api/v1/questions/%2e%2e/%2e%2e/%2e%2e/internal` into `/internal` for us.
fn is_plain(path: &str) -> bool {
    let odd = |segment: &str| {
        let lower = segment.to_ascii_lowercase();
        let dots = lower.replace("%2e", ".");
        dots == "."
            || dots == ".."
            || lower.contains("%2f")
            || lower.contains("%5c")
            || lower.contains("%00")
    };
    path.bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !path.split('/').any(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_has_its_service() {
        for (path, service) in [
            ("/api/v1/questions", Some(Upstream::Question)),
            (
                "/api/v1/questions/two-sum/tests/1",
                Some(Upstream::Question),
            ),
            ("/api/v1/submissions", Some(Upstream::Execute)),
            ("/api/v1/batches/1/events", Some(Upstream::Execute)),
            ("/api/v1/languages", Some(Upstream::Execute)),
            ("/api/v1/dead-letters/1/replay", Some(Upstream::Execute)),
            ("/api/v1/questionsx", None),
            ("/api/v1/", None),
            ("/api/v1", None),
            ("/api/v2/questions", None),
            ("/internal/config", None),
            ("/metrics", None),
            ("/", None),
        ] {
            assert_eq!(of(path), service, "{path}");
        }
    }

    #[test]
    fn no_path_leads_out_of_its_prefix() {
        for path in [
            "/api/v1/questions/../../../internal/config",
            "/api/v1/questions/%2e%2e/%2E%2e/..",
            "/api/v1/questions/.%2e/x",
            "/api/v1/questions/./x",
            "/api/v1/questions/..%2f..%2finternal",
            "/api/v1/questions/..\\..\\internal",
            "/api/v1/questions/%5c..%5cinternal",
            "/api/v1/questions/a%00b",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
        assert_eq!(
            of("/api/v1/questions/a..b/.hidden"),
            Some(Upstream::Question)
        );
    }

    #[test]
    fn only_tests_and_packages_are_large() {
        for (path, large) in [
            ("/api/v1/questions", true),
            ("/api/v1/questions/import", true),
            ("/api/v1/questions/two-sum/tests", true),
            ("/api/v1/questions/two-sum/tests/1", true),
            ("/api/v1/questions/two-sum", false),
            ("/api/v1/questions/two-sum/languages/cpp/driver", false),
            ("/api/v1/submissions", false),
        ] {
            assert_eq!(takes_uploads(path), large, "{path}");
        }
    }
}
