//! What one run leaves, the next must not find; and two at the same time must not meet.

use sandbox::{Collect, Content, InputFile, Profile, Sandbox, Status};

use crate::support::{ask, both, python, text, with_sandbox};

/// Runs both in the same slot and gives what the second printed.
async fn one_after_the_other(
    sandbox: &Sandbox,
    first: &str,
    second: &str,
    profile: Profile,
) -> String {
    let (first, second) = (
        python(first).change(|p| p.profile = profile),
        python(second).change(|p| p.profile = profile),
    );
    let mut slot = sandbox.acquire().await;
    let mut outcomes = Vec::new();
    for asked in [&first, &second] {
        outcomes.push(slot.run(asked.program()).await.expect("the sandbox works"));
    }
    assert_eq!(
        outcomes[0].status,
        Status::Exited(0),
        "{}",
        String::from_utf8_lossy(&outcomes[0].stderr)
    );
    assert_eq!(
        outcomes[1].status,
        Status::Exited(0),
        "{}",
        String::from_utf8_lossy(&outcomes[1].stderr)
    );
    text(&outcomes[1])
}

#[test]
fn files_do_not_stay() {
    let places = "['/tmp', '/dev/shm', '/box', '/var/tmp', '/var/lock']";
    let write =
        format!("import os\nfor place in {places}: open(place + '/left', 'w').write('secret')");
    let list = format!("import os\nfor place in {places}: print(os.listdir(place), end='')");
    with_sandbox(async |sandbox| {
        assert_eq!(
            one_after_the_other(sandbox, &write, &list, Profile::Compile).await,
            "[]".repeat(5)
        );
    });
}

/// An empty directory that was used tells the next program, by its times and its order, that it was.
#[test]
fn a_tmp_that_was_used_is_not_passed_on() {
    let when = "import os, time; print(os.stat('/tmp').st_ctime_ns)\ntime.sleep(0.02)";
    for used in [
        "import os; os.mkdir('/tmp/x'); os.rmdir('/tmp/x')",
        "import os; os.utime('/tmp')",
        "import os; os.symlink('/', '/tmp/x'); os.unlink('/tmp/x')",
        "import os; os.close(os.open('/tmp', os.O_TMPFILE | os.O_RDWR))",
    ] {
        let use_and_tell = python(&format!("{used}\n{when}"));
        let tell = python(when);
        with_sandbox(async |sandbox| {
            let mut slot = sandbox.acquire().await;
            let mut times = Vec::new();
            for asked in [&tell, &tell, &use_and_tell, &tell] {
                let outcome = slot.run(asked.program()).await.expect("runs");
                assert_eq!(outcome.status, Status::Exited(0), "{used}");
                times.push(text(&outcome));
            }
            assert_eq!(times[0], times[1], "what nobody has used stays");
            assert!(times[2] < times[3], "{used}: {times:?}");
        });
    }
}

#[test]
fn a_prepared_tree_is_the_one_that_was_asked_for() {
    let tell = "import os; print(os.path.exists('/app/name') and open('/app/name').read())";
    let named = |content| InputFile {
        name: "name",
        mode: 0o644,
        content: Content::Bytes(content),
    };
    with_sandbox(async |sandbox| {
        let one = sandbox.artefact(&[named(b"one")]).await.expect("written");
        let two = sandbox.artefact(&[named(b"two")]).await.expect("written");
        let mut slot = sandbox.acquire().await;
        let mut seen = Vec::new();
        for artefact in [Some(&one), Some(&one), Some(&two), None, Some(&one), None] {
            let asked = python(tell).change(|p| p.artefact = artefact);
            let outcome = slot.run(asked.program()).await.expect("runs");
            seen.push(text(&outcome).trim().to_owned());
        }
        assert_eq!(seen, ["one", "one", "two", "False", "one", "False"]);
    });
}

#[test]
fn a_compiler_tree_is_not_the_programs_tree() {
    with_sandbox(async |sandbox| {
        let mut slot = sandbox.acquire().await;
        let plant = python("import os; os.symlink('/etc/passwd', 'run'); open('evil', 'w').write('x'); os.chmod('.', 0o777)")
            .change(|p| p.profile = Profile::Compile);
        let list = python("import os; print(os.listdir('/box'), oct(os.stat('/box').st_mode))")
            .file("run", b"x");
        slot.run(plant.program()).await.expect("runs");
        let outcome = slot.run(list.program()).await.expect("runs");
        assert_eq!(text(&outcome), "['run'] 0o40755\n");
    });
}

#[test]
fn shared_memory_and_queues_do_not_stay() {
    let make = "import ctypes; libc = ctypes.CDLL(None); assert libc.shmget(77, 4096, 0o1666) >= 0 and libc.semget(77, 1, 0o1666) >= 0 and libc.msgget(77, 0o1666) >= 0\n\
        from _posixshmem import shm_open; import os; shm_open('/left', os.O_CREAT | os.O_RDWR, mode=0o600)\n\
        libc.syscall(240, b'left', os.O_CREAT | os.O_RDWR, 0o600, None)";
    let find = "import ctypes, os; libc = ctypes.CDLL(None); print(libc.shmget(77, 0, 0), libc.semget(77, 0, 0), libc.msgget(77, 0), libc.syscall(240, b'left', os.O_RDWR, 0, None), os.path.exists('/dev/shm/left'))";
    with_sandbox(async |sandbox| {
        assert_eq!(
            one_after_the_other(sandbox, make, find, Profile::Run).await,
            "-1 -1 -1 -1 False\n"
        );
    });
}

#[test]
fn abstract_sockets_do_not_stay_and_are_not_shared_between_slots() {
    let bind = "import socket, os, time\ns = socket.socket(socket.AF_UNIX); s.bind('\\0left'); s.listen()\nif os.fork() == 0: time.sleep(60)";
    let connect = "import socket\ntry: socket.socket(socket.AF_UNIX).connect('\\0left'); print('met')\nexcept OSError: print('alone')";
    with_sandbox(async |sandbox| {
        assert_eq!(
            one_after_the_other(sandbox, bind, connect, Profile::Run).await,
            "alone\n"
        );
        // At the same time: the first waits until it has been alone for a while, the second tries all the while.
        let listen = python(
            "import socket\ns = socket.socket(socket.AF_UNIX); s.bind('\\0left'); s.listen(); s.settimeout(1)\ntry: s.accept(); print('met')\nexcept TimeoutError: print('alone')",
        );
        let dial = python(
            "import socket, time\nend = time.time() + 0.9\nmet = False\nwhile time.time() < end and not met:\n    try: socket.socket(socket.AF_UNIX).connect('\\0left'); met = True\n    except OSError: time.sleep(0.02)\nprint('met' if met else 'alone')",
        );
        let (first, second) = both(sandbox, &listen, &dial).await;
        assert_eq!(
            (text(&first).as_str(), text(&second).as_str()),
            ("alone\n", "alone\n")
        );
    });
}

#[test]
fn processes_of_the_run_before_are_gone() {
    let spawn =
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True: time.sleep(1)";
    let list = "import os; print([p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()])";
    with_sandbox(async |sandbox| {
        assert_eq!(
            one_after_the_other(sandbox, spawn, list, Profile::Run).await,
            "[]\n"
        );
    });
}

#[test]
fn a_deep_tree_and_many_files_are_wiped() {
    let code = "import os\n\
        for i in range(2000): open(f'/tmp/f{i}', 'w').close()\n\
        for _ in range(1500):\n\
        \x20   os.mkdir('d' * 200); os.chdir('d' * 200)\n\
        open('leaf', 'w').write('x')\n\
        os.chmod('.', 0)";
    with_sandbox(async |sandbox| {
        let list = "import os; print(os.listdir('/box'), os.listdir('/tmp'))";
        assert_eq!(
            one_after_the_other(sandbox, code, list, Profile::Compile).await,
            "[] []\n"
        );
    });
}

#[test]
fn counters_start_at_zero_for_every_run() {
    with_sandbox(async |sandbox| {
        let mut slot = sandbox.acquire().await;
        let heavy = python("x = b'x' * (100 << 20)\nfor _ in range(3000000): pass");
        let light = ask(&["/bin/true"]);
        let first = slot.run(heavy.program()).await.expect("runs");
        let second = slot.run(light.program()).await.expect("runs");
        assert!(
            first.memory_bytes > 100 << 20 && second.memory_bytes < 16 << 20,
            "{} {}",
            first.memory_bytes,
            second.memory_bytes
        );
        assert!(second.cpu < first.cpu, "{:?} {:?}", first.cpu, second.cpu);
    });
}

#[test]
fn nothing_is_collected_from_the_run_before() {
    with_sandbox(async |sandbox| {
        let mut slot = sandbox.acquire().await;
        let collect = |p: &mut sandbox::Program<'_>| {
            p.profile = Profile::Compile;
            p.collect = Collect::All;
        };
        let (write, nothing) = (
            python("open('left', 'w').write('x')").change(collect),
            ask(&["/bin/true"]).change(collect),
        );
        let first = slot.run(write.program()).await.expect("runs");
        let second = slot.run(nothing.program()).await.expect("runs");
        assert_eq!((first.files.len(), second.files.len()), (1, 0));
    });
}
