-- +goose Up
-- Until when each bot could certainly be reached: what was written later may have
-- been missed.
CREATE TABLE reaches (
    bot      TEXT   NOT NULL PRIMARY KEY,
    until_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE reaches;
