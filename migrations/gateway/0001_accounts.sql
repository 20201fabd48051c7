-- Who may sign in, with what, and what was done: the gateway's own tables. Nothing else reads them.
-- Secrets are kept as SHA-256 (random ones of 128 bits and more) or argon2id (passwords); none can be read back.

create table gateway.account (
    id uuid primary key,
    -- Normalised: trimmed and in lower case, so that unique means unique to people.
    email text not null unique,
    name text not null,
    role text not null check (role in ('learner', 'teacher', 'admin')),
    locale text not null check (locale in ('ko', 'en')),
    -- Absent until the owner has chosen one with a one-time code.
    password_hash text,
    suspended_at timestamptz,
    created_at timestamptz not null default now()
);

create index account_by_role on gateway.account (role, id);

-- One sign-in on one device: a family of refresh tokens, of which only the newest is good.
create table gateway.session (
    id uuid primary key,
    account uuid not null references gateway.account on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_by text check (ended_by in ('logout', 'reuse', 'password', 'suspended'))
);

create index session_by_account on gateway.session (account) where ended_at is null;
create index session_by_expiry on gateway.session (expires_at);

-- The older ones stay while their family may live, so that one that comes back is known for what it is.
create table gateway.refresh_token (
    hash bytea primary key,
    session uuid not null references gateway.session on delete cascade,
    created_at timestamptz not null default now(),
    replaced_at timestamptz,
    -- From the token itself and this its successor is derived: the same one, however often it is asked for.
    successor_salt bytea,
    successor bytea,
    check ((replaced_at is null) = (successor is null) and (replaced_at is null) = (successor_salt is null))
);

create index refresh_token_by_session on gateway.refresh_token (session);

-- A way in without a password: made by a teacher, an admin or the operator, good once.
create table gateway.one_time_code (
    hash bytea primary key,
    account uuid not null references gateway.account on delete cascade,
    made_by uuid references gateway.account on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);

create index one_time_code_by_account on gateway.one_time_code (account);

-- Personal API tokens.
create table gateway.api_token (
    id uuid primary key,
    account uuid not null references gateway.account on delete cascade,
    name text not null,
    hash bytea not null unique,
    scopes text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create index api_token_by_account on gateway.api_token (account, id);

-- What access tokens are signed with. The newest that is not retired signs; a retired one still proves what it signed.
create table gateway.signing_key (
    kid text primary key,
    private_key bytea not null,
    public_key bytea not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz
);

-- Who did what to whom. Only ever added to.
create table gateway.audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    action text not null,
    -- Who did it; absent when nobody was signed in, or the operator did it on the machine.
    actor uuid,
    -- Whose account it was done to.
    account uuid,
    address inet,
    detail jsonb
);

create index audit_by_account on gateway.audit (account, id);

create function gateway.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to';
end
$$;

create trigger audit_is_append_only before update or delete on gateway.audit
    for each row execute function gateway.refuse_change();
