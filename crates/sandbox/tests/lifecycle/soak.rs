//! Hostile programs of every kind, again and again, in the same slots: no process, cgroup, mount, descriptor or file may add up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sandbox::SandboxError;

use crate::support::{ask, python};
use crate::{Stage, children, descriptors, eventually};

/// Groups that two slots keep ready.
const READY: usize = 8;
/// Rounds in the tests; `make soak` asks for more.
const ROUNDS: usize = 4;

#[test]
fn hostile_runs_leave_nothing() {
    let stage = Stage::new("soak");
    let sandbox = stage.start(2);
    let asks = [
        ask(&["/bin/true"]),
        ask(&["/nowhere"]),
        python("import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass"),
        python("x = b'x' * (1 << 30)").limits(|l| l.memory_bytes = 16 << 20),
        python("import time; time.sleep(60)").limits(|l| l.wall = Duration::from_millis(20)),
        ask(&["/usr/bin/yes"]).limits(|l| l.output_bytes = 1000),
        python("import os, socket\na, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [a.fileno(), b.fileno(), 1])\nos.abort()"),
        python("import os, signal\nfor i in range(20):\n    if os.fork() == 0:\n        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))\n        os.setsid()\n        signal.pause()"),
        python("import os\nfor i in range(500): os.symlink('/etc/passwd', f'/tmp/{i}')\nfor i in range(200):\n    os.mkdir('/tmp/d'); os.chdir('/tmp/d'); os.rename('/tmp/d', '/tmp/e'); os.rmdir('/tmp/e')"),
        python("f = open('/tmp/full', 'wb')\nwhile True: f.write(b'x' * 65536)").limits(|l| l.file_bytes = 8 << 20),
        python("import ctypes\nlibc = ctypes.CDLL(None)\nfor i in range(50): libc.shmget(i, 4096, 0o1666); libc.msgget(i, 0o1666); libc.semget(i, 1, 0o1666)"),
        python("import threading, time\nfor i in range(100): threading.Thread(target=time.sleep, args=(60,)).start()")
            .limits(|l| l.wall = Duration::from_millis(50)),
        python("import os\nfor s in range(1, 65):\n    for p in (1, -1):\n        try: os.kill(p, 0 if s in (9, 19) else s)\n        except OSError: pass"),
        ask(&["/bin/sh", "-c", "exec 3<>/tmp/fifo; mkfifo /tmp/f; cat /tmp/f & kill -9 $$"]),
        python("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
            .limits(|l| l.cpu = Duration::from_millis(50)),
        python("open('x', 'w').write('x')").change(|p| {
            p.profile = sandbox::Profile::Compile;
            p.collect = sandbox::Collect::All;
        }),
    ];
    let runs = AtomicUsize::new(0);
    let round = async |times: usize| {
        for _ in 0..times {
            runs.fetch_add(asks.len(), Ordering::Relaxed);
            for pair in asks.chunks(2) {
                let (first, second) =
                    tokio::join!(pair[0].run_in(&sandbox), pair[1].run_in(&sandbox));
                for result in [first, second] {
                    assert!(
                        matches!(result, Ok(_) | Err(SandboxError::CannotExecute(_))),
                        "{result:?}"
                    );
                }
            }
        }
    };
    // Used groups are removed behind the runs: quiet means that only the ready ones are left.
    let quiet = || {
        stage.groups().iter().all(|group| {
            let instance = std::fs::read_dir(group)
                .into_iter()
                .flatten()
                .flatten()
                .find(|entry| entry.path().is_dir());
            instance.is_some_and(|entry| {
                std::fs::read_dir(entry.path())
                    .into_iter()
                    .flatten()
                    .flatten()
                    .filter(|e| e.path().is_dir())
                    .count()
                    == READY
            })
        })
    };
    stage.runtime.block_on(round(1));
    eventually("quiet", quiet);
    let (fds, inits) = (descriptors(), children());
    let rounds = match std::env::var("CODEMENTOR_SOAK_RUNS") {
        Ok(runs) => runs
            .parse::<usize>()
            .expect("a number")
            .div_ceil(asks.len()),
        Err(_) => ROUNDS,
    };
    let started = Instant::now();
    stage.runtime.block_on(round(rounds));
    eventually("quiet again", quiet);
    assert_eq!(descriptors(), fds);
    assert_eq!(children(), inits, "no slot had to be replaced");
    assert_eq!(stage.processes(), Vec::<String>::new());
    stage.runtime.block_on(sandbox.shutdown());
    stage.nothing_is_left();
    println!(
        "{} runs in {:.0} s left nothing",
        runs.into_inner(),
        started.elapsed().as_secs_f64()
    );
}
