-- +goose Up
-- What was asked and answered, and what that cost, by the day of the local clock:
-- numbers, which stay when what was said is forgotten. A row is an account's, not
-- a person's, because accounts are linked and unlinked. Prices are in billionths.
CREATE TABLE usages (
    day       TEXT   NOT NULL,
    platform  TEXT   NOT NULL,
    tenant    TEXT   NOT NULL,
    user_id   TEXT   NOT NULL,
    bot       TEXT   NOT NULL,
    agent     TEXT   NOT NULL,
    currency  TEXT   NOT NULL, -- empty: nothing was paid
    questions BIGINT NOT NULL,
    answers   BIGINT NOT NULL,
    tokens    BIGINT NOT NULL,
    price     BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    PRIMARY KEY (day, platform, tenant, user_id, bot, agent, currency)
);

CREATE INDEX usages_account ON usages (platform, tenant, user_id, day);

-- +goose Down
DROP TABLE usages;
