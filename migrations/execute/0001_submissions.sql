-- Submissions, their event log, and what is still to be sent to Kafka: execute's own tables. Nothing else reads them.
--
-- Every time here is Postgres' now(). Migrations only add, so that they are safe to run beside the former version.

-- Times as they stand in messages.
CREATE FUNCTION execute.rfc3339(at timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- A copy of what is needed of a question to decide who sees submissions to it; brought up to date by each submit.
CREATE TABLE execute.question (
    id       uuid   PRIMARY KEY,
    slug     text   NOT NULL,
    -- By language tag; a language joins when it is first seen.
    titles   jsonb  NOT NULL,
    teachers uuid[] NOT NULL
);
CREATE INDEX question_slug ON execute.question (slug);
CREATE INDEX question_teachers ON execute.question USING gin (teachers);

-- The rule of who sees what, for one object: its owner; of submissions also admins and the question's teachers.
-- A role counts only as far as the token says, so that somebody listed here who is no teacher any more sees nothing.
CREATE FUNCTION execute.may_see(kind text, owner uuid, about uuid, viewer uuid, role text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN owner = viewer OR (kind = 'submission' AND (role = 'admin' OR (role = 'teacher' AND EXISTS (
        SELECT FROM execute.question WHERE question.id = about AND viewer = ANY (question.teachers)))));

-- How things are judged (limits, checker, driver, tests by hash) and what a reviewer may know: once for all submissions that
-- share it. Never changed. `json` and not `jsonb`: kept as it came.
CREATE TABLE execute.manifest (
    sha256     bytea       PRIMARY KEY CHECK (octet_length(sha256) = 32),
    body       json        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What was handed in. Only `applied` ever changes.
CREATE TABLE execute.submission (
    id              uuid        PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('submission', 'run')),
    account         uuid        NOT NULL,
    account_name    text        NOT NULL,
    locale          text        NOT NULL,
    question        uuid,
    version         integer,
    language        text        NOT NULL,
    files           json        NOT NULL,
    -- Runs on own input only.
    stdin           text,
    -- Which execute.manifest judges it. No foreign key: rows there are never deleted, and this is the hot path.
    manifest        bytea       NOT NULL,
    -- The partition of the events topic that its events go to, for ever.
    reply_partition integer     NOT NULL CHECK (reply_partition >= 0),
    -- The judgement that counts.
    applied         integer     NOT NULL DEFAULT 1,
    -- Of the request, in one spelling: tells a repeat from another request.
    body_sha256     bytea       NOT NULL,
    idempotency_key text,
    traceparent     text,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (kind = 'run' OR (question IS NOT NULL AND version IS NOT NULL AND stdin IS NULL))
);
CREATE UNIQUE INDEX submission_idempotency ON execute.submission (account, kind, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX submission_account ON execute.submission (account, id);
CREATE INDEX submission_question ON execute.submission (question, id) WHERE kind = 'submission';
CREATE INDEX submission_run ON execute.submission (accepted_at) WHERE kind = 'run';

-- One judging of a submission: where its job is, how far its stream has come, what came out.
CREATE TABLE execute.judgement (
    submission      uuid             NOT NULL REFERENCES execute.submission ON DELETE CASCADE,
    number          integer          NOT NULL CHECK (number > 0),
    deadline        timestamptz      NOT NULL,
    tries           integer          NOT NULL DEFAULT 1,
    -- Where its newest job lies in Kafka; NULL until the broker has acknowledged it.
    job_partition   integer,
    job_offset      bigint,
    -- The last sign of life: accepted, job acknowledged, event shown.
    active_at       timestamptz      NOT NULL DEFAULT now(),
    -- The state of the fold: the last event shown, and the verdict shown.
    last_attempt    integer,
    last_seq        integer,
    verdict_attempt integer,
    verdict_seq     integer,
    -- What the log says, for lists.
    status          text             NOT NULL CHECK (status IN ('queued', 'judging', 'judged', 'done', 'failed')),
    verdict         text,
    score           double precision,
    max_score       double precision,
    passed          integer,
    total           integer,
    time_ms         bigint,
    memory_kib      bigint,
    failure         text,
    terminal_at     timestamptz,
    -- Why execute ends it itself, and when it last said so to the reply partition.
    ending          text             CHECK (ending IN ('cancelled', 'deadline', 'retries')),
    ending_sent_at  timestamptz,
    PRIMARY KEY (submission, number),
    CHECK ((terminal_at IS NULL) = (status NOT IN ('done', 'failed')))
) WITH (fillfactor = 70);
CREATE INDEX judgement_open ON execute.judgement (deadline) WHERE terminal_at IS NULL;
CREATE INDEX judgement_queued ON execute.judgement (submission) WHERE status = 'queued';

-- The event log: exactly what the fold shows. `json` and not `jsonb`: what a program wrote may hold NUL.
-- No foreign key: the log writer checks each submission once a batch, not once an event.
CREATE TABLE execute.event (
    submission uuid        NOT NULL,
    judgement  integer     NOT NULL,
    attempt    integer     NOT NULL,
    seq        integer     NOT NULL,
    body       json        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (submission, judgement, attempt, seq)
);

-- Messages that Kafka has not acknowledged yet. Rows live for milliseconds: vacuumed by number, not by share.
CREATE TABLE execute.outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The judgement whose job it is, so that the job's place can be noted; NULL for other messages.
    submission uuid,
    judgement  integer,
    topic      text        NOT NULL,
    key        text        NOT NULL,
    partition  integer,
    headers    json        NOT NULL,
    payload    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Before this it is left to whoever wrote it.
    due_at     timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What could not be processed. A place in the topic is kept once, however often it is read.
CREATE TABLE execute.dead_letter (
    id          uuid        PRIMARY KEY,
    partition   integer     NOT NULL,
    log_offset  bigint      NOT NULL,
    message_id  text        NOT NULL,
    kind        text        NOT NULL,
    -- Where it was to be processed; NULL where its headers could not be read.
    origin      text,
    reason      text        NOT NULL,
    key         text        NOT NULL,
    headers     json        NOT NULL,
    payload     bytea       NOT NULL,
    -- Where the payload says so.
    submission  uuid,
    judgement   integer,
    arrived_at  timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolution  text        CHECK (resolution IN ('replayed', 'discarded')),
    UNIQUE (partition, log_offset, message_id),
    CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);
CREATE INDEX dead_letter_open ON execute.dead_letter (id) WHERE resolved_at IS NULL;
