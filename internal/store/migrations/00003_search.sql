-- +goose Up
-- SQLite finds parts of what was said through an index of all sequences of three
-- characters, which works for Chinese as for English. It holds finished jobs only,
-- by their id. PostgreSQL reads the texts themselves.
SELECT 1;
ONLY_SQLITE CREATE VIRTUAL TABLE found USING fts5 (question, answer, content = '', contentless_delete = 1, tokenize = 'trigram');
ONLY_SQLITE INSERT INTO found (rowid, question, answer) SELECT jobs.id, jobs.text, COALESCE(replies.text, '') FROM jobs LEFT JOIN replies ON replies.job_id = jobs.id WHERE jobs.finished_at > 0 AND jobs.forgotten = 0;

-- +goose Down
SELECT 1;
ONLY_SQLITE DROP TABLE found;
