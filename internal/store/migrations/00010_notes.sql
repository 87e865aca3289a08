-- +goose Up
-- What bots have to know after a restart, such as how far they have read.
CREATE TABLE notes (
    bot  TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (bot, name)
);

-- +goose Down
DROP TABLE notes;
