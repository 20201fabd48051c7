//! Claims, budget and cache on a real Postgres.

use std::time::Duration;

use contract::{
    AccountId, EventBody, EventKey, StreamEvent, SubmissionId,
    event::{Compiled, Done},
};
use sqlx::{
    Executor as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;

use super::*;

async fn database() -> PgPool {
    let stack = devkit::Stack::for_tests().expect("the environment is readable");
    let url = stack.fresh_database().await.expect("a database");
    let options: PgConnectOptions = url.parse().expect("an address");
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .connect_with(options.options([("search_path", "evaluation")]))
        .await
        .expect("postgres runs");
    pool.execute("CREATE SCHEMA evaluation")
        .await
        .expect("an empty database");
    MIGRATOR.run(&pool).await.expect("the migrations run");
    pool
}

fn claim(submission: SubmissionId, stage: Stage) -> NewClaim {
    NewClaim {
        job: JobKey {
            submission,
            judgement: 1,
            stage,
        },
        kind: Kind::Submission,
        accepted_at: Some(OffsetDateTime::now_utc() - Duration::from_secs(5)),
        deadline: OffsetDateTime::now_utc() + Duration::from_hours(1),
        even_late: stage == Stage::Review,
    }
}

async fn mine(pool: &PgPool, claim: NewClaim) -> Mine {
    match take(pool, claim).await.expect("postgres runs") {
        Claim::Mine(mine) => mine,
        other => panic!("expected a claim, got {other:?}"),
    }
}

/// As if ten seconds had passed without a renewal.
async fn end_leases(pool: &PgPool) {
    sqlx::query("UPDATE evaluation.job SET lease_until = now()")
        .execute(pool)
        .await
        .expect("postgres runs");
}

fn stored(submission: SubmissionId, review: Option<ReviewFacts>) -> Stored {
    Stored {
        events: vec![StreamEvent {
            submission,
            key: EventKey {
                judgement: 1,
                attempt: 1,
                seq: 3,
            },
            follows: None,
            body: EventBody::Done(Done {}),
        }],
        review,
    }
}

#[tokio::test]
async fn one_of_many_gets_the_job_and_the_others_learn_how_long_it_is_leased() {
    let pool = database().await;
    let claim = claim(SubmissionId::new(), Stage::Judge);
    let takes = (0..8).map(|_| take(&pool, claim));
    let claims = futures::future::try_join_all(takes)
        .await
        .expect("postgres runs");
    let mut granted = 0;
    for claim in claims {
        match claim {
            Claim::Mine(mine) => {
                granted += 1;
                assert_eq!(mine.attempt, 1);
                assert!(!mine.called && !mine.late);
                assert!(
                    mine.waited
                        .is_some_and(|waited| waited >= Duration::from_secs(5))
                );
            }
            Claim::Leased(left) => assert!(left <= Duration::from_secs(10)),
            other => panic!("nobody is done: {other:?}"),
        }
    }
    assert_eq!(granted, 1);
}

#[tokio::test]
async fn an_expired_lease_is_taken_as_the_next_attempt_and_fences_the_former() {
    let pool = database().await;
    let claim = claim(SubmissionId::new(), Stage::Judge);
    assert_eq!(mine(&pool, claim).await.attempt, 1);
    assert!(renew(&pool, claim.job, 1).await.expect("postgres runs"));
    end_leases(&pool).await;
    let takes = (0..4).map(|_| take(&pool, claim));
    let claims = futures::future::try_join_all(takes)
        .await
        .expect("postgres runs");
    let granted: Vec<_> = claims
        .iter()
        .filter_map(|claim| match claim {
            Claim::Mine(mine) => Some(mine.attempt),
            _ => None,
        })
        .collect();
    assert_eq!(granted, [2]);

    let end = stored(claim.job.submission, None);
    assert!(!renew(&pool, claim.job, 1).await.expect("postgres runs"));
    assert!(
        !finish(&pool, claim.job, 1, &end)
            .await
            .expect("postgres runs")
    );
    release(&pool, claim.job, 1).await.expect("postgres runs");
    assert!(
        matches!(take(&pool, claim).await, Ok(Claim::Leased(_))),
        "the former cannot release the lease"
    );
    assert!(
        finish(&pool, claim.job, 2, &end)
            .await
            .expect("postgres runs")
    );
    assert!(
        !finish(&pool, claim.job, 2, &end)
            .await
            .expect("postgres runs")
    );
    assert!(!renew(&pool, claim.job, 2).await.expect("postgres runs"));
}

#[tokio::test]
async fn a_released_claim_is_free_at_once() {
    let pool = database().await;
    let claim = claim(SubmissionId::new(), Stage::Judge);
    mine(&pool, claim).await;
    release(&pool, claim.job, 1).await.expect("postgres runs");
    assert_eq!(mine(&pool, claim).await.attempt, 2);
}

#[tokio::test]
async fn a_done_job_gives_back_what_ended_it_until_the_review_is_done() {
    let pool = database().await;
    let submission = SubmissionId::new();
    let judge = claim(submission, Stage::Judge);
    mine(&pool, judge).await;
    // A compiler may print what jsonb cannot hold.
    let facts = ReviewFacts {
        compiled: Some(Compiled {
            ok: true,
            cached: false,
            time_ms: 1,
            log: "a\0b \u{1f600}".into(),
        }),
        tests: Vec::new(),
    };
    let end = stored(submission, Some(facts));
    assert!(
        finish(&pool, judge.job, 1, &end)
            .await
            .expect("postgres runs")
    );
    assert_eq!(
        take(&pool, judge).await.expect("postgres runs"),
        Claim::Done(end.clone())
    );

    let review = claim(submission, Stage::Review);
    assert_eq!(
        mine(&pool, review).await.attempt,
        2,
        "the submission's next"
    );
    assert!(
        finish(&pool, review.job, 2, &stored(submission, None))
            .await
            .expect("postgres runs")
    );
    let without = Stored {
        review: None,
        ..end
    };
    assert_eq!(
        take(&pool, judge).await.expect("postgres runs"),
        Claim::Done(without)
    );

    let forgotten = forget_finals(&pool, Duration::ZERO, 10)
        .await
        .expect("postgres runs");
    assert_eq!(forgotten, 2);
    let nothing = Stored {
        events: Vec::new(),
        review: None,
    };
    assert_eq!(
        take(&pool, judge).await.expect("postgres runs"),
        Claim::Done(nothing)
    );
}

#[tokio::test]
async fn past_its_deadline_only_a_review_is_claimed() {
    let pool = database().await;
    let submission = SubmissionId::new();
    let deadline = OffsetDateTime::now_utc() - Duration::from_secs(1);
    let judge = NewClaim {
        deadline,
        ..claim(submission, Stage::Judge)
    };
    assert!(
        is_over(&pool, judge.job, deadline)
            .await
            .expect("postgres runs")
    );
    assert_eq!(
        take(&pool, judge).await.expect("postgres runs"),
        Claim::Late
    );
    let review = NewClaim {
        deadline,
        ..claim(submission, Stage::Review)
    };
    assert!(mine(&pool, review).await.late);
}

#[tokio::test]
async fn a_call_is_marked_once_and_counted_in_the_budget_of_the_day() {
    let pool = database().await;
    let account = AccountId::new();
    let mut claims = Vec::new();
    for _ in 0..3 {
        let claim = claim(SubmissionId::new(), Stage::Review);
        mine(&pool, claim).await;
        claims.push(claim.job);
    }
    let call = async |job| {
        start_call(&pool, job, 1, account, 2)
            .await
            .expect("postgres runs")
    };
    assert_eq!(call(claims[0]).await, Call::Granted);
    assert_eq!(call(claims[0]).await, Call::NotOurs, "one call a job, ever");
    assert_eq!(call(claims[1]).await, Call::Granted);
    assert_eq!(call(claims[2]).await, Call::OverBudget);
    let none = start_call(&pool, claims[2], 1, AccountId::new(), 0).await;
    assert_eq!(none.expect("postgres runs"), Call::OverBudget);
    let superseded = start_call(&pool, claims[2], 9, AccountId::new(), 2).await;
    assert_eq!(superseded.expect("postgres runs"), Call::NotOurs);

    end_leases(&pool).await;
    let mut again = claim(claims[0].submission, Stage::Review);
    assert!(mine(&pool, again).await.called);
    again.job = claims[2];
    assert!(!mine(&pool, again).await.called);
    assert_eq!(forget_budgets(&pool, 10).await.expect("postgres runs"), 0);
}

#[tokio::test]
async fn the_first_answer_is_kept_until_it_is_old() {
    let pool = database().await;
    assert_eq!(
        cached_answer(&pool, [7; 32]).await.expect("postgres runs"),
        None
    );
    for answer in [r#"{"a":1}"#, r#"{"a":2}"#] {
        keep_answer(&pool, [7; 32], answer)
            .await
            .expect("postgres runs");
    }
    let kept = cached_answer(&pool, [7; 32]).await.expect("postgres runs");
    assert_eq!(kept.as_deref(), Some(r#"{"a":1}"#));
    for (age, forgotten) in [(Duration::from_mins(1), 0), (Duration::ZERO, 1)] {
        let count = forget_answers(&pool, age, 10).await.expect("postgres runs");
        assert_eq!(count, forgotten);
    }
}
