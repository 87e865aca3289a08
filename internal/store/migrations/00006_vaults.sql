-- +goose Up
-- What people wrote that an agent knows only by placeholders, so that it can be
-- put back into answers. It goes when the session is closed.
ALTER TABLE sessions ADD COLUMN vault TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN vault;
