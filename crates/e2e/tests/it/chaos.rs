//! Chaos: learners submit while every part is killed and frozen at random times, then everything at once; nothing that was
//! accepted may be lost, doubled or changed.
//!
//! ```text
//!   up --split ─┬─ gateway · execute · evaluation · question · runner · Kafka · Postgres     frozen and woken
//!               └─ a further gateway, execute and two evaluations, each a process            killed with -9 and started again
//!   learners over both gateways ──► what each saw ──► checked here ──► everything killed, started again ──► checked ──► audit
//! ```
//! `make chaos` runs it for longer (`CODEMENTOR_CHAOS_SECONDS`). The seed is printed; `CODEMENTOR_CHAOS_SEED` repeats its
//! sequence of faults.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use e2e::{
    Frame, Person, Product, Start,
    product::{descendants, program},
    stream::frames,
};
use futures::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::streams::{ECHO, any_question};

/// How many learners submit, one thing after the other each.
const LEARNERS: usize = 4;

/// What is left undone is done by then: longer than a lease, a rebalance and a retry together.
const HEALED: Duration = Duration::from_mins(4);

/// Numbers that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below a usize")
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let given = fs::read("/proc/self/environ").unwrap_or_default();
    let given = String::from_utf8_lossy(&given).into_owned();
    given
        .split('\0')
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(default)
}

/// One more process of a service, started as `up` started its own.
struct Replica {
    service: &'static str,
    environment: BTreeMap<String, String>,
    child: Child,
    url: String,
    ops: String,
}

fn address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("it is bound").to_string()
}

impl Replica {
    fn start(product: &Product, service: &'static str) -> Self {
        let path = format!("/proc/{}/environ", product.pid(service));
        let bytes = fs::read(path).expect("the service runs");
        let mut environment: BTreeMap<String, String> = String::from_utf8_lossy(&bytes)
            .split('\0')
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (listen, ops) = (address(), address());
        environment.insert("CODEMENTOR_LISTEN".to_owned(), listen.clone());
        environment.insert("CODEMENTOR_OPS_LISTEN".to_owned(), ops.clone());
        environment.insert(
            "CODEMENTOR_INSTANCE".to_owned(),
            format!("replica-{listen}"),
        );
        Self {
            child: spawn(service, &environment),
            service,
            environment,
            url: format!("http://{listen}"),
            ops: format!("http://{ops}"),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// As a power cut would, and then as its keeper would.
    fn kill_and_start(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it was killed");
        self.child = spawn(self.service, &self.environment);
    }

    async fn until_ready(&self) {
        let deadline = Instant::now() + HEALED;
        let ready = format!("{}/readyz", self.ops);
        loop {
            if reqwest::get(&ready)
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return;
            }
            assert!(Instant::now() < deadline, "{} is not ready", self.service);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(service: &str, environment: &BTreeMap<String, String>) -> Child {
    Command::new(program())
        .arg(service)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("codementor runs")
}

/// A server below `up`, with what it has started.
fn server(product: &Product, named: &str) -> Vec<Pid> {
    let comm = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let found = descendants(product.process());
    found
        .into_iter()
        .filter(|pid| comm(pid).trim_end() == named)
        .map(|pid| Pid::from_raw(i32::try_from(pid).expect("a pid")))
        .collect()
}

fn signal_all(pids: &[Pid], signal: Signal) {
    for pid in pids {
        // A session of Postgres may have ended meanwhile.
        kill(*pid, signal).ok();
    }
}

/// What one learner saw of one submission.
#[derive(Debug, Default, Clone)]
struct Seen {
    id: String,
    frames: Vec<Frame>,
    reconnects: usize,
}

impl Seen {
    fn is_over(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| ["done", "failed"].contains(&frame.event.as_str()))
    }

    /// Ids grow, attempts have no gap; one terminal event, at the end; a verdict that was shown stays the only one.
    fn check(&self) {
        let keys: Vec<Vec<u32>> = self
            .frames
            .iter()
            .map(|frame| {
                frame
                    .id
                    .split('.')
                    .map(|part| part.parse().expect("a number"))
                    .collect()
            })
            .collect();
        for (before, after) in keys.iter().zip(keys.iter().skip(1)) {
            assert!(before < after, "{}: {before:?} {after:?}", self.id);
            assert!(
                after[2] == 1 || (before[..2] == after[..2] && after[2] == before[2] + 1),
                "{}: a gap between {before:?} and {after:?}",
                self.id
            );
        }
        let count = |names: &[&str]| {
            let named = |frame: &&Frame| names.contains(&frame.event.as_str());
            self.frames.iter().filter(named).count()
        };
        assert!(count(&["verdict"]) <= 1, "{}: {self:?}", self.id);
        assert_eq!(count(&["done", "failed"]), 1, "{}: {self:?}", self.id);
        assert!(self.is_over(), "{}: {self:?}", self.id);
    }
}

/// Posts until it is accepted, always with the same key: whatever went wrong on the way, it is one submission.
async fn submit(learner: &Person, urls: &[String], key: &str, stop: &AtomicBool) -> Option<String> {
    let body = json!({
        "question": any_question(), "language": "python", "code": format!("{ECHO}# {key}\n"),
    });
    for attempt in 0.. {
        if attempt > 0 && stop.load(Ordering::Relaxed) {
            return None;
        }
        let url = format!("{}/api/v1/submissions", urls[attempt % urls.len()]);
        let asked = learner
            .request(Method::POST, &url)
            .header("idempotency-key", key)
            .timeout(Duration::from_secs(10))
            .json(&body)
            .send()
            .await;
        if let Ok(answer) = asked
            && answer.status() == StatusCode::ACCEPTED
            && let Ok(receipt) = answer.json::<Value>().await
        {
            return receipt["id"].as_str().map(str::to_owned);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    None
}

/// Follows one to its end, on another gateway after each cut; gives up at `deadline`.
async fn follow(learner: &Person, urls: &[String], seen: &mut Seen, deadline: Instant) {
    while !seen.is_over() && Instant::now() < deadline {
        let url = &urls[seen.reconnects % urls.len()];
        let url = format!("{url}/api/v1/submissions/{}/events", seen.id);
        let mut request = learner
            .request(Method::GET, &url)
            .header("accept", "text/event-stream");
        if let Some(last) = seen.frames.last() {
            request = request.header("last-event-id", &last.id);
        }
        // A stream that is silent for longer than its sign of life is taken for dead, as a browser's page does.
        let silence = Duration::from_secs(20);
        let opened = tokio::time::timeout(silence, request.send()).await;
        if let Ok(Ok(answer)) = opened
            && answer.status() == StatusCode::OK
        {
            let mut stream = Box::pin(frames(answer));
            while let Ok(Some(frame)) = tokio::time::timeout(silence, stream.next()).await {
                if !frame.id.is_empty() {
                    seen.frames.push(frame);
                }
            }
        }
        if !seen.is_over() {
            seen.reconnects += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::too_many_lines,
    clippy::similar_names,
    reason = "one story from start to audit; what is seen is of a seed"
)]
async fn every_accepted_submission_ends_once_whatever_dies() {
    let seconds = setting("CODEMENTOR_CHAOS_SECONDS", 30);
    let seed = setting("CODEMENTOR_CHAOS_SEED", u64::from(std::process::id()));
    println!("chaos: {seconds} s, seed {seed}");
    // Small seeds would begin with small numbers.
    let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let generous = [
        ("CODEMENTOR_SUBMISSIONS_PER_MINUTE", "100000"),
        ("CODEMENTOR_REQUESTS_PER_MINUTE", "1000000"),
        ("CODEMENTOR_WAITING_PER_ACCOUNT", "0"),
    ];
    let mut product = Product::start(Start {
        arguments: vec!["--split".to_owned()],
        environment: generous
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Start::default()
    })
    .await;
    let mut replicas: Vec<Replica> = ["gateway", "execute", "evaluation", "evaluation"]
        .into_iter()
        .map(|service| Replica::start(&product, service))
        .collect();
    for replica in &replicas {
        replica.until_ready().await;
    }
    let urls = vec![product.url().to_owned(), replicas[0].url.clone()];

    let stop = Arc::new(AtomicBool::new(false));
    let history: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let mut learners = vec![];
    for number in 0..LEARNERS {
        let learner = product.newcomer("Chaos").await;
        let (stop, history) = (Arc::clone(&stop), Arc::clone(&history));
        // Half of them begin at each gateway.
        let mut urls = urls.clone();
        urls.rotate_left(number % 2);
        learners.push(tokio::spawn(async move {
            for round in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let key = format!("chaos-{seed}-{number}-{round}");
                let Some(id) = submit(&learner, &urls, &key, &stop).await else {
                    return;
                };
                let mut seen = Seen {
                    id,
                    ..Seen::default()
                };
                // What is not over when everything dies is followed up afterwards.
                let one = Instant::now() + Duration::from_mins(1);
                follow(&learner, &urls, &mut seen, one).await;
                history.lock().expect("nobody panicked").push(seen);
            }
        }));
    }

    let end = Instant::now() + Duration::from_secs(seconds);
    let mut faults = 0;
    while Instant::now() < end {
        hurt(&product, &mut replicas, &mut dice).await;
        faults += 1;
        let calm = 300 + dice.below(1_500) as u64;
        tokio::time::sleep(Duration::from_millis(calm)).await;
    }
    stop.store(true, Ordering::Relaxed);
    // In the middle of what they do: everything at once.
    drop(replicas);
    product.kill_everything().await;
    for learner in learners {
        learner.abort();
        learner.await.ok();
    }
    product.start_again().await;

    let admin = product.demo("admin").await;
    let urls = vec![product.url().to_owned()];
    let mut all = listed(&admin).await;
    let history = history.lock().expect("nobody panicked").clone();
    println!(
        "chaos: {faults} faults, {} accepted, {} followed with {} reconnects",
        all.len(),
        history.len(),
        history.iter().map(|seen| seen.reconnects).sum::<usize>()
    );
    assert!(!all.is_empty(), "nothing was accepted: this proves nothing");
    let healed = Instant::now() + HEALED;
    for seen in history {
        assert!(
            all.contains(&seen.id),
            "{} was accepted, and is gone",
            seen.id
        );
        all.retain(|id| *id != seen.id);
        let mut seen = seen;
        let before = seen.frames.len();
        follow(&admin, &urls, &mut seen, healed).await;
        seen.check();
        // What was shown is what is kept.
        let mut kept = Seen {
            id: seen.id.clone(),
            ..Seen::default()
        };
        follow(&admin, &urls, &mut kept, healed).await;
        kept.check();
        assert!(seen.frames.len() >= before);
        let verdict = |seen: &Seen| {
            let found = seen.frames.iter().find(|frame| frame.event == "verdict");
            found.map(|frame| (frame.id.clone(), frame.data.clone()))
        };
        assert_eq!(verdict(&seen), verdict(&kept), "{}", seen.id);
    }
    // Those whose learner was cut off before it had read the end.
    for id in all {
        let mut seen = Seen {
            id,
            ..Seen::default()
        };
        follow(&admin, &urls, &mut seen, healed).await;
        seen.check();
    }
    let audit = product.tool(&["audit", "--since", "24h"]);
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    println!("{said}");
    assert!(
        audit.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&audit.stderr)
    );
}

/// One fault: something is killed, or stands still for a while.
async fn hurt(product: &Product, replicas: &mut [Replica], dice: &mut Dice) {
    let kind = dice.below(11);
    let pause = Duration::from_millis(500 + dice.below(2_500) as u64);
    let frozen: Vec<Pid> = match kind {
        0..4 => {
            println!("chaos: kill -9 a {}", replicas[kind].service);
            replicas[kind].kill_and_start();
            replicas[kind].until_ready().await;
            return;
        }
        4 => server(product, "java"),
        5 => server(product, "postgres"),
        6 => vec![product.pid("runner")],
        7 => vec![product.pid("evaluation")],
        8 => vec![product.pid("execute")],
        9 => vec![product.pid("gateway")],
        // Longer than a lease: its jobs are taken from it, and then it wakes up.
        _ => {
            println!("chaos: an evaluation sleeps past its lease");
            let sleeper = [replicas[2].pid()];
            signal_all(&sleeper, Signal::SIGSTOP);
            tokio::time::sleep(Duration::from_secs(12)).await;
            signal_all(&sleeper, Signal::SIGCONT);
            return;
        }
    };
    let names = [
        "Kafka",
        "Postgres",
        "runner",
        "evaluation",
        "execute",
        "gateway",
    ];
    println!("chaos: {} stands still for {pause:?}", names[kind - 4]);
    signal_all(&frozen, Signal::SIGSTOP);
    tokio::time::sleep(pause).await;
    signal_all(&frozen, Signal::SIGCONT);
}

/// The ids of all submissions.
async fn listed(admin: &Person) -> Vec<String> {
    let mut found = vec![];
    let mut path = "/submissions?limit=100".to_owned();
    loop {
        let page = admin.get_json(&path).await;
        let items = page["items"].as_array().expect("items");
        found.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().expect("an id").to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/submissions?limit=100&cursor={cursor}"),
            None => return found,
        }
    }
}
