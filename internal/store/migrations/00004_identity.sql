-- +goose Up
-- What a platform's directory said of a user. The keys are what equal addresses
-- and numbers have in common, however they were written.
CREATE TABLE profiles (
    platform   TEXT   NOT NULL,
    tenant     TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    mobile     TEXT   NOT NULL,
    department TEXT   NOT NULL,
    avatar     TEXT   NOT NULL,
    email_key  TEXT   NOT NULL,
    mobile_key TEXT   NOT NULL,
    looked_up  BIGINT NOT NULL,
    PRIMARY KEY (platform, tenant, user_id)
);

CREATE INDEX profiles_email ON profiles (email_key) WHERE email_key <> '';
CREATE INDEX profiles_mobile ON profiles (mobile_key) WHERE mobile_key <> '';

-- At most one code per person; never the code itself.
CREATE TABLE link_codes (
    person     TEXT   NOT NULL PRIMARY KEY REFERENCES people (id),
    salt       TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    used_by    BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE link_tries (
    person       TEXT    NOT NULL PRIMARY KEY REFERENCES people (id),
    wrong        INTEGER NOT NULL,
    last_at      BIGINT  NOT NULL,
    locked_until BIGINT  NOT NULL
);

-- Rows are added and read, never changed.
CREATE TABLE audits (
    id     AUTO_KEY,
    at     BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    actor  TEXT   NOT NULL,
    place  TEXT   NOT NULL,
    person TEXT   NOT NULL,
    note   TEXT   NOT NULL,
    undo   TEXT   NOT NULL,           -- how to take it back; empty: not at all
    undoes BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX audits_person ON audits (person, id);
CREATE UNIQUE INDEX audits_undoes ON audits (undoes) WHERE undoes > 0;

-- Chats in which a human answers for a while.
CREATE TABLE mutes (
    chat  TEXT   NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);

-- What was said lately and is not to be repeated at once.
CREATE TABLE told (
    topic  TEXT   NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    job_id BIGINT NOT NULL
);

-- +goose Down
DROP TABLE told;
DROP TABLE mutes;
DROP TABLE audits;
DROP TABLE link_tries;
DROP TABLE link_codes;
DROP TABLE profiles;
