//! Question and runner, as execute sees them: a real server with a few fixed answers.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{self, FromRef, Query, State},
    routing::get,
};
use contract::{
    AccountId, Language, Locale, QuestionId,
    language::InstalledLanguage,
    manifest::{
        BlobRef, Checker, Feedback, Judging, JudgingMode, Limits, Manifest, QuestionKind,
        Statement, TestRef,
    },
};
use serde::Deserialize;
use service::{
    Problem,
    token::{Caller, Principal, TrustedKeys, Verifier},
};

/// The slug of the question that is always there.
pub(crate) const SUM: &str = "a-plus-b";

/// The stand-ins. Clones are the same.
#[derive(Clone)]
pub(crate) struct Neighbours {
    pub(crate) url: String,
    facts: Arc<Facts>,
}

struct Facts {
    question: QuestionId,
    teacher: AccountId,
    withdrawn: AtomicBool,
    verifiers: (Verifier, Verifier),
}

#[derive(Clone)]
struct Shared(Arc<Facts>);

impl FromRef<Shared> for Verifier {
    fn from_ref(shared: &Shared) -> Self {
        shared.0.verifiers.0.clone()
    }
}

/// The same for the runner's name.
#[derive(Clone)]
struct Runner(Arc<Facts>);

impl FromRef<Runner> for Verifier {
    fn from_ref(runner: &Runner) -> Self {
        runner.0.verifiers.1.clone()
    }
}

impl Neighbours {
    pub(crate) async fn start(trusted: &Path) -> Self {
        let keys = TrustedKeys::load(trusted).expect("trusted keys");
        let facts = Arc::new(Facts {
            question: QuestionId::new(),
            teacher: AccountId::new(),
            withdrawn: AtomicBool::new(false),
            verifiers: (
                Verifier::new("question", keys.clone()),
                Verifier::new("runner", keys),
            ),
        });
        let question = Router::new()
            .route("/internal/questions/{question}/manifest", get(manifest))
            .with_state(Shared(Arc::clone(&facts)));
        let runner = Router::new()
            .route("/internal/languages", get(languages))
            .with_state(Runner(Arc::clone(&facts)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, question.merge(runner)).await });
        Self { url, facts }
    }

    pub(crate) fn question(&self) -> QuestionId {
        self.facts.question
    }

    /// The account that teaches the question.
    pub(crate) fn teacher(&self) -> AccountId {
        self.facts.teacher
    }

    /// From now on there is no question any more.
    pub(crate) fn withdraw_question(&self) {
        self.facts.withdrawn.store(true, Ordering::Relaxed);
    }
}

#[derive(Deserialize)]
struct ManifestQuery {
    language: Language,
    locale: Locale,
}

async fn manifest(
    State(Shared(facts)): State<Shared>,
    _principal: Principal,
    extract::Path(question): extract::Path<String>,
    Query(query): Query<ManifestQuery>,
) -> Result<Json<Manifest>, Problem> {
    let names = [
        SUM.to_owned(),
        facts.question.to_string(),
        "no-samples".to_owned(),
    ];
    if facts.withdrawn.load(Ordering::Relaxed) || !names.contains(&question) {
        return Err(Problem::not_found("question"));
    }
    let languages = vec![Language::Python, Language::Cpp, Language::Java];
    if !languages.contains(&query.language) {
        let problem = Problem::invalid("this question is not answered in that language");
        return Err(problem.with_error("/language", "not_offered", "choose another"));
    }
    let blob = |digit: &str| BlobRef {
        sha256: digit.repeat(64),
        size: 4,
    };
    let test = |name: &str, sample| TestRef {
        name: name.to_owned(),
        sample,
        group: None,
        points: None,
        args: Vec::new(),
        checker_args: Vec::new(),
        input: blob("a"),
        output: blob("b"),
    };
    let has_samples = question != "no-samples";
    Ok(Json(Manifest {
        question: facts.question,
        version: 3,
        slug: SUM.to_owned(),
        teachers: vec![facts.teacher],
        languages,
        judging: Judging {
            kind: QuestionKind::Stdio,
            limits: Limits::default(),
            time_factor: 3.0,
            checker: Checker::Float {
                abs: 1e-6,
                rel: 1e-9,
            },
            mode: JudgingMode::Full,
            feedback: Feedback::Full,
            driver: None,
            tests: vec![test("sample", has_samples), test("hidden", false)],
            groups: Vec::new(),
        },
        statement: Statement {
            locale: query.locale,
            title: match query.locale {
                Locale::Ko => "두 수의 합".to_owned(),
                Locale::En => "A + B".to_owned(),
            },
            text: "Add.".to_owned(),
        },
    }))
}

async fn languages(State(_): State<Runner>, _caller: Caller) -> Json<Vec<InstalledLanguage>> {
    let languages = [Language::Cpp, Language::Python, Language::Javascript];
    Json(languages.map(installed).into())
}

fn installed(id: Language) -> InstalledLanguage {
    InstalledLanguage {
        id,
        name: id.id().to_uppercase(),
        version: "1".to_owned(),
        extensions: vec![id.id().to_owned()],
        compile: None,
        run: "run".to_owned(),
        template: String::new(),
    }
}
