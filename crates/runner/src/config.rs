//! How a runner is configured. `--help` is the reference; nothing else reads the environment.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use service::config::{ListenConfig, TrustedKeysConfig};

/// What a runner needs to know.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where it listens
    #[command(flatten)]
    pub listen: ListenConfig,
    /// The keys of the others; the runner has none of its own
    #[command(flatten)]
    pub trusted: TrustedKeysConfig,
    /// Folder for compiled programs, blobs and prepared headers; it can be emptied at any time while nothing runs
    #[arg(
        long,
        env = "CODEMENTOR_RUNNER_DIR",
        value_name = "DIR",
        default_value = "/var/lib/codementor/runner"
    )]
    pub work_dir: PathBuf,
    /// Programs that run at the same time; interactive questions need two [default: number of processors, at least two]
    #[arg(long, env = "CODEMENTOR_RUNNER_SLOTS")]
    pub slots: Option<NonZeroUsize>,
    /// Judgements taken at the same time; more are answered 503 [default: twice the slots]
    #[arg(long, env = "CODEMENTOR_RUNNER_JOBS")]
    pub jobs: Option<NonZeroUsize>,
    /// Name of this runner's directory in the cgroup hierarchies
    #[arg(long, env = "CODEMENTOR_CGROUP_NAME", default_value = "codementor")]
    pub cgroup_name: String,
    /// Start even where no cgroups can be used; limits are then weak, so never do this for learners' programs
    #[arg(long, env = "CODEMENTOR_ALLOW_DEGRADED")]
    pub allow_degraded: bool,
    /// Give every learner's program namespaces for processes and mounts of its own, as compilers always have them: a third of a
    /// millisecond more a test, and nothing of a slot's history to see, not even how many programs ran in it
    #[arg(long, env = "CODEMENTOR_STRICT")]
    pub strict: bool,
    /// Compiled programs kept
    #[arg(long, env = "CODEMENTOR_COMPILE_CACHE", default_value_t = 500)]
    pub compile_cache: usize,
    /// Mebibytes of compiled programs kept
    #[arg(long, env = "CODEMENTOR_COMPILE_CACHE_MIB", default_value_t = 512)]
    pub compile_cache_mib: u64,
    /// Mebibytes of tests' inputs and outputs kept
    #[arg(long, env = "CODEMENTOR_BLOB_CACHE_MIB", default_value_t = 1024)]
    pub blob_cache_mib: u64,
    /// The JDK for Java [default: the one behind javac]
    #[arg(long, env = "CODEMENTOR_JAVA_HOME", value_name = "DIR")]
    pub java_home: Option<PathBuf>,
    /// Where `scripts/toolchains.sh` put TypeScript, Go, Rust and Kotlin [default: `toolchains` in CodeMentor's cache
    /// folder, else /usr/local/lib/codementor/toolchains]
    #[arg(long, env = "CODEMENTOR_TOOLCHAINS", value_name = "DIR")]
    pub toolchains: Option<PathBuf>,
    /// `CodeMentor`'s cache folder
    #[arg(long, env = "CODEMENTOR_CACHE", hide = true)]
    pub cache: Option<PathBuf>,
    /// The user's cache folder
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    pub xdg_cache_home: Option<PathBuf>,
    /// The user's home
    #[arg(long, env = "HOME", hide = true)]
    pub home: Option<PathBuf>,
    /// The binary that becomes the slots' init; `None` for this process's own, which must call
    /// [`sandbox::init_if_requested`] first. Only tests need another.
    #[arg(skip)]
    pub init_exe: Option<PathBuf>,
}

impl Config {
    /// Programs that run at the same time.
    pub(crate) fn slots(&self) -> usize {
        let processors = std::thread::available_parallelism();
        let default = processors.map_or(2, |count| count.get().max(2));
        self.slots.map_or(default, NonZeroUsize::get)
    }

    /// Where toolchains may lie.
    pub(crate) fn toolchains(&self) -> Vec<PathBuf> {
        if let Some(folder) = &self.toolchains {
            return vec![folder.clone()];
        }
        let non_empty = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        non_empty(&self.cache)
            .or_else(|| non_empty(&self.xdg_cache_home).map(|path| path.join("codementor")))
            .or_else(|| non_empty(&self.home).map(|path| path.join(".cache/codementor")))
            .map(|cache| cache.join("toolchains"))
            .into_iter()
            .chain([PathBuf::from("/usr/local/lib/codementor/toolchains")])
            .collect()
    }

    /// Judgements taken at the same time.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs.map_or(2 * self.slots(), NonZeroUsize::get)
    }
}
