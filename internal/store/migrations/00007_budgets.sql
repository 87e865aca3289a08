-- +goose Up
-- What was used of monthly allowances, by the day of the local clock. Several
-- programs add to the same row.
CREATE TABLE spendings (
    account TEXT   NOT NULL,
    bot     TEXT   NOT NULL,
    meter   TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    used    BIGINT NOT NULL,
    PRIMARY KEY (account, bot, meter, day)
);

-- +goose Down
DROP TABLE spendings;
