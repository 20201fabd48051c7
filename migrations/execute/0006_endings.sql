-- What is being ended is looked for every two seconds, apart from what is late.
--
-- Only adds: the former version does without.

CREATE INDEX judgement_ending ON execute.judgement (ending_sent_at) WHERE terminal_at IS NULL AND ending IS NOT NULL;
