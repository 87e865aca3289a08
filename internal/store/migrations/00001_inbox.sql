-- +goose Up
-- Times are microseconds since 1970 in UTC; 0 means never. Texts that stand for
-- a missing value are empty, never NULL. AUTO_KEY is replaced per engine.

CREATE TABLE jobs (
    id          AUTO_KEY,
    bot         TEXT     NOT NULL,
    origin      TEXT     NOT NULL,            -- m:<message id> or a:<action id>
    queue       TEXT     NOT NULL,
    lane        TEXT     NOT NULL,
    first_lane  TEXT     NOT NULL DEFAULT '', -- before people were linked, if they were
    state       TEXT     NOT NULL,
    attempt     INTEGER  NOT NULL DEFAULT 0,
    last_error  TEXT     NOT NULL DEFAULT '',
    accepted_at BIGINT   NOT NULL,
    due_at      BIGINT   NOT NULL,            -- 0 at once, whatever happens to the clock
    started_at  BIGINT   NOT NULL DEFAULT 0,
    finished_at BIGINT   NOT NULL DEFAULT 0,
    node        TEXT     NOT NULL DEFAULT '', -- of the last attempt
    lease_until BIGINT   NOT NULL DEFAULT 0,
    outcome     SMALLINT NOT NULL DEFAULT 0,  -- 1 answered, 2 failed, for the counts
    forgotten   SMALLINT NOT NULL DEFAULT 0,  -- 1 when the content was dropped
    is_action   SMALLINT NOT NULL DEFAULT 0,
    text        TEXT     NOT NULL,            -- content: the text of the question
    extra       TEXT     NOT NULL,            -- content: quote, files, button values
    message     TEXT     NOT NULL,            -- the rest of the message
    action      TEXT     NOT NULL             -- the rest of the action, if it is one
);

-- A message is accepted once.
CREATE UNIQUE INDEX jobs_once ON jobs (bot, origin);
CREATE INDEX jobs_lane ON jobs (lane, id);
-- What each bot received since midnight, and how it ended.
CREATE INDEX jobs_counts ON jobs (bot, accepted_at, outcome) WHERE is_action = 0;
CREATE INDEX jobs_running ON jobs (node) WHERE state = 'running';
CREATE INDEX jobs_retryable ON jobs (due_at) WHERE state = 'retryable';
CREATE INDEX jobs_old ON jobs (forgotten, finished_at) WHERE finished_at > 0;

-- One row per lane, kept in step with jobs by every write: the inbox claims from
-- it, and the list of conversations is read from it, however many jobs there are.
CREATE TABLE lanes (
    lane      TEXT   NOT NULL PRIMARY KEY,
    queue     TEXT   NOT NULL,              -- of the head
    head      BIGINT NOT NULL,              -- the oldest unfinished job; 0 when there is none
    due_at    BIGINT NOT NULL,              -- of the head
    open      BIGINT NOT NULL,              -- unfinished jobs
    busy      BIGINT NOT NULL DEFAULT 0,    -- running jobs; 2 only after people were linked
    person    TEXT   NOT NULL,              -- empty for a group
    title     TEXT   NOT NULL,              -- of a group
    platforms TEXT   NOT NULL,              -- ",latest,earlier,"
    bots      TEXT   NOT NULL,              -- ",latest,earlier,"
    last_job  BIGINT NOT NULL,              -- the last question; 0 before the first
    last_at   BIGINT NOT NULL,
    questions BIGINT NOT NULL
);

CREATE INDEX lanes_open ON lanes (queue, busy, head) WHERE open > 0;
CREATE INDEX lanes_last ON lanes (last_at) WHERE last_job > 0;

CREATE TABLE replies (
    job_id     BIGINT NOT NULL PRIMARY KEY,
    state      TEXT   NOT NULL,
    text       TEXT   NOT NULL,             -- content
    error      TEXT   NOT NULL,
    rest       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE entries (
    id      AUTO_KEY,
    at      BIGINT  NOT NULL,
    kind    TEXT    NOT NULL,
    job_id  BIGINT  NOT NULL,
    bot     TEXT    NOT NULL,
    message TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    took    BIGINT  NOT NULL,               -- nanoseconds
    note    TEXT    NOT NULL,
    error   TEXT    NOT NULL
);

CREATE INDEX entries_job ON entries (job_id) WHERE job_id > 0;
CREATE INDEX entries_rest ON entries (at) WHERE job_id = 0;

-- +goose Down
DROP TABLE entries;
DROP TABLE replies;
DROP TABLE lanes;
DROP TABLE jobs;
