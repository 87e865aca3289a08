-- +goose Up
-- People who look like one human being and are not, as the admin said: each pair
-- once, in order.
CREATE TABLE apart (
    person TEXT NOT NULL,
    other  TEXT NOT NULL,
    PRIMARY KEY (person, other)
);

-- +goose Down
DROP TABLE apart;
