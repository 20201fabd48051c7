-- Questions: drafts that change, versions that never do.
--
-- The bodies of tests are files (see crates/question/src/blobs.rs); here stand only their hashes. Migrations only add, so
-- that they are safe to run beside the former version of the service.

CREATE TABLE question.question (
    id              uuid        PRIMARY KEY,
    slug            text        NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]{1,80}$'),
    -- The document without its tests, in the form of crates/question/src/document.rs.
    draft           jsonb       NOT NULL,
    -- Grows by one with every change of anything that its teachers see: the ETag.
    revision        bigint      NOT NULL DEFAULT 1 CHECK (revision > 0),
    -- What learners see; NULL as long as it was never published.
    current_version integer,
    archived_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    -- What the list shows: of the current version, of the draft while there is none.
    kind            text        NOT NULL,
    titles          jsonb       NOT NULL,
    difficulty      smallint    NOT NULL,
    tags            text[]      NOT NULL,
    languages       text[]      NOT NULL
);

CREATE TABLE question.teacher (
    question uuid        NOT NULL REFERENCES question.question ON DELETE CASCADE,
    account  uuid        NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (question, account)
);
CREATE INDEX teacher_account ON question.teacher (account, question);

-- The draft's tests.
CREATE TABLE question.test (
    question      uuid             NOT NULL REFERENCES question.question ON DELETE CASCADE,
    name          text             NOT NULL CHECK (name ~ '^[A-Za-z0-9._-]{1,64}$'),
    -- Judged in this order; may have holes.
    position      integer          NOT NULL,
    sample        boolean          NOT NULL,
    group_name    text,
    points        double precision,
    input_sha256  text             NOT NULL,
    input_size    bigint           NOT NULL,
    output_sha256 text             NOT NULL,
    output_size   bigint           NOT NULL,
    PRIMARY KEY (question, name)
);

CREATE TABLE question.version (
    question     uuid        NOT NULL REFERENCES question.question,
    number       integer     NOT NULL CHECK (number > 0),
    -- The draft as it was, without its tests.
    document     jsonb       NOT NULL,
    -- The revision that was frozen.
    revision     bigint      NOT NULL,
    -- Published although no verification stood behind it.
    unverified   boolean     NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by uuid        NOT NULL,
    PRIMARY KEY (question, number)
);

ALTER TABLE question.question
    ADD CONSTRAINT question_current_version_fkey
    FOREIGN KEY (id, current_version) REFERENCES question.version (question, number);

CREATE TABLE question.version_test (
    question      uuid             NOT NULL,
    version       integer          NOT NULL,
    -- From 1, without holes.
    position      integer          NOT NULL,
    name          text             NOT NULL,
    sample        boolean          NOT NULL,
    group_name    text,
    points        double precision,
    input_sha256  text             NOT NULL,
    input_size    bigint           NOT NULL,
    output_sha256 text             NOT NULL,
    output_size   bigint           NOT NULL,
    PRIMARY KEY (question, version, position),
    UNIQUE (question, version, name),
    FOREIGN KEY (question, version) REFERENCES question.version (question, number)
);

-- A version is what submissions were judged by: no mistake in a program may change one.
CREATE FUNCTION question.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER version_is_immutable BEFORE UPDATE OR DELETE ON question.version
    FOR EACH ROW EXECUTE FUNCTION question.refuse_change();
CREATE TRIGGER version_test_is_immutable BEFORE UPDATE OR DELETE ON question.version_test
    FOR EACH ROW EXECUTE FUNCTION question.refuse_change();

-- Who changed what. Outlives the question, therefore no foreign key.
CREATE TABLE question.change (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    question     uuid        NOT NULL,
    -- The revision that came out of it.
    revision     bigint      NOT NULL,
    action       text        NOT NULL,
    -- JSON pointers into the document, and what else tells the change.
    detail       jsonb       NOT NULL,
    account      uuid        NOT NULL,
    account_name text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX change_question ON question.change (question, id DESC);

-- How far an account has come with a question.
CREATE TABLE question.progress (
    account    uuid        NOT NULL,
    question   uuid        NOT NULL REFERENCES question.question ON DELETE CASCADE,
    state      text        NOT NULL CHECK (state IN ('attempted', 'solved')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, question)
);
