-- What judging took, for the record of its end: processor time of all its tests, in milliseconds, and tokens of its review.
ALTER TABLE execute.judgement
    ADD COLUMN machine_ms bigint NOT NULL DEFAULT 0,
    ADD COLUMN tokens     bigint NOT NULL DEFAULT 0;
