//! How much one address or account may ask for: enough for anybody at work, too little to harm the others.
//!
//! Counted in this replica's memory: with several replicas the limits add up. What must hold exactly (submissions waiting)
//! is counted where they are stored.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use contract::AccountId;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use service::Problem;

/// All limits.
#[derive(Debug)]
pub(crate) struct Limits {
    sign_ins: Limit<IpAddr>,
    submissions: Limit<AccountId>,
    requests: Limit<AccountId>,
    streams: Arc<Streams>,
}

/// How many a minute; 0: no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) sign_ins: u32,
    pub(crate) submissions: u32,
    pub(crate) requests: u32,
    /// At a time, not a minute.
    pub(crate) streams: u32,
}

impl Limits {
    pub(crate) fn new(rates: Rates) -> Self {
        Self {
            sign_ins: Limit::new("sign-in attempts from this address", rates.sign_ins),
            submissions: Limit::new("submissions and runs", rates.submissions),
            requests: Limit::new("requests", rates.requests),
            streams: Arc::new(Streams {
                most: rates.streams,
                open: Mutex::default(),
            }),
        }
    }

    /// Counts an attempt to sign in, to register or to use a code.
    pub(crate) fn sign_in(&self, address: IpAddr) -> Result<(), Problem> {
        self.sign_ins.count(&network(address))
    }

    /// Counts a submission or run.
    pub(crate) fn submission(&self, account: AccountId) -> Result<(), Problem> {
        self.submissions.count(&account)
    }

    /// Counts a request.
    pub(crate) fn request(&self, account: AccountId) -> Result<(), Problem> {
        self.requests.count(&account)
    }

    /// A place for one more open stream, free again when it is dropped.
    pub(crate) fn stream(&self, account: AccountId) -> Result<StreamPlace, Problem> {
        let mut open = self
            .streams
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account).or_default();
        if self.streams.most != 0 && *count >= self.streams.most {
            let detail = format!(
                "{} streams are open already: close one, or wait for its end",
                self.streams.most
            );
            return Err(Problem::rate_limited(detail, 5));
        }
        *count += 1;
        Ok(StreamPlace {
            account,
            streams: Arc::clone(&self.streams),
        })
    }

    /// Forgets those who asked for nothing of late. To be called now and then.
    pub(crate) fn forget_idle(&self) {
        self.sign_ins.forget_idle();
        self.submissions.forget_idle();
        self.requests.forget_idle();
    }
}

/// An IPv6 customer has a network of addresses: it counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[derive(Debug)]
struct Limit<K: Hash + Eq + Clone> {
    of: &'static str,
    a_minute: u32,
    limiter: Option<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(of: &'static str, a_minute: u32) -> Self {
        let limiter = NonZeroU32::new(a_minute).map(|n| RateLimiter::keyed(Quota::per_minute(n)));
        Self {
            of,
            a_minute,
            limiter,
            clock: DefaultClock::default(),
        }
    }

    fn count(&self, key: &K) -> Result<(), Problem> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        limiter.check_key(key).map(drop).map_err(|wait| {
            let seconds = wait.wait_time_from(self.clock.now()).as_secs() + 1;
            metrics::counter!("codementor_rate_limited_total", "limit" => self.of).increment(1);
            let detail = format!(
                "more than {} {} a minute: wait {seconds} s",
                self.a_minute, self.of
            );
            Problem::rate_limited(detail, seconds)
        })
    }

    fn forget_idle(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

#[derive(Debug)]
struct Streams {
    most: u32,
    open: Mutex<HashMap<AccountId, u32>>,
}

/// One open stream of an account.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    account: AccountId,
    streams: Arc<Streams>,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: u32) -> Limits {
        Limits::new(Rates {
            sign_ins: rate,
            submissions: rate,
            requests: rate,
            streams: rate,
        })
    }

    #[test]
    fn each_has_a_limit_of_its_own() {
        let limits = limits(2);
        let (one, other) = (AccountId::new(), AccountId::new());
        for account in [one, other] {
            assert!(limits.submission(account).is_ok());
            assert!(limits.submission(account).is_ok());
            assert!(limits.submission(account).is_err());
            assert!(limits.request(account).is_ok());
        }
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let limits = limits(1);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(limits.sign_in(address("2001:db8::1")).is_ok());
        assert!(limits.sign_in(address("2001:db8::ffff:2")).is_err());
        assert!(limits.sign_in(address("2001:db8:0:1::1")).is_ok());
        assert!(limits.sign_in(address("192.0.2.1")).is_ok());
        assert!(limits.sign_in(address("::ffff:192.0.2.1")).is_err());
    }

    #[test]
    fn a_stream_that_ends_makes_room() {
        let limits = limits(1);
        let account = AccountId::new();
        let place = limits.stream(account).expect("room");
        assert!(limits.stream(account).is_err());
        drop(place);
        assert!(limits.stream(account).is_ok());
    }

    #[test]
    fn none_means_no_limit() {
        let limits = limits(0);
        let account = AccountId::new();
        let places: Vec<_> = (0..1_000).map(|_| limits.stream(account)).collect();
        assert!(places.iter().all(Result::is_ok));
        assert!((0..1_000).all(|_| limits.submission(account).is_ok()));
    }
}
