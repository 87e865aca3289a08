-- +goose Up
CREATE TABLE people (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    role        TEXT   NOT NULL,
    language    TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    merged_into TEXT   NOT NULL DEFAULT ''  -- who took over the last identity
);

CREATE INDEX people_merged ON people (merged_into) WHERE merged_into <> '';

CREATE TABLE identities (
    platform     TEXT   NOT NULL,
    tenant       TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    person       TEXT   NOT NULL REFERENCES people (id),
    first_person TEXT   NOT NULL,           -- before any linking, so that it can be undone
    name         TEXT   NOT NULL,
    linked_at    BIGINT NOT NULL,
    PRIMARY KEY (platform, tenant, user_id)
);

CREATE INDEX identities_person ON identities (person);

CREATE TABLE sessions (
    id                TEXT    NOT NULL PRIMARY KEY,
    lane              TEXT    NOT NULL,
    first_lane        TEXT    NOT NULL DEFAULT '', -- before people were linked, if they were
    agent             TEXT    NOT NULL,
    person            TEXT    NOT NULL,
    conversation      TEXT    NOT NULL,
    conversation_user TEXT    NOT NULL,
    last_platform     TEXT    NOT NULL,
    messages          INTEGER NOT NULL,
    created_at        BIGINT  NOT NULL,
    last_active       BIGINT  NOT NULL,
    closed_at         BIGINT  NOT NULL DEFAULT 0
);

CREATE INDEX sessions_open ON sessions (lane, agent, last_active) WHERE closed_at = 0;

-- +goose Down
DROP TABLE sessions;
DROP TABLE identities;
DROP TABLE people;
