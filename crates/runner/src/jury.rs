//! The question's own program decides: a checker after the learner's program has ended, or one that talks with it.
//!
//! ```text
//!  checker      learner ─▶ output ─▶ checker (input, answer, feedback/) ─▶ Ruling ─ nextpass.in? ─▶ learner again
//!  interactive  learner ⇄ pipes ⇄ checker ─▶ both endings, and which came first ─▶ Ruling
//! ```
//! It runs in the sandbox like everything that others wrote, under limits of its own, and whatever it does wrong is `IE`
//! with the reason: never the learner's fault, never ours. What it writes about hidden tests stays here.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use contract::manifest::{Checker, CheckerProtocol};
use contract::verdict::Verdict;
use sandbox::{
    Collect, Content, InputFile, LimitKind, Limits, Outcome, PipeEnd, Profile, Program, Slot,
    Status, Stdin, Stdout,
};

use crate::compile::{Build, Runnable};
use crate::judge::JudgeError;
use crate::signal;
use crate::text;
use crate::toolchain::{Toolchain, environment};
use crate::verdict::Allowance;

/// Processor time of a checker; a talking one gets the learner's besides.
const CPU: Duration = Duration::from_secs(10);
/// Time on the clock, likewise.
const WALL: Duration = Duration::from_secs(30);
const MEMORY_KIB: u64 = 1 << 20;
const OUTPUT_KIB: u64 = 8 << 10;
const FILE_BYTES: u64 = 64 << 20;
/// What is read of its feedback, where it has no second pass to feed.
const FEEDBACK: [&str; 5] = [
    "feedback/score.txt",
    "feedback/score_multiplier.txt",
    "feedback/teammessage.txt",
    "feedback/judgemessage.txt",
    "feedback/nextpass.in",
];
/// A message of the checker that is shown or logged.
const MESSAGE_BYTES: usize = 4 << 10;

/// A compiled checker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jury<'a> {
    pub(crate) toolchain: &'a Toolchain,
    pub(crate) program: &'a Runnable,
    pub(crate) protocol: CheckerProtocol,
    /// For every test.
    pub(crate) args: &'a [String],
    pub(crate) interactive: bool,
    pub(crate) passes: u32,
}

/// What a checker said of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling {
    pub(crate) verdict: Verdict,
    pub(crate) score: Option<Score>,
    /// For the learner, of samples.
    pub(crate) message: Option<String>,
    /// Of `IE`: for the teacher.
    pub(crate) reason: Option<String>,
    /// The next pass's input, and all that the checker left for itself.
    pub(crate) next: Option<(Vec<u8>, Feedback)>,
}

/// Files of the feedback directory.
pub(crate) type Feedback = Vec<(String, Vec<u8>)>;

/// Points that a checker gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Score {
    /// So many.
    Points(f64),
    /// This share of the test's.
    Share(f64),
}

impl Ruling {
    fn failed(reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::of(Verdict::InternalError)
        }
    }

    pub(crate) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            score: None,
            message: None,
            reason: None,
            next: None,
        }
    }
}

/// What a checker is shown of one pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) input: Content<'a>,
    pub(crate) answer: &'a File,
    /// For this test.
    pub(crate) args: &'a [String],
    /// Of earlier passes.
    pub(crate) feedback: &'a [(String, Vec<u8>)],
}

impl<'a> Jury<'a> {
    /// The jury of a question, its program compiled.
    pub(crate) fn new(
        checker: &'a Checker,
        toolchain: &'a Toolchain,
        build: &'a Arc<Build>,
    ) -> Option<Self> {
        let Checker::Program {
            protocol,
            args,
            interactive,
            passes,
            ..
        } = checker
        else {
            return None;
        };
        Some(Self {
            toolchain,
            program: build.program.as_ref()?,
            protocol: *protocol,
            args,
            interactive: *interactive,
            passes: *passes,
        })
    }

    /// Rules on an output.
    pub(crate) async fn rule(
        &self,
        slot: &mut Slot,
        case: &Case<'_>,
        output: &[u8],
    ) -> Result<Ruling, JudgeError> {
        let stdin = match self.protocol {
            CheckerProtocol::Kattis => Stdin::Bytes(output),
            CheckerProtocol::Testlib => Stdin::Empty,
        };
        let outcome = self
            .run(slot, case, output, (stdin, Stdout::Capture), Duration::ZERO)
            .await?;
        Ok(self.ruling(&outcome))
    }

    /// Talks with a program for at most so long.
    pub(crate) async fn talk(
        &self,
        slot: &mut Slot,
        case: &Case<'_>,
        (hears, says): (&PipeEnd, &PipeEnd),
        allowance: &Allowance,
    ) -> Result<Outcome, JudgeError> {
        let ends = (Stdin::Pipe(hears), Stdout::Pipe(says));
        self.run(slot, case, &[], ends, allowance.wall).await
    }

    async fn run(
        &self,
        slot: &mut Slot,
        case: &Case<'_>,
        output: &[u8],
        (stdin, stdout): (Stdin<'_>, Stdout<'_>),
        longer: Duration,
    ) -> Result<Outcome, JudgeError> {
        let file = |name, content| InputFile {
            name,
            mode: 0o644,
            content,
        };
        let mut files = vec![
            file("input", case.input),
            file("answer", Content::File(case.answer)),
        ];
        let allowance = Allowance {
            cpu: CPU + longer,
            wall: WALL + longer,
            memory_kib: MEMORY_KIB,
            output_kib: OUTPUT_KIB,
            processes: self.toolchain.spec.processes,
        };
        let mut argv =
            (self.toolchain.spec.run)(&self.toolchain.home, &self.program.sources, &allowance);
        match self.protocol {
            CheckerProtocol::Kattis => {
                argv.extend(["/box/input", "/box/answer", "/box/feedback/"].map(str::to_owned));
                // An empty directory cannot be handed over.
                files.push(file("feedback/.keep", Content::Bytes(b"")));
                for (name, content) in case.feedback {
                    files.push(file(name, Content::Bytes(content)));
                }
            }
            CheckerProtocol::Testlib => {
                argv.extend(["/box/input", "/box/output", "/box/answer"].map(str::to_owned));
                if !self.interactive {
                    files.push(file("output", Content::Bytes(output)));
                }
            }
        }
        argv.extend(self.args.iter().chain(case.args).cloned());
        let given: u64 = [case.input, Content::File(case.answer)]
            .iter()
            .map(size)
            .sum();
        let program = Program {
            env: &environment(),
            files: &files,
            artefact: Some(&self.program.artefact),
            stdin,
            stdout,
            // Its feedback directory is writable.
            profile: Profile::Compile,
            collect: match self.protocol {
                CheckerProtocol::Testlib => Collect::Nothing,
                CheckerProtocol::Kattis if self.passes > 1 => Collect::All,
                CheckerProtocol::Kattis => Collect::Named(&FEEDBACK),
            },
            ..Program::new(
                &argv,
                Limits {
                    cpu: allowance.cpu,
                    wall: allowance.wall,
                    memory_bytes: MEMORY_KIB << 10,
                    processes: allowance.processes,
                    output_bytes: OUTPUT_KIB << 10,
                    stderr_bytes: 64 << 10,
                    file_bytes: FILE_BYTES,
                    stack_bytes: Some(MEMORY_KIB << 9),
                    collect_bytes: FILE_BYTES + given,
                },
            )
        };
        Ok(slot.run(program).await?)
    }

    /// What the ending of a checker means.
    pub(crate) fn ruling(&self, outcome: &Outcome) -> Ruling {
        let code = match outcome.status {
            Status::Exited(code) => code,
            Status::Signaled(number) => {
                return self.wrong(outcome, &format!("crashed: {}", signal::name(number)));
            }
            Status::LimitHit(kind) => return self.wrong(outcome, stopped_for(kind)),
        };
        let ruling = match self.protocol {
            CheckerProtocol::Kattis => kattis(code, outcome, self.passes > 1),
            CheckerProtocol::Testlib => testlib(code, outcome),
        };
        ruling.unwrap_or_else(|what| self.wrong(outcome, &what))
    }

    /// The checker's fault. What it wrote may tell of a hidden test, so only the log has it.
    fn wrong(&self, outcome: &Outcome, what: &str) -> Ruling {
        let said = text::shown(&outcome.stderr, MESSAGE_BYTES);
        let language = self.toolchain.spec.id;
        tracing::warn!(%language, said, "the question's checker {what}");
        Ruling::failed(format!("the question's checker {what}"))
    }
}

fn size(content: &Content<'_>) -> u64 {
    match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::File(file) => file.metadata().map_or(0, |meta| meta.len()),
    }
}

fn stopped_for(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Cpu => "did not end within its processor time of 10 s",
        LimitKind::Wall => "did not end within 30 s",
        LimitKind::Memory => "needed more than 1 GiB of memory",
        LimitKind::Output => "wrote more than 8 MiB",
        LimitKind::FileSize => "wrote a file of more than 64 MiB",
        LimitKind::Processes => "started too many processes",
    }
}

fn kattis(code: i32, outcome: &Outcome, passes: bool) -> Result<Ruling, String> {
    let file = |name: &str| {
        let found = outcome.files.iter().find(|file| file.name == name);
        found.map(|file| file.content.as_slice())
    };
    let verdict = match code {
        42 => Verdict::Accepted,
        43 => Verdict::WrongAnswer,
        other => return Err(format!("ended with {other}, neither 42 nor 43")),
    };
    let number = |name: &str| {
        file(name)
            .map(|content| {
                number(content).ok_or_else(|| format!("wrote no number of points to {name}"))
            })
            .transpose()
    };
    let score = match (
        number("feedback/score.txt")?,
        number("feedback/score_multiplier.txt")?,
    ) {
        (Some(points), _) => Some(Score::Points(points)),
        (None, Some(share)) => Some(Score::Share(share)),
        (None, None) => None,
    };
    let next = file("feedback/nextpass.in").filter(|_| verdict == Verdict::Accepted);
    if next.is_some() && !passes {
        return Err("asks for another pass, and the question has one".to_owned());
    }
    let next = next.map(|input| {
        let kept = outcome.files.iter().filter(|file| {
            file.name.starts_with("feedback/")
                && !matches!(
                    file.name.as_str(),
                    "feedback/nextpass.in" | "feedback/.keep"
                )
        });
        let kept = kept.map(|file| (file.name.clone(), file.content.clone()));
        (input.to_vec(), kept.collect())
    });
    Ok(Ruling {
        score,
        message: file("feedback/teammessage.txt").map(|said| text::shown(said, MESSAGE_BYTES)),
        next,
        ..Ruling::of(verdict)
    })
}

fn testlib(code: i32, outcome: &Outcome) -> Result<Ruling, String> {
    let said = String::from_utf8_lossy(&outcome.stderr);
    let (verdict, score) = match code {
        0 => (Verdict::Accepted, None),
        1 => (Verdict::WrongAnswer, None),
        // Malformed, surplus or missing output.
        2 | 4 | 8 => (Verdict::PresentationError, None),
        3 => return Err("says that it failed itself".to_owned()),
        7 => {
            let points = said
                .split_once("points")
                .and_then(|(_, rest)| rest.split_whitespace().next())
                .and_then(|word| number(word.as_bytes()))
                .ok_or("gives points without telling how many")?;
            let verdict = if points > 0.0 {
                Verdict::Accepted
            } else {
                Verdict::WrongAnswer
            };
            (verdict, Some(Score::Points(points)))
        }
        other => return Err(format!("ended with {other}, which testlib does not know")),
    };
    Ok(Ruling {
        score,
        message: Some(text::shown(&outcome.stderr, MESSAGE_BYTES)).filter(|said| !said.is_empty()),
        ..Ruling::of(verdict)
    })
}

/// A number of points: finite and not negative.
fn number(content: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(content).ok()?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Whose ending decides an interactive run: a checker that ran out of its own limits, or saw the mistake first; then limits
/// and crashes of the learner's program, for then the checker may have died of the closed pipe; then the checker. (The order
/// of Kattis's own tools.)
pub(crate) fn decide(ruling: &Ruling, learner: Option<Verdict>, order: Order) -> Verdict {
    match (ruling.verdict, learner) {
        (Verdict::Accepted, Some(failed)) => failed,
        (_, Some(failed)) if order == Order::LearnerFirst => failed,
        (verdict, _) => verdict,
    }
}

/// Who fell silent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The learner's program.
    LearnerFirst,
    /// The checker, or it did not end by itself at all.
    CheckerFirst,
}

impl Order {
    /// Of these two.
    pub(crate) fn of(checked: &Outcome, checker_was_first: bool) -> Self {
        if checker_was_first || matches!(checked.status, Status::LimitHit(_)) {
            Self::CheckerFirst
        } else {
            Self::LearnerFirst
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_failed_first_decides() {
        use Order::{CheckerFirst, LearnerFirst};
        use Verdict::{Accepted, InternalError, RuntimeError, TimeLimit, WrongAnswer};
        for (checker, learner, first, expected) in [
            (Accepted, None, LearnerFirst, Accepted),
            (WrongAnswer, None, LearnerFirst, WrongAnswer),
            // It was told that it is wrong, and died of the closed pipe.
            (WrongAnswer, Some(RuntimeError), CheckerFirst, WrongAnswer),
            // It crashed, so the checker heard nothing more, or died of the closed pipe itself.
            (WrongAnswer, Some(RuntimeError), LearnerFirst, RuntimeError),
            (
                InternalError,
                Some(RuntimeError),
                LearnerFirst,
                RuntimeError,
            ),
            (Accepted, Some(TimeLimit), CheckerFirst, TimeLimit),
            (
                InternalError,
                Some(RuntimeError),
                CheckerFirst,
                InternalError,
            ),
            (InternalError, None, LearnerFirst, InternalError),
        ] {
            assert_eq!(decide(&Ruling::of(checker), learner, first), expected);
        }
    }

    #[test]
    fn points_are_finite_and_not_negative() {
        assert_eq!(number(b" 12.5\n"), Some(12.5));
        for wrong in ["", "many", "-1", "nan", "inf", "1 2"] {
            assert_eq!(number(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
