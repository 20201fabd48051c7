//! A server as a process: starting it so that it cannot outlive its owner, finding what an earlier owner left, ending it.
//!
//! Processes are held by pidfd, so a signal can never hit a stranger that got a reused pid.

use std::{
    fs::{self, File},
    io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use tokio::{sync::oneshot, time};

use crate::{
    DevkitError,
    folder::{Folder, tail},
};

/// Where the server finds its own folder, whatever stands above that: see [`Launch`].
pub(crate) const HOME: &str = "/proc/self/fd/9";
/// Where the server finds the folder of [`Launch::library`].
pub(crate) const LIBRARY: &str = "/proc/self/fd/8";

/// When a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// With the process that started it, however that one ends.
    Owner,
    /// When somebody ends it: it is shared by test programs that come and go.
    Detached,
}

/// How a server, or a command that prepares one, is started.
///
/// The shell opens the folders while it is still us, and the server reaches them as descriptors: so it needs no right to pass
/// the folders above, which in root's home it does not have.
pub(crate) struct Launch<'a> {
    pub(crate) folder: &'a Folder,
    /// What [`HOME`] is; `folder` or something in it.
    pub(crate) home: &'a Path,
    /// A second folder, to read from.
    pub(crate) library: Option<&'a Path>,
    /// The only variable that the server gets.
    pub(crate) path: &'a str,
}

impl Launch<'_> {
    /// The command, to which the caller adds the program and its arguments. `farewell` is what it gets when its owner dies.
    pub(crate) fn command(&self, farewell: Option<&str>) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", r#"exec 8<"$1" 9<"$2"; shift 2; exec "$@""#, "sh"])
            .arg(self.library.unwrap_or(Path::new("/")))
            .arg(self.home)
            .args(["setpriv", "--no-new-privs"]);
        if let Some(owner) = self.folder.owner {
            command.args([
                "--reuid",
                &owner.uid.to_string(),
                "--regid",
                &owner.gid.to_string(),
                "--clear-groups",
            ]);
        }
        if let Some(signal) = farewell {
            command.args(["--pdeathsig", signal]);
        }
        command
            .arg("--")
            .env_clear()
            .env("PATH", self.path)
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            // Ctrl-C in the terminal is for the owner, which ends its servers last.
            .process_group(0);
        command
    }
}

/// A process that can be watched and signalled for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    fd: OwnedFd,
}

impl Process {
    /// Starts `command` with its output in `log`.
    ///
    /// Linux tells a child of its parent *thread's* death, so the thread that starts it stays until it has ended.
    pub(crate) async fn spawn(mut command: Command, log: File) -> Result<Self, DevkitError> {
        let (tell, told) = oneshot::channel();
        let keeper = move || {
            let started = log
                .try_clone()
                .and_then(|copy| command.stdout(copy).stderr(log).spawn());
            let mut child = match started {
                Ok(child) => child,
                Err(error) => {
                    tell.send(Err(error)).ok();
                    return;
                }
            };
            let process = Self::open(Pid::from_child(&child));
            let kept = tell.send(process.map_err(io::Error::from)).is_ok();
            if !kept {
                // Nobody waits for it any more.
                child.kill().ok();
            }
            if let Err(error) = child.wait() {
                tracing::warn!(%error, "cannot wait for a server's end");
            }
        };
        let failed = |error| DevkitError::io("start", "/bin/sh")(error);
        thread::Builder::new()
            .name("devkit-keeper".to_owned())
            .spawn(keeper)
            .map_err(failed)?;
        told.await
            .map_err(|_| failed(io::Error::other("the starting thread has gone")))?
            .map_err(failed)
    }

    /// All processes of `program` whose working folder is `folder`: the mark of a server of ours, which no stranger has by accident.
    pub(crate) fn find(folder: &Path, program: &str) -> Result<Vec<Self>, DevkitError> {
        let entries = fs::read_dir("/proc").map_err(DevkitError::io("read", "/proc"))?;
        Ok(entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Pid::from_raw)
            .filter_map(|pid| {
                // Opened before it is looked at: what is then seen is of this very process.
                let process = is_ours(pid, folder, program).then(|| Self::open(pid).ok())??;
                is_ours(pid, folder, program).then_some(process)
            })
            .collect())
    }

    /// The process that was [recorded](Self::record) in `file`, unless it has ended.
    ///
    /// [`find`](Self::find) misses one that is dying: its working folder goes first, its ports and locks last.
    pub(crate) fn recorded(file: &Path) -> Option<Self> {
        let record = fs::read_to_string(file).ok()?;
        let (pid, start) = record.split_once(' ')?;
        let process = Self::open(Pid::from_raw(pid.parse().ok()?)?).ok()?;
        // Started at the same tick of the same boot: not a stranger with a reused pid.
        (process.start().ok()? == start).then_some(process)
    }

    /// Writes down which process this is, for whoever comes after its owner.
    pub(crate) fn record(&self, file: &Path) -> Result<(), DevkitError> {
        let start = self.start().map_err(DevkitError::io("inspect", "/proc"))?;
        fs::write(file, format!("{} {start}", self.pid())).map_err(DevkitError::io("write", file))
    }

    /// When it was started: in which boot, and how many ticks after that.
    fn start(&self) -> io::Result<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let status = fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        // The program's name stands in parentheses and may hold anything; the ticks are the twentieth field after it.
        let after_name = status.rsplit_once(") ").map_or("", |(_, fields)| fields);
        match after_name.split(' ').nth(19) {
            Some(ticks) => Ok(format!("{} {ticks}", boot.trim_end())),
            None => Err(io::Error::other("not a process status")),
        }
    }

    fn open(pid: Pid) -> rustix::io::Result<Self> {
        Ok(Self {
            pid,
            fd: pidfd_open(pid, PidfdFlags::empty())?,
        })
    }

    /// Its number, for people and for tests.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal; a process that has ended does not mind.
    pub(crate) fn signal(&self, signal: Signal) {
        match pidfd_send_signal(&self.fd, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => tracing::warn!(pid = self.pid(), %error, "cannot signal a server"),
        }
    }

    /// Returns when it has ended. Waits on a thread of its own, which ends soon after nobody waits any more.
    pub(crate) async fn ended(&self) -> Result<(), DevkitError> {
        let failed = |error| DevkitError::io("watch", format!("/proc/{}", self.pid()))(error);
        let fd = self.fd.try_clone().map_err(failed)?;
        let (tell, told) = oneshot::channel::<rustix::io::Result<()>>();
        let watch = move || {
            let a_while = Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            };
            while !tell.is_closed() {
                match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&a_while)) {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(_) => {
                        tell.send(Ok(())).ok();
                        return;
                    }
                    Err(error) => {
                        tell.send(Err(error)).ok();
                        return;
                    }
                }
            }
        };
        thread::Builder::new()
            .name("devkit-watch".to_owned())
            .spawn(watch)
            .map_err(failed)?;
        told.await
            .map_err(|_| failed(io::Error::other("the watching thread has gone")))?
            .map_err(|error| failed(error.into()))
    }
}

/// Asks each to end, waits, and kills what has not: none is left when this returns.
pub(crate) async fn end<'a>(
    processes: impl IntoIterator<Item = &'a Process>,
    gently: Signal,
    patience: Duration,
) -> Result<(), DevkitError> {
    let processes: Vec<&Process> = processes.into_iter().collect();
    for process in &processes {
        process.signal(gently);
        // A frozen process would not hear it.
        process.signal(Signal::CONT);
    }
    let all = async {
        for process in &processes {
            process.ended().await?;
        }
        Ok(())
    };
    if let Ok(ended) = time::timeout(patience, all).await {
        return ended;
    }
    for process in &processes {
        process.signal(Signal::KILL);
    }
    for process in &processes {
        process.ended().await?;
    }
    Ok(())
}

/// Runs a command that prepares something to its end; what it printed explains a failure.
pub(crate) async fn run(what: &'static str, command: Command) -> Result<(), DevkitError> {
    let output = output(command).await?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(DevkitError::Command {
        what,
        output: tail(&printed),
    })
}

/// Runs a command to its end, on a thread of its own for as long as that takes: see [`Process::spawn`].
pub(crate) async fn output(mut command: Command) -> Result<Output, DevkitError> {
    let program = command.get_program().to_os_string();
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap_or_else(|error| Err(error.into()))
        .map_err(DevkitError::io("start", program))
}

fn is_ours(pid: Pid, folder: &Path, program: &str) -> bool {
    let proc = format!("/proc/{}", pid.as_raw_nonzero());
    // A zombie has no working folder, so it is not found either.
    fs::read_link(format!("{proc}/cwd")).is_ok_and(|cwd| cwd == folder)
        && fs::read_to_string(format!("{proc}/comm")).is_ok_and(|name| name.trim_end() == program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_one_process_only() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("pid");
        let own = Pid::from_raw(std::process::id().cast_signed()).expect("a pid");
        Process::open(own)
            .expect("it is this one")
            .record(&file)
            .expect("it is written");
        let found = Process::recorded(&file).expect("this process is alive");
        assert_eq!(found.pid(), std::process::id());

        let other_time = fs::read_to_string(&file).expect("it was written") + "0";
        fs::write(&file, other_time).expect("it is written");
        assert!(
            Process::recorded(&file).is_none(),
            "a reused pid is a stranger's"
        );
    }
}
