//! Attempts to get out, or to harm what is outside. Each must fail for the program and leave the slot whole.

use std::time::Duration;

use sandbox::{LimitKind, Outcome, Status};

use crate::support::{both, python, text, with_sandbox};

/// Runs Python that prints every attempt that worked.
fn attempts(code: &str) -> Outcome {
    let prelude = "import ctypes, os, signal, socket, sys, time\n\
        libc = ctypes.CDLL(None, use_errno=True)\n\
        def attempt(name, action):\n\
        \x20   try: result = action()\n\
        \x20   except (OSError, ValueError): return\n\
        \x20   if result is not False: print(name, result)\n\
        def call(*arguments):\n\
        \x20   result = libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])\n\
        \x20   return False if result < 0 else result\n";
    python(&format!("{prelude}{code}")).run()
}

/// None of the attempts may work, and the slot must work afterwards.
fn nothing_works(code: &str) {
    let outcome = attempts(code);
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(0), ""),
        "{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    assert_eq!(python("print(1)").run().status, Status::Exited(0));
}

#[test]
fn an_attempt_that_works_would_be_seen() {
    let said = attempts(
        "attempt('python', lambda: os.getcwd())\n\
        attempt('raw', lambda: call(63, ctypes.create_string_buffer(1024)))\n\
        attempt('file', lambda: open('/tmp/x', 'a').fileno() > 0)\n\
        attempt('refused', lambda: open('/x', 'a'))",
    );
    assert_eq!(text(&said), "python /box\nraw 0\nfile True\n");
}

#[test]
fn connecting_anywhere() {
    nothing_works(
        "for where in [('1.1.1.1', 53), ('127.0.0.1', 22), ('169.254.169.254', 80), ('10.0.0.1', 80)]:\n\
        \x20   attempt(where, lambda: socket.create_connection(where, 1))\n\
        attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53)))\n\
        attempt('six', lambda: socket.create_connection(('::1', 80), 1))\n\
        attempt('raw', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))\n\
        attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))\n\
        attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))\n\
        attempt('alg', lambda: socket.socket(38, 5))",
    );
}

#[test]
fn holding_up_whoever_executes_a_file() {
    nothing_works(
        "import fcntl\n\
        open('/tmp/x', 'w').close()\n\
        for command in (1024, 1040):\n\
        \x20   for kind in (0, 1, 2):\n\
        \x20       attempt((command, kind), lambda: fcntl.fcntl(os.open('/tmp/x', os.O_RDONLY), command, kind) or True)",
    );
}

/// Kernels before 6.7 let it listen; nobody is there to hear.
#[test]
fn being_connected_to() {
    if with_sandbox(async |sandbox| sandbox.report().features.landlock_abi) >= 4 {
        nothing_works("attempt('listen', lambda: socket.create_server(('0.0.0.0', 8080)))");
    }
    let listen = python(
        "import socket\ntry:\n    s = socket.create_server(('127.0.0.1', 8080)); s.settimeout(1); s.accept(); print('met')\nexcept OSError: print('alone')",
    );
    let dial = python(
        "import socket, time\nend = time.time() + 0.9\nmet = False\nwhile time.time() < end and not met:\n    try: socket.create_connection(('127.0.0.1', 8080), 1); met = True\n    except OSError: time.sleep(0.02)\nprint('met' if met else 'alone')",
    );
    with_sandbox(async |sandbox| {
        let (first, second) = both(sandbox, &listen, &dial).await;
        assert_eq!(
            (text(&first).as_str(), text(&second).as_str()),
            ("alone\n", "alone\n")
        );
    });
}

#[test]
fn writing_outside_its_scratch() {
    nothing_works(
        "for path in ['/x', '/usr/x', '/etc/passwd', '/box/x', '/app/x', '/dev/x', '/proc/x', '/var/x', '/lib/x', '/.store/x']:\n\
        \x20   attempt(path, lambda: open(path, 'a'))\n\
        attempt('mkdir', lambda: os.mkdir('/box/d'))\n\
        attempt('rename', lambda: os.rename('/etc/passwd', '/etc/p'))\n\
        attempt('remove', lambda: os.remove('/usr/bin/env'))\n\
        attempt('chmod', lambda: os.chmod('/box', 0o777))\n\
        attempt('device', lambda: os.mknod('/tmp/sda', 0o60666, os.makedev(8, 0)))",
    );
}

#[test]
fn finding_the_host() {
    nothing_works(
        "for path in ['/root', '/home', '/etc/shadow', '/sys/fs/cgroup', '/work', '/.store', '/.store/trees', '/run', '/boot', '/var/lib']:\n\
        \x20   attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read() and None)\n\
        for path in ['kcore', 'keys', 'kmsg', 'kallsyms', 'timer_list', 'sysrq-trigger']:\n\
        \x20   attempt(path, lambda: open('/proc/' + path).read(1) or False)\n\
        attempt('core_pattern', lambda: open('/proc/sys/kernel/core_pattern', 'w'))",
    );
}

#[test]
fn escaping_through_proc() {
    nothing_works(
        "attempt('processes', lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()] or False)\n\
        for name in ['root', 'cwd', 'exe', 'mem', 'environ', 'fd', 'maps', 'ns/mnt']:\n\
        \x20   attempt(name, lambda: os.open('/proc/1/' + name, os.O_RDONLY))\n\
        attempt('own root leads out', lambda: os.listdir('/proc/self/root/root'))\n\
        attempt('dots lead out', lambda: os.listdir('/../../../../root'))\n\
        attempt('adjust', lambda: open('/proc/self/oom_score_adj', 'w').write('-1000'))\n\
        attempt('uid map', lambda: open('/proc/self/uid_map', 'w').write('0 0 1'))",
    );
}

#[test]
fn leaving_the_root() {
    nothing_works(
        "attempt('chroot', lambda: os.chroot('/tmp'))\n\
        attempt('mount', lambda: call(165, b'none', b'/tmp', b'tmpfs', 0, 0))\n\
        attempt('umount', lambda: call(166, b'/tmp', 2))\n\
        attempt('pivot', lambda: call(155, b'/tmp', b'/tmp'))\n\
        attempt('fsopen', lambda: call(430, b'tmpfs', 0))\n\
        attempt('open_tree', lambda: call(428, -100, b'/', 1))\n\
        attempt('handle', lambda: call(304, 0, 0, 0))",
    );
}

#[test]
fn new_namespaces() {
    nothing_works(
        "for flag in [0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000]:\n\
        \x20   attempt(hex(flag), lambda: call(272, flag))\n\
        \x20   attempt('clone ' + hex(flag), lambda: call(56, flag | 17, 0, 0, 0, 0))\n\
        attempt('setns', lambda: call(308, 0, 0))\n\
        attempt('clone3', lambda: call(435, 0, 0))",
    );
}

#[test]
fn rights_from_elsewhere() {
    nothing_works(
        "attempt('setuid', lambda: os.setuid(0))\n\
        attempt('setgid', lambda: os.setgid(0))\n\
        attempt('groups', lambda: os.getgroups() or False)\n\
        attempt('root', lambda: os.getuid() == 0 or os.geteuid() == 0)\n\
        attempt('capabilities', lambda: [l for l in open('/proc/self/status') if l[:3] == 'Cap' and int(l.split()[1], 16)] or False)\n\
        attempt('new privileges', lambda: 'NoNewPrivs:\\t1' not in open('/proc/self/status').read())\n\
        attempt('unfiltered', lambda: 'Seccomp:\\t2' not in open('/proc/self/status').read())\n\
        attempt('limits', lambda: __import__('resource').setrlimit(4, (1 << 20, 1 << 20)))\n\
        attempt('nice', lambda: os.nice(-5) < 0)",
    );
}

#[test]
fn looking_into_other_processes() {
    nothing_works(
        "child = os.fork()\n\
        if child == 0: time.sleep(30)\n\
        attempt('ptrace', lambda: call(101, 16, child, 0, 0))\n\
        attempt('traceme', lambda: call(101, 0, 0, 0, 0))\n\
        attempt('process_vm_readv', lambda: call(310, child, 0, 0, 0, 0, 0))\n\
        attempt('kcmp', lambda: call(312, child, child, 0, 0, 0))\n\
        attempt('pidfd_getfd', lambda: call(438, os.pidfd_open(child), 0, 0))",
    );
}

#[test]
fn kernel_interfaces_without_a_use() {
    nothing_works(
        "calls = dict(bpf=321, userfaultfd=323, perf=298, io_uring_setup=425, io_uring_enter=426, keyctl=250, add_key=248, request_key=249,\n\
        \x20   kexec=246, init_module=175, reboot=169, swapon=167, syslog=103, acct=163, modify_ldt=154, iopl=172, fanotify=300, quotactl=179,\n\
        \x20   settimeofday=164, clock_settime=227, sethostname=170, open_by_handle_at=304, syncfs=306)\n\
        for name, number in calls.items(): attempt(name, lambda: call(number, 1, 1, 1, 1, 1))",
    );
}

#[test]
fn the_other_numbers_of_the_same_calls_kill() {
    // getpid by its x32 number.
    let outcome =
        python("import ctypes; print(ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39)))")
            .run();
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Signaled(libc::SIGSYS), "")
    );
}

#[test]
fn the_32_bit_gate_kills() {
    // mov eax, 20 (getpid); int 0x80; ret
    let code = "import ctypes, mmap\n\
        page = mmap.mmap(-1, 4096, prot=7)\n\
        page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')\n\
        print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())";
    let outcome = python(code).run();
    assert!(
        matches!(
            outcome.status,
            Status::Signaled(libc::SIGSYS | libc::SIGSEGV)
        ),
        "{outcome:?}"
    );
    assert_eq!(text(&outcome), "");
}

#[test]
fn killing_everything_kills_only_itself() {
    let outcome = python("import os, signal; os.kill(-1, signal.SIGKILL); print('alone')").run();
    // POSIX: kill(-1) leaves out the caller; nobody else was there.
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(1), ""),
        "{outcome:?}"
    );
    assert_eq!(python("print(1)").run().status, Status::Exited(0));
}

#[test]
fn signalling_init() {
    nothing_works("for number in [9, 15, 2, 19, 11]: attempt(number, lambda: os.kill(1, number))");
}

#[test]
fn a_daemon_does_not_survive() {
    let code = "import os, time\n\
        if os.fork() == 0:\n\
        \x20   os.setsid()\n\
        \x20   if os.fork() == 0:\n\
        \x20       for fd in range(3): os.close(fd)\n\
        \x20       while True: time.sleep(1)\n\
        \x20   os._exit(0)\n\
        print('parent')";
    let outcome = python(code).run();
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(0), "parent\n")
    );
    assert!(outcome.wall < Duration::from_secs(5));
}

#[test]
fn a_child_that_holds_the_output_does_not_hold_the_run() {
    let outcome = python("import os, time\nif os.fork() == 0: time.sleep(60)\nprint('done')").run();
    assert_eq!(text(&outcome), "done\n");
    assert!(outcome.wall < Duration::from_secs(5));
}

#[test]
fn an_output_hidden_in_a_socket_cycle_does_not_hold_the_run() {
    let code = "import socket\n\
        a, b = socket.socketpair()\n\
        socket.send_fds(a, [b'x'], [1, a.fileno(), b.fileno()])\n\
        socket.send_fds(b, [b'x'], [1, a.fileno(), b.fileno()])\n\
        print('hidden')";
    let started = std::time::Instant::now();
    let outcome = python(code).run();
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(0), "hidden\n")
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn fork_bombs_with_new_sessions_are_bounded() {
    let code = "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass";
    let outcome = python(code)
        .limits(|l| {
            l.processes = 32;
            l.cpu = Duration::from_millis(300);
        })
        .run();
    assert_eq!(outcome.status, Status::LimitHit(LimitKind::Cpu));
}

#[test]
fn descriptors_of_the_service_are_not_inherited() {
    let outcome =
        python("import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd')))").run();
    // The fourth is the directory being listed.
    assert_eq!(text(&outcome).trim(), "[0, 1, 2, 3]");
}

#[test]
fn no_core_is_written() {
    let outcome =
        python("import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE)); os.abort()")
            .run();
    assert_eq!(outcome.status, Status::Signaled(libc::SIGABRT));
}

#[test]
fn input_memory_cannot_be_changed_for_others() {
    let sealed = sandbox::sealed_file(b"original").expect("memory for a line");
    let code = "import os\n\
        for how in (os.O_WRONLY, os.O_RDWR):\n\
        \x20   try: os.pwrite(os.open('/proc/self/fd/0', how), b'changed', 0); print('written')\n\
        \x20   except OSError: pass\n\
        try: os.ftruncate(0, 0); print('cut')\n\
        except OSError: pass";
    let outcome = python(code)
        .change(|p| p.stdin = sandbox::Stdin::File(&sealed))
        .run();
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(0), ""),
        "{outcome:?}"
    );
    let cat = crate::support::ask(&["/bin/cat"])
        .change(|p| p.stdin = sandbox::Stdin::File(&sealed))
        .run();
    assert_eq!(text(&cat), "original");
}

#[test]
fn the_host_name_and_users_tell_nothing() {
    let outcome = python("import os, pwd; print(os.uname().nodename, pwd.getpwuid(os.getuid()).pw_name, len(pwd.getpwall()))").run();
    assert_eq!(text(&outcome), "sandbox coder 1\n", "{outcome:?}");
}
