-- +goose Up
-- What stands below an answer beside its text: the buttons, which may say what
-- somebody could ask next.
ALTER TABLE replies ADD COLUMN extra TEXT NOT NULL DEFAULT ''; -- content

-- +goose Down
ALTER TABLE replies DROP COLUMN extra;
