//! What a refresh token is worth: the rule of rotation, apart from where tokens are stored.
//!
//! ```text
//!  sign-in ─► T1 ──refresh──► T2 ──refresh──► T3 (current)
//!              │               └ again within 30 s: the same T3 (two tabs, a lost answer)
//!              └ again: stolen by someone, once; the whole family ends
//! ```

use time::{Duration, OffsetDateTime};

/// How long the immediate predecessor still gets its successor.
pub(crate) const GRACE: Duration = Duration::seconds(30);

/// How long a session lives after its last sign-in.
pub(crate) const LIFETIME: Duration = Duration::days(30);

/// What is stored of the token that was shown, and of its family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented {
    /// When it was exchanged for its successor.
    pub replaced_at: Option<OffsetDateTime>,
    /// Whether that successor is the newest of the family.
    pub successor_is_current: bool,
    /// When the family expires.
    pub expires_at: OffsetDateTime,
    /// Whether the family was ended.
    pub ended: bool,
}

/// What to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It is the newest: exchange it.
    Rotate,
    /// It was exchanged a moment ago: give the same successor again.
    Repeat,
    /// It is worth nothing any more.
    Refuse,
    /// It is one that its owner has long exchanged: somebody copied it. End the family.
    Reuse,
}

impl Presented {
    /// Decides; `now` is the database's.
    pub(crate) fn worth(&self, now: OffsetDateTime) -> Worth {
        if self.ended || now >= self.expires_at {
            return Worth::Refuse;
        }
        match self.replaced_at {
            None => Worth::Rotate,
            Some(at) if self.successor_is_current && now - at <= GRACE => Worth::Repeat,
            Some(_) => Worth::Reuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn replaced(ago: Duration) -> Presented {
        Presented {
            replaced_at: Some(NOW - ago),
            successor_is_current: true,
            expires_at: NOW + Duration::days(1),
            ended: false,
        }
    }

    #[test]
    fn newest_is_exchanged() {
        let newest = Presented {
            replaced_at: None,
            successor_is_current: false,
            ..replaced(Duration::ZERO)
        };
        assert_eq!(newest.worth(NOW), Worth::Rotate);
    }

    #[test]
    fn immediate_predecessor_has_thirty_seconds() {
        assert_eq!(replaced(Duration::seconds(30)).worth(NOW), Worth::Repeat);
        assert_eq!(
            replaced(Duration::milliseconds(30_001)).worth(NOW),
            Worth::Reuse
        );
    }

    #[test]
    fn an_older_one_is_reuse_at_once() {
        let older = Presented {
            successor_is_current: false,
            ..replaced(Duration::seconds(1))
        };
        assert_eq!(older.worth(NOW), Worth::Reuse);
    }

    #[test]
    fn an_ended_or_expired_family_is_refused_whatever_is_shown() {
        for shown in [
            replaced(Duration::ZERO),
            Presented {
                replaced_at: None,
                ..replaced(Duration::ZERO)
            },
        ] {
            assert_eq!(
                Presented {
                    ended: true,
                    ..shown
                }
                .worth(NOW),
                Worth::Refuse
            );
            assert_eq!(
                Presented {
                    expires_at: NOW,
                    ..shown
                }
                .worth(NOW),
                Worth::Refuse
            );
        }
    }
}
