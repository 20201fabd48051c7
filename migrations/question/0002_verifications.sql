-- Proofs of drafts: which batch judged the stored solutions of which content, and what came of it.
--
-- Only adds: the former version publishes without them.

CREATE TABLE question.verification (
    -- The batch.
    id         uuid        PRIMARY KEY,
    question   uuid        NOT NULL REFERENCES question.question ON DELETE CASCADE,
    -- SHA-256 of all that judging depends on: a draft that was changed since is not proven.
    content    bytea       NOT NULL CHECK (octet_length(content) = 32),
    -- What came of it, in the form of `contract::batch::VerificationOutcome`; NULL until all is judged. `json` and not
    -- `jsonb`: compilers may write NUL.
    outcome    json,
    account    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX verification_question ON question.verification (question, created_at DESC);
