//! The runners: which of them answer, how much each has to do, and who gets the next job.
//!
//! ```text
//!   unknown ─probe answers─► up(jobs) ──connection refused, cut──► unknown, probed again after 0.2 s … 5 s
//!                             └─ 503 ─► rests for as long as it asked
//! ```
//! A name that stands for several addresses stands for as many runners: a headless Service names every ready pod, and is asked
//! anew all the time, so that pods which come and go are met. Jobs wait here, unclaimed, while nobody has room. A batch never
//! takes a place that a learner waits for.

mod answer;
mod choice;
mod place;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use contract::runner_api::RunnerConfig;
use service::{Client, Shutdown, token::Minter};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use self::choice::{Load, choose};
pub(crate) use self::{
    answer::{Answer, RunnerError},
    choice::Lane,
    place::Place,
};

/// A runner that answers is asked again after its number of jobs so often.
const LOOK: Duration = Duration::from_secs(15);

/// One that does not is asked again after this, then after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// But at least so often.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a runner may take to say what it is.
const PROBE: Duration = Duration::from_secs(3);

/// Longest rest after a 503, whatever the runner asked for.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Whoever waits looks again so often: rests end without anybody saying so.
const TICK: Duration = Duration::from_millis(200);

/// How often names are resolved.
const RESOLVE: Duration = Duration::from_secs(3);

/// All runners.
#[derive(Debug)]
pub(crate) struct Fleet {
    places: Vec<Place>,
    minter: Minter,
    runners: RwLock<Vec<Arc<Runner>>>,
    learners_waiting: AtomicUsize,
    /// Something has changed that may let a waiting job go on.
    changed: Notify,
}

#[derive(Debug)]
struct Runner {
    client: Client,
    /// Which of the places it was found at.
    place: usize,
    state: Mutex<State>,
    /// It should be probed now.
    doubt: Notify,
    /// Its name no longer leads to it: what it does it finishes, and nobody asks it any more.
    gone: CancellationToken,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// Jobs that it takes at once; `None` while it does not answer.
    jobs: Option<usize>,
    pending: usize,
    rests_until: Option<Instant>,
}

impl Runner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, now: Instant) -> Option<Load> {
        let state = self.state();
        let rests = state.rests_until.is_some_and(|until| now < until);
        let jobs = state.jobs.filter(|_| !rests)?;
        Some(Load {
            pending: state.pending,
            jobs,
        })
    }
}

impl Fleet {
    /// Of the runners at these addresses; nobody is asked before [`Fleet::watch`].
    pub(crate) fn new(places: Vec<Place>, minter: Minter) -> Arc<Self> {
        Arc::new(Self {
            places,
            minter,
            runners: RwLock::default(),
            learners_waiting: AtomicUsize::new(0),
            changed: Notify::new(),
        })
    }

    /// Finds runners and probes each of them until the soft end.
    pub(crate) fn watch(self: &Arc<Self>, shutdown: &Shutdown) {
        for index in 0..self.places.len() {
            let (fleet, end) = (Arc::clone(self), shutdown.clone());
            shutdown.tracker().spawn(async move {
                tokio::select! {
                    () = fleet.resolve(index, &end) => {}
                    () = end.soft().cancelled() => {}
                }
            });
        }
    }

    /// Keeps the runners of one place those that its name leads to.
    async fn resolve(self: &Arc<Self>, place: usize, shutdown: &Shutdown) {
        let mut failing = false;
        loop {
            match self.places[place].addresses().await {
                Ok(addresses) => {
                    failing = false;
                    self.keep(place, &addresses, shutdown);
                }
                // Whoever is known stays: a name server that is away takes no runner away.
                Err(error) if !failing => {
                    failing = true;
                    let url = &self.places[place].url;
                    tracing::warn!(%error, url, "cannot find the runners at {url}: {error}");
                }
                Err(_) => {}
            }
            sleep(RESOLVE).await;
        }
    }

    fn keep(self: &Arc<Self>, place: usize, addresses: &[String], shutdown: &Shutdown) {
        let mut runners = self.runners.write().unwrap_or_else(PoisonError::into_inner);
        runners.retain(|runner| {
            let stays = runner.place != place
                || addresses
                    .iter()
                    .any(|address| address == runner.client.base_url());
            if !stays {
                runner.gone.cancel();
                let url = runner.client.base_url();
                tracing::info!(runner = url, "runner {url} is gone");
            }
            stays
        });
        for address in addresses {
            let known = |runner: &Arc<Runner>| runner.client.base_url() == address;
            if runners.iter().any(known) {
                continue;
            }
            match Client::new(address, "runner", self.minter.clone()) {
                Ok(client) => runners.push(self.begin(client, place, shutdown)),
                Err(error) => {
                    tracing::error!(%error, address, "cannot ask {address}: {error}");
                }
            }
        }
    }

    /// A runner that is probed from now on, until it is gone.
    fn begin(self: &Arc<Self>, client: Client, place: usize, shutdown: &Shutdown) -> Arc<Runner> {
        let runner = Arc::new(Runner {
            client,
            place,
            state: Mutex::default(),
            doubt: Notify::new(),
            gone: shutdown.soft().child_token(),
        });
        let (fleet, watched) = (Arc::clone(self), Arc::clone(&runner));
        shutdown.tracker().spawn(async move {
            tokio::select! {
                () = fleet.watch_one(&watched) => {}
                () = watched.gone.cancelled() => {}
            }
        });
        runner
    }

    /// A place at a runner, if one has room and nobody comes first.
    pub(crate) fn try_slot(self: &Arc<Self>, lane: Lane) -> Option<Slot> {
        if lane == Lane::Bulk && self.learners_waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let now = Instant::now();
        let runners = self.runners.read().unwrap_or_else(PoisonError::into_inner);
        let loads: Vec<_> = runners.iter().map(|runner| runner.load(now)).collect();
        let runner = Arc::clone(&runners[choose(&loads, lane, &mut rand::rng())?]);
        drop(runners);
        let mut state = runner.state();
        // Somebody else may have taken the place since.
        if state.jobs.is_none_or(|jobs| state.pending >= jobs) {
            return None;
        }
        state.pending += 1;
        drop(state);
        Some(Slot {
            fleet: Arc::clone(self),
            runner,
        })
    }

    /// A place at a runner, however long that takes.
    pub(crate) async fn slot(self: &Arc<Self>, lane: Lane) -> Slot {
        let _waiting = (lane == Lane::Learner).then(|| Waiting::new(&self.learners_waiting));
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if let Some(slot) = self.try_slot(lane) {
                return slot;
            }
            let _ = timeout(TICK, changed).await;
        }
    }

    async fn watch_one(&self, runner: &Runner) {
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = runner.client.get("/internal/config").timeout(PROBE);
            let wait = match asked.json::<RunnerConfig>().await {
                Ok(config) => {
                    let before = runner.state().jobs.replace(config.jobs);
                    if before.is_none() {
                        tracing::info!(
                            runner = runner.client.base_url(),
                            jobs = config.jobs,
                            "runner {} is there",
                            runner.client.base_url()
                        );
                    }
                    self.changed.notify_waiters();
                    pause = FIRST_PAUSE;
                    LOOK
                }
                Err(error) => {
                    let before = runner.state().jobs.take();
                    if before.is_some() || pause == FIRST_PAUSE {
                        tracing::warn!(%error, runner = runner.client.base_url(), "runner {} is away", runner.client.base_url());
                    }
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = runner.doubt.notified() => sleep(FIRST_PAUSE).await,
            }
        }
    }
}

/// A place at a runner; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    fleet: Arc<Fleet>,
    runner: Arc<Runner>,
}

impl Slot {
    fn client(&self) -> &Client {
        &self.runner.client
    }

    /// It is full with the jobs of others.
    fn rest(&self, pause: Duration) {
        self.runner.state().rests_until = Some(Instant::now() + pause.min(LONGEST_REST));
    }

    /// It does not answer any more: no job for it until it does.
    fn doubt(&self) {
        self.runner.state().jobs = None;
        self.runner.doubt.notify_one();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.runner.state().pending -= 1;
        self.fleet.changed.notify_waiters();
    }
}

/// Counts who waits, for as long as it lives.
#[derive(Debug)]
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
