-- Batches of judgements (rejudges, verifications), and the order in which results became known.
--
-- Only adds; the former version judges as before and knows nothing of batches.

-- Solutions of a question are judged like submissions, and are nobody's but the question's teachers'.
ALTER TABLE execute.submission DROP CONSTRAINT submission_kind_check;
ALTER TABLE execute.submission ADD CONSTRAINT submission_kind_check CHECK (kind IN ('submission', 'run', 'solution'));
CREATE OR REPLACE FUNCTION execute.may_see(kind text, owner uuid, about uuid, viewer uuid, role text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN owner = viewer OR (kind <> 'run' AND (role = 'admin' OR (role = 'teacher' AND EXISTS (
        SELECT FROM execute.question WHERE question.id = about AND viewer = ANY (question.teachers)))));

-- Many judgements that belong together.
CREATE TABLE execute.batch (
    id           uuid        PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('rejudge', 'verification')),
    question     uuid        NOT NULL,
    -- The version that judges; of a verification the one that the draft would become.
    version      integer     NOT NULL,
    account      uuid        NOT NULL,
    account_name text        NOT NULL,
    -- Whether its judgements count: only those of a rejudge ever may.
    state        text        NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'applied', 'discarded')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz
);
CREATE INDEX batch_question ON execute.batch (question, id DESC);

-- One judgement of a batch. The judgement is made when its turn comes, so that a large batch is no wave in the outbox.
CREATE TABLE execute.batch_item (
    batch        uuid    NOT NULL REFERENCES execute.batch ON DELETE CASCADE,
    n            integer NOT NULL CHECK (n > 0),
    submission   uuid    NOT NULL REFERENCES execute.submission ON DELETE CASCADE,
    -- How it is judged.
    manifest     bytea   NOT NULL,
    judgement    integer,
    -- What counted before, for a rejudge; what must come out, for a verification.
    before       text,
    before_score double precision,
    expect       text,
    PRIMARY KEY (batch, n)
);
CREATE INDEX batch_item_waiting ON execute.batch_item (batch, n) WHERE judgement IS NULL;
CREATE INDEX batch_item_submission ON execute.batch_item (submission);

-- Where a judgement is not judged as the submission was at first: by which manifest and version, and for which batch.
ALTER TABLE execute.judgement
    ADD COLUMN manifest bytea,
    ADD COLUMN version  integer,
    ADD COLUMN batch    uuid,
    -- Its place in the feed; given out one transaction at a time, so that nobody ever sees a later one before an earlier one.
    -- NULL: not yet, 0: never.
    ADD COLUMN position bigint;
CREATE INDEX judgement_bulk_open ON execute.judgement (batch) WHERE batch IS NOT NULL AND terminal_at IS NULL;
CREATE INDEX judgement_position ON execute.judgement (position) WHERE position > 0;
CREATE INDEX judgement_unplaced ON execute.judgement (terminal_at) WHERE terminal_at IS NOT NULL AND position IS NULL;
CREATE SEQUENCE execute.feed_position;
