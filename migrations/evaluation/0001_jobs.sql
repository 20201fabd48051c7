-- One row for each job ever claimed. A claim is (attempt, lease_until): whoever holds the highest attempt under a running
-- lease works, and only that attempt can end the job. The row outlives the job: it is what the audit counts.
-- The learner's code is never here: a redelivered job brings it along.
CREATE TABLE evaluation.job (
    submission  uuid        NOT NULL,
    judgement   integer     NOT NULL CHECK (judgement > 0),
    stage       text        NOT NULL CHECK (stage IN ('judge', 'review')),
    -- What kind of work it is, for the audit: a learner's submission, a run, or part of a batch.
    kind        text        NOT NULL CHECK (kind IN ('submission', 'run', 'batch')),
    accepted_at timestamptz,
    attempt     integer     NOT NULL CHECK (attempt > 0),
    lease_until timestamptz NOT NULL,
    -- A paid call to a language model was begun. Never taken back: a successor that finds it does not pay again.
    calling_at  timestamptz,
    done_at     timestamptz,
    -- The stream events that end the job, in order. `json` and not `jsonb`: a program's output may hold NUL.
    final       json,
    -- On judge rows whose review is not done: what the review job needs beside the judge job.
    review      json,
    PRIMARY KEY (submission, judgement, stage)
);

-- What is stored for redeliveries is forgotten when none can come any more.
CREATE INDEX job_final ON evaluation.job (done_at) WHERE final IS NOT NULL;
