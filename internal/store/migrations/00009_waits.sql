-- +goose Up
-- Whether an answer waits for somebody's decision, which is asked at every
-- question.
ALTER TABLE replies ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
UPDATE replies SET waits = 1 WHERE rest LIKE '%"form":{%';
CREATE INDEX replies_waiting ON replies (job_id) WHERE waits = 1;

-- +goose Down
DROP INDEX replies_waiting;
ALTER TABLE replies DROP COLUMN waits;
