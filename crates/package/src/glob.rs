//! The patterns of `submissions.yaml`: `*` within one step, `?`, and `{a,b}`.

/// Whether a pattern matches a path or one of the folders that it lies in.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    expand(pattern, 64).iter().any(|pattern| {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        ends.into_iter()
            .any(|end| whole(pattern.as_bytes(), &path.as_bytes()[..end]))
    })
}

/// The patterns without braces, at most so many.
fn expand(pattern: &str, most: usize) -> Vec<String> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(next) = open.pop() {
        let braces = next
            .find('{')
            .and_then(|from| Some((from, from + next[from..].find('}')?)));
        match braces {
            Some((from, to)) if open.len() + done.len() < most => {
                for choice in next[from + 1..to].split(',') {
                    open.push(format!("{}{choice}{}", &next[..from], &next[to + 1..]));
                }
            }
            _ => done.push(next),
        }
    }
    done
}

/// Linear in practice: on a mismatch only the last `*` takes one more.
fn whole(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') if text[t] != b'/' => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) if text[from] != b'/' => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_within_a_step_and_what_lies_below() {
        assert!(matches("accepted/*", "accepted/a.py"));
        assert!(matches("accepted", "accepted/a.py"));
        assert!(!matches("*.py", "accepted/a.py"));
        assert!(matches("{accepted,rejected}/a.{py,cpp}", "rejected/a.cpp"));
        assert!(matches("secret/*-hard", "secret/1-hard"));
        assert!(!matches("secret/*-hard", "secret/1-easy"));
        assert!(matches("secret/group1", "secret/group1/deep/01"));
        assert!(!matches("se*1", "secret/group1"));
    }

    #[test]
    fn many_braces_do_not_explode() {
        assert!(!matches(&"{a,b}".repeat(60), "x"));
    }
}
