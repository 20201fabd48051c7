//! Signals by name. People know `SIGSEGV`, not 11.

/// The name, or `signal N` for one without.
pub(crate) fn name(number: i32) -> String {
    // Numbers of Linux on x86-64 and arm64, from signal(7).
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|number| NAMES.get(number.checked_sub(1)?))
        .map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn knows_signals_by_name() {
        for (number, expected) in [(6, "SIGABRT"), (11, "SIGSEGV"), (31, "SIGSYS")] {
            assert_eq!(name(number), expected);
        }
        assert_eq!(name(0), "signal 0");
        assert_eq!(name(40), "signal 40");
    }
}
