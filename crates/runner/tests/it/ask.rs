//! Short ways to ask for a judgement and to look at the answer.

use contract::Language;
use contract::event::{Compiled, FinalVerdict, RunOutput, TestResult};
use contract::job::SourceFile;
use contract::manifest::{Checker, Feedback, Judging, JudgingMode, Limits, QuestionKind, TestRef};
use contract::runner_api::{JudgeRequest, RunRequest, RunnerEvent, RunnerFailure};
use contract::verdict::Verdict;

use crate::support::World;

/// A judgement that is being put together.
pub(crate) struct Ask<'a> {
    pub(crate) world: &'a World,
    pub(crate) request: JudgeRequest,
}

impl World {
    /// Code in a language, no tests yet, generous limits.
    pub(crate) fn ask(&self, language: Language, code: &str) -> Ask<'_> {
        let world = self;
        let request = JudgeRequest {
            language,
            files: vec![SourceFile {
                name: "main".to_owned(),
                content: code.to_owned(),
            }],
            judging: Judging {
                kind: QuestionKind::Stdio,
                limits: Limits {
                    time_ms: 5_000,
                    ..Limits::default()
                },
                time_factor: 1.0,
                checker: Checker::default(),
                mode: JudgingMode::Full,
                feedback: Feedback::Full,
                driver: None,
                tests: Vec::new(),
                groups: Vec::new(),
            },
            show_output: false,
            blobs: Some(world.blobs.source()),
        };
        Ask { world, request }
    }
}

impl Ask<'_> {
    /// A sample.
    pub(crate) fn sample(self, input: &str, output: &str) -> Self {
        self.test(input, output, |test| test.sample = true)
    }

    /// A hidden test.
    pub(crate) fn hidden(self, input: &str, output: &str) -> Self {
        self.test(input, output, |_| {})
    }

    /// A test.
    pub(crate) fn test(
        mut self,
        input: &str,
        output: &str,
        change: impl FnOnce(&mut TestRef),
    ) -> Self {
        let mut test = TestRef {
            name: format!("t{}", self.request.judging.tests.len() + 1),
            sample: false,
            group: None,
            points: None,
            args: Vec::new(),
            checker_args: Vec::new(),
            input: self.world.blobs.add(input.as_bytes()),
            output: self.world.blobs.add(output.as_bytes()),
        };
        change(&mut test);
        self.request.judging.tests.push(test);
        self
    }

    pub(crate) fn judging(mut self, change: impl FnOnce(&mut Judging)) -> Self {
        change(&mut self.request.judging);
        self
    }

    pub(crate) fn driver(self, driver: &str) -> Self {
        self.judging(|judging| judging.driver = Some(driver.to_owned()))
    }

    pub(crate) fn file(mut self, name: &str, content: &str) -> Self {
        self.request.files.push(SourceFile {
            name: name.to_owned(),
            content: content.to_owned(),
        });
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut JudgeRequest)) -> Self {
        change(&mut self.request);
        self
    }

    /// Judges it and waits for the end.
    pub(crate) fn judge(&self) -> Answer {
        self.world.block_on(self.judged())
    }

    /// The same for tests that do several things at once.
    pub(crate) async fn judged(&self) -> Answer {
        Answer::read(self.world.post("/internal/judge", &self.request).await).await
    }

    /// Runs it on this input.
    pub(crate) fn run(&self, stdin: &str) -> Answer {
        let request = RunRequest {
            language: self.request.language,
            files: self.request.files.clone(),
            judging: self.request.judging.clone(),
            stdin: stdin.to_owned(),
        };
        let post = async { Answer::read(self.world.post("/internal/run", &request).await).await };
        self.world.block_on(post)
    }

    /// The answer to a request that is refused.
    pub(crate) fn refused(&self) -> (u16, serde_json::Value) {
        self.world.block_on(async {
            let answer = self.world.post("/internal/judge", &self.request).await;
            let status = answer.status().as_u16();
            (status, answer.json().await.expect("a problem is JSON"))
        })
    }
}

/// What a runner streamed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) events: Vec<RunnerEvent>,
    /// The same, as it came.
    pub(crate) text: String,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status();
        let kind = response.headers().get("content-type").cloned();
        let text = response.text().await.expect("the stream is whole");
        assert!(status.is_success(), "{status}: {text}");
        assert_eq!(
            kind.as_ref().and_then(|kind| kind.to_str().ok()),
            Some("application/x-ndjson")
        );
        let parse = |line| serde_json::from_str(line).expect("each line is an event");
        let events = text.lines().map(parse).collect();
        Self { events, text }
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        match self.events.first() {
            Some(RunnerEvent::Compiled(compiled)) => compiled,
            other => panic!("the first event is {other:?}"),
        }
    }

    /// The last event, which must be a verdict.
    pub(crate) fn verdict(&self) -> &FinalVerdict {
        match self.events.last() {
            Some(RunnerEvent::Finished(verdict)) => verdict,
            other => panic!("the last event is {other:?}"),
        }
    }

    /// The last event, which must be a failure.
    pub(crate) fn failure(&self) -> &RunnerFailure {
        match self.events.last() {
            Some(RunnerEvent::Failed(failure)) => failure,
            other => panic!("the last event is {other:?}"),
        }
    }

    pub(crate) fn tests(&self) -> Vec<&TestResult> {
        let mut tests = Vec::new();
        for event in &self.events {
            if let RunnerEvent::Test(test) = event {
                tests.push(test);
            }
        }
        tests
    }

    pub(crate) fn outputs(&self) -> Vec<&RunOutput> {
        let mut outputs = Vec::new();
        for event in &self.events {
            if let RunnerEvent::Output(output) = event {
                outputs.push(output);
            }
        }
        outputs
    }

    /// Verdicts of the tests.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.tests().iter().map(|test| test.verdict).collect()
    }
}
