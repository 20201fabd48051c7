-- How much may wait: the bound an account has, and the intake that an operator may close.
--
-- Only adds: the former version leaves `account` empty, and what it accepts is then not counted.

-- Whose wait it is. Empty for what nobody waits for: rejudges, verifications, what an operator sends again.
ALTER TABLE execute.judgement ADD COLUMN account uuid;
CREATE INDEX judgement_waiting ON execute.judgement (account, submission)
    WHERE account IS NOT NULL AND status IN ('queued', 'judging');

-- One row. While `open` is false nothing is accepted; what was accepted is judged all the same.
CREATE TABLE execute.intake (
    single     boolean     PRIMARY KEY DEFAULT true CHECK (single),
    open       boolean     NOT NULL,
    -- What whoever submits is told.
    message    text        NOT NULL,
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO execute.intake (open, message, changed_by) VALUES (true, '', 'setup');

-- Why one more may not be accepted; NULL: it may. `most` 0: no bound.
--
-- Volatile, so that each statement in it sees what was committed when it begins: whoever waited for the lock counts what the
-- one before has stored. The lock is the account's own and is held until the submission is committed.
CREATE FUNCTION execute.refusal(whose uuid, most integer) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT (SELECT open FROM execute.intake) THEN
        RETURN 'closed';
    END IF;
    IF most > 0 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(whose::text, 8318));
        IF (SELECT count(*) FROM execute.judgement WHERE account = whose AND status IN ('queued', 'judging')) >= most THEN
            RETURN 'waiting';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
