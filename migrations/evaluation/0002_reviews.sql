-- Calls to a language model, an account a day (UTC).
CREATE TABLE evaluation.review_budget (
    account uuid    NOT NULL,
    day     date    NOT NULL,
    calls   integer NOT NULL CHECK (calls > 0),
    PRIMARY KEY (account, day)
);

CREATE INDEX review_budget_day ON evaluation.review_budget (day);

-- Whole, valid answers of a language model. The key is the SHA-256 of exactly the bytes that were sent.
CREATE TABLE evaluation.review_cache (
    key        bytea       PRIMARY KEY CHECK (octet_length(key) = 32),
    answer     json        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX review_cache_created ON evaluation.review_cache (created_at);
