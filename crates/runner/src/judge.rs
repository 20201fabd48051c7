//! One judgement: compile once, run every test in free slots, compare, tell what happened in the tests' order.
//!
//! ```text
//!  compile ──────────▶ Compiled ─┐
//!  fetch blobs (meanwhile) ──────┴▶ test 1 ┐ each: free slot ─ run ─ near miss? once more, alone ─ check
//!                                   test 2 ├▶ Test, Test, … in order ─▶ Finished
//!                                   test 3 ┘
//! ```
//! Everything of a judgement happens in one future: when it is dropped, its programs are killed and nothing goes on.

mod busy;
mod failure;
mod tell;

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use contract::Language;
use contract::event::{Compiled, FinalVerdict};
use contract::manifest::{Checker, TestRef};
use contract::runner_api::{BlobSource, JudgeRequest, RunRequest, RunnerEvent};
use contract::verdict::Verdict;
use futures::future::{Either, select};
use futures::{FutureExt, StreamExt, stream};
use sandbox::{Content, Outcome, Program, Race, Sandbox, Stdin, Stdout};
use tokio::sync::mpsc::UnboundedSender;

use crate::blobs::{BlobError, Blobs, beginning};
use crate::checker;
use crate::compile::{Build, Compiler, Runnable};
use crate::jury::{Case, Feedback, Jury, Order, Ruling, decide};
use crate::language::{ArrangeError, Code};
use crate::report::{Finished, SAMPLE_BYTES};
use crate::score::{Course, Judged, sum_up, without_tests};
use crate::toolchain::{Toolchain, environment};
use crate::verdict::{Allowance, millis};

use busy::Busy;
pub(crate) use failure::JudgeError;
use tell::{tell, without_checker};

/// Where events go. A receiver that is gone ends the judgement from outside, so a failing send says nothing new.
pub(crate) type Events = UnboundedSender<RunnerEvent>;

/// The two in the race of an interactive run.
const LEARNER: u64 = 0;
const CHECKER: u64 = 1;

/// Answers larger than this are compared on a thread of their own, so that other runs' clocks are looked at in time.
const LARGE: usize = 64 << 10;

/// Everything that judging needs.
#[derive(Debug)]
pub(crate) struct Judge {
    /// Where programs run.
    pub(crate) sandbox: Sandbox,
    /// How they come to be.
    pub(crate) compiler: Compiler,
    /// What is installed.
    pub(crate) toolchains: Vec<Toolchain>,
    /// Where tests come from.
    pub(crate) blobs: Blobs,
    /// Whether learners' programs get namespaces of their own.
    pub(crate) strict: bool,
}

/// A program with all that its runs have in common.
struct Job<'a> {
    toolchain: &'a Toolchain,
    program: &'a Runnable,
    allowance: Allowance,
    /// Whether a driver may report results apart from standard output.
    has_driver: bool,
    /// The question's own checker.
    jury: Option<Jury<'a>>,
}

impl Judge {
    /// Judges on tests, or runs samples showing what is written.
    pub(crate) async fn judge(
        &self,
        request: &JudgeRequest,
        events: &Events,
    ) -> Result<FinalVerdict, JudgeError> {
        let judging = &request.judging;
        let code = Code {
            files: &request.files,
            driver: judging.driver.as_deref(),
        };
        let toolchain = self.toolchain(request.language)?;
        let compiled = pin!(self.compile(toolchain, &code, events));
        let fetched = pin!(self.fetch(request));
        // Tests are fetched while the compiler works; of code that does not compile they are not waited for.
        let build = match select(compiled, fetched).await {
            Either::Left((compiled, fetched)) => {
                let compiled = compiled?;
                if compiled.as_ref().is_ok_and(|build| build.program.is_some()) {
                    fetched.await?;
                }
                compiled
            }
            Either::Right((fetched, compiled)) => {
                let compiled = compiled.await?;
                if compiled.is_ok() {
                    fetched?;
                }
                compiled
            }
        };
        let build = match build {
            Ok(build) => build,
            Err(verdict) => return Ok(without_tests(&judging.tests, verdict)),
        };
        let Some(program) = &build.program else {
            return Ok(without_tests(&judging.tests, Verdict::CompileError));
        };
        let job = Job {
            toolchain,
            program,
            allowance: Allowance::new(&judging.limits, judging.time_factor, toolchain.spec),
            has_driver: judging.driver.is_some(),
            jury: None,
        };
        let Some((toolchain, checker)) = self.compile_checker(&judging.checker).await? else {
            return self.run_tests(&job, request, events).await;
        };
        let Some(jury) = Jury::new(&judging.checker, toolchain, &checker) else {
            return Ok(without_checker(request, events));
        };
        let jury = Some(jury);
        self.run_tests(&Job { jury, ..job }, request, events).await
    }

    /// The question's own checker, compiled once for all that is judged with it; `None` where it has none.
    async fn compile_checker(
        &self,
        checker: &Checker,
    ) -> Result<Option<(&Toolchain, Arc<Build>)>, JudgeError> {
        let Checker::Program {
            language, files, ..
        } = checker
        else {
            return Ok(None);
        };
        let toolchain = self.toolchain(*language)?;
        let code = Code {
            files,
            driver: None,
        };
        let build = match (toolchain.spec.arrange)(&code) {
            Ok(sources) => self.compiler.compile(toolchain, &code, sources).await?.0,
            Err(error) => Arc::new(Build::refused(error.to_string())),
        };
        if build.program.is_none() {
            tracing::warn!(%language, log = build.log, "a question's checker does not compile");
        }
        Ok(Some((toolchain, build)))
    }

    /// Compiles and runs once with this input.
    pub(crate) async fn run(
        &self,
        request: &RunRequest,
        events: &Events,
    ) -> Result<FinalVerdict, JudgeError> {
        let judging = &request.judging;
        let code = Code {
            files: &request.files,
            driver: judging.driver.as_deref(),
        };
        let toolchain = self.toolchain(request.language)?;
        let build = match self.compile(toolchain, &code, events).await? {
            Ok(build) => build,
            Err(verdict) => return Ok(without_tests(&[], verdict)),
        };
        let Some(program) = &build.program else {
            return Ok(without_tests(&[], Verdict::CompileError));
        };
        let job = Job {
            toolchain,
            program,
            allowance: Allowance::new(&judging.limits, judging.time_factor, toolchain.spec),
            has_driver: judging.driver.is_some(),
            jury: None,
        };
        let stdin = Stdin::Bytes(request.stdin.as_bytes());
        let outcome = self.run_once(&job, stdin, &[]).await?;
        let finished = Finished::of(outcome, &job.allowance);
        let judged = finished.judged(None);
        let _ = events.send(RunnerEvent::Output(
            finished.output(None, &program.sources.lines),
        ));
        Ok(FinalVerdict {
            time_ms: judged.time_ms,
            memory_kib: judged.memory_kib,
            ..without_tests(&[], judged.verdict)
        })
    }

    fn toolchain(&self, language: Language) -> Result<&Toolchain, JudgeError> {
        self.toolchains
            .iter()
            .find(|toolchain| toolchain.spec.id == language)
            .ok_or(JudgeError::UnsupportedLanguage(language))
    }

    /// Compiles and tells so. The inner error is the verdict on code that never reached a compiler.
    async fn compile(
        &self,
        toolchain: &Toolchain,
        code: &Code<'_>,
        events: &Events,
    ) -> Result<Result<Arc<Build>, Verdict>, JudgeError> {
        let sources = match (toolchain.spec.arrange)(code) {
            Ok(sources) => sources,
            Err(error) => {
                let _ = events.send(RunnerEvent::Compiled(Compiled {
                    ok: false,
                    cached: false,
                    time_ms: 0,
                    log: error.to_string(),
                }));
                return Ok(Err(match error {
                    ArrangeError::TakenName(_) => Verdict::CompileError,
                    ArrangeError::NoPlaceholder => Verdict::InternalError,
                }));
            }
        };
        let (build, cached) = self.compiler.compile(toolchain, code, sources).await?;
        let _ = events.send(RunnerEvent::Compiled(Compiled {
            ok: build.program.is_some(),
            cached,
            time_ms: if cached { 0 } else { millis(build.time) },
            log: build.log.clone(),
        }));
        Ok(Ok(build))
    }

    async fn fetch(&self, request: &JudgeRequest) -> Result<(), JudgeError> {
        let Some(source) = &request.blobs else {
            return Ok(());
        };
        let mut blobs = Vec::new();
        for test in &request.judging.tests {
            blobs.extend([&test.input, &test.output]);
        }
        Ok(self.blobs.fetch_all(&blobs, source).await?)
    }

    async fn run_tests(
        &self,
        job: &Job<'_>,
        request: &JudgeRequest,
        events: &Events,
    ) -> Result<FinalVerdict, JudgeError> {
        let judging = &request.judging;
        let tests = &judging.tests;
        let mut judged: Vec<Judged> = Vec::with_capacity(tests.len());
        let course = Mutex::new(Course::new(judging));
        let skips = |test: &TestRef| {
            let course = course.lock().unwrap_or_else(PoisonError::into_inner);
            course.skips(test)
        };
        let source = request.blobs.as_ref();
        let mut runs = Vec::with_capacity(tests.len());
        for test in tests {
            let skips = &skips;
            runs.push(async move {
                match source.filter(|_| !skips(test)) {
                    Some(source) => self.run_test(job, request, test, source).await.map(Some),
                    None => Ok(None),
                }
            });
        }
        // One more than can run, so that a slot need not wait for the next test's preparation.
        let width = self.sandbox.report().slots + 1;
        let mut runs = pin!(stream::iter(runs).buffered(width));
        while let Some(finished) = runs.next().await {
            let test = &tests[judged.len()];
            // Begun before it was known that it is not wanted: what came of it does not count, so that the same code
            // gets the same answer however busy the machine is.
            let finished = finished?.filter(|_| !skips(test));
            let one = match &finished {
                Some(finished) => finished.judged(Some(test)),
                None => Judged::skipped(),
            };
            let mut course = course.lock().unwrap_or_else(PoisonError::into_inner);
            course.note(test, one.verdict);
            drop(course);
            judged.push(one);
            tell(request, judged.len(), finished, job, events);
        }
        Ok(sum_up(judging, &judged))
    }

    async fn run_test(
        &self,
        job: &Job<'_>,
        request: &JudgeRequest,
        test: &TestRef,
        source: &BlobSource,
    ) -> Result<Finished, JudgeError> {
        if let Some(jury) = &job.jury {
            return self.run_before_jury(job, jury, test, source).await;
        }
        let input = self.blobs.file(&test.input, source).await?;
        let outcome = self.run_once(job, Stdin::File(&input), &test.args).await?;
        let mut finished = Finished::of(outcome, &job.allowance);
        if finished.ending.verdict.is_some() && !test.sample {
            return Ok(finished);
        }
        let expected = self.blobs.bytes(&test.output, source).await?;
        let checker = request.judging.checker.clone();
        let is_sample = test.sample;
        let large = expected.len() + Finished::answer(&finished.outcome).len() > LARGE;
        let check = move || {
            let answer = Finished::answer(&finished.outcome);
            if finished.ending.verdict.is_none()
                && let Some(found) = checker::check(&checker, &expected, answer)
            {
                finished.verdict = Verdict::WrongAnswer;
                finished.difference = is_sample.then(|| found.describe(answer));
            }
            if is_sample {
                let read = beginning(&input, SAMPLE_BYTES).map_err(BlobError::Folder)?;
                let kept = expected.len().min(SAMPLE_BYTES + 1);
                finished.sample = Some((read, expected[..kept].to_vec()));
            }
            Ok(finished)
        };
        if large {
            tokio::task::spawn_blocking(check).await?
        } else {
            check()
        }
    }

    /// A test that the question's own program rules on.
    async fn run_before_jury(
        &self,
        job: &Job<'_>,
        jury: &Jury<'_>,
        test: &TestRef,
        source: &BlobSource,
    ) -> Result<Finished, JudgeError> {
        let input = self.blobs.file(&test.input, source).await?;
        let answer = self.blobs.file(&test.output, source).await?;
        let case = Case {
            input: Content::File(&input),
            answer: &answer,
            args: &test.checker_args,
            feedback: &[],
        };
        let mut finished = if jury.interactive {
            self.interact(job, jury, test, &case).await?
        } else {
            let first = self.run_once(job, Stdin::File(&input), &test.args).await?;
            let mut finished = Finished::of(first, &job.allowance);
            let mut kept: Option<(Vec<u8>, Feedback)> = None;
            let mut pass = 1;
            while finished.ending.verdict.is_none() {
                let mut slot = self.sandbox.acquire().await;
                let output = Finished::answer(&finished.outcome);
                let case = match &kept {
                    Some((input, feedback)) => Case {
                        input: Content::Bytes(input),
                        feedback,
                        ..case
                    },
                    None => case,
                };
                let mut ruling = jury.rule(&mut slot, &case, output).await?;
                drop(slot);
                let Some(next) = ruling.next.take() else {
                    finished.verdict = ruling.verdict;
                    finished.ruling = Some(ruling);
                    break;
                };
                if pass == jury.passes {
                    let reason = format!("the question's checker asks for more than {pass} passes");
                    finished.verdict = Verdict::InternalError;
                    finished.ruling = Some(Ruling {
                        reason: Some(reason),
                        ..Ruling::of(Verdict::InternalError)
                    });
                    break;
                }
                pass += 1;
                let stdin = Stdin::Bytes(&next.0);
                let outcome = self.run_once(job, stdin, &test.args).await?;
                kept = Some(next);
                // The dearest pass counts.
                let cpu = outcome.cpu.max(finished.outcome.cpu);
                let memory_bytes = outcome.memory_bytes.max(finished.outcome.memory_bytes);
                finished = Finished::of(outcome, &job.allowance);
                (finished.outcome.cpu, finished.outcome.memory_bytes) = (cpu, memory_bytes);
            }
            finished
        };
        if test.sample {
            let read = |file| beginning(file, SAMPLE_BYTES).map_err(BlobError::Folder);
            finished.sample = Some((read(&input)?, read(&answer)?));
        }
        Ok(finished)
    }

    /// The learner's program and the checker at once, each one's output the other's input.
    async fn interact(
        &self,
        job: &Job<'_>,
        jury: &Jury<'_>,
        test: &TestRef,
        case: &Case<'_>,
    ) -> Result<Finished, JudgeError> {
        let (learner_hears, checker_says) = sandbox::pipe().map_err(BlobError::Folder)?;
        let (checker_hears, learner_says) = sandbox::pipe().map_err(BlobError::Folder)?;
        let race = Race::new(&[(LEARNER, &checker_hears), (CHECKER, &learner_hears)])
            .map_err(BlobError::Folder)?;
        let spec = job.toolchain.spec;
        let mut argv = (spec.run)(&job.toolchain.home, &job.program.sources, &job.allowance);
        argv.extend(test.args.iter().cloned());
        let program = Program {
            env: &environment(),
            artefact: Some(&job.program.artefact),
            stdin: Stdin::Pipe(&learner_hears),
            stdout: Stdout::Pipe(&learner_says),
            strict: self.strict,
            reserved_bytes: (spec.reserved_kib)(&job.allowance) << 10,
            ..Program::new(&argv, job.allowance.for_sandbox())
        };
        let mut slots = self.sandbox.acquire_many(2).await?;
        let _busy = Busy::new(2);
        let (one, other) = slots.split_at_mut(1);
        let learner = one[0].run(program);
        let ends = (&checker_hears, &checker_says);
        let checker = jury.talk(&mut other[0], case, ends, &job.allowance);
        let learner = learner.inspect(|_| race.settle());
        let checker = checker.inspect(|_| race.settle());
        let (learner, checker) = futures::future::join(learner, checker).await;
        let (outcome, said) = (learner?, checker?);
        let checker_was_first = race.first().map_err(BlobError::Folder)? == Some(CHECKER);
        let order = Order::of(&said, checker_was_first);
        let ruling = jury.ruling(&said);
        let mut finished = Finished::of(outcome, &job.allowance);
        finished.verdict = decide(&ruling, finished.ending.verdict, order);
        finished.ruling = Some(ruling);
        Ok(finished)
    }

    /// Runs in the next free slot; a narrow miss of the time limit is repeated once with the machine to itself.
    async fn run_once(
        &self,
        job: &Job<'_>,
        stdin: Stdin<'_>,
        arguments: &[String],
    ) -> Result<Outcome, JudgeError> {
        let spec = job.toolchain.spec;
        let mut argv = (spec.run)(&job.toolchain.home, &job.program.sources, &job.allowance);
        argv.extend(arguments.iter().cloned());
        let program = Program {
            env: &environment(),
            artefact: Some(&job.program.artefact),
            stdin,
            strict: self.strict,
            results_fd: job.has_driver,
            reserved_bytes: (spec.reserved_kib)(&job.allowance) << 10,
            ..Program::new(&argv, job.allowance.for_sandbox())
        };
        let mut slot = self.sandbox.acquire().await;
        let busy = Busy::new(1);
        let outcome = slot.run(program).await?;
        drop((busy, slot));
        metrics::histogram!("codementor_test_run_seconds", "language" => spec.id.id())
            .record(outcome.wall.as_secs_f64());
        if !job.allowance.is_near_miss(&outcome) {
            return Ok(outcome);
        }
        let all = self.sandbox.report().slots;
        let mut slots = self.sandbox.acquire_many(all).await?;
        let _busy = Busy::new(all);
        Ok(slots[0].run(program).await?)
    }
}
