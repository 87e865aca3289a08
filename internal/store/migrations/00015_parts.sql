-- +goose Up
-- On SQLite one or two characters are found, too: as the beginning of sequences of
-- three, in a list of them all. What was said is followed by two characters that
-- nobody writes, so that such a sequence begins with its last characters as well.
SELECT 1;
ONLY_SQLITE DROP TABLE found;
ONLY_SQLITE CREATE VIRTUAL TABLE found USING fts5 (question, answer, content = '', contentless_delete = 1, tokenize = 'trigram');
ONLY_SQLITE INSERT INTO found (found, rank) VALUES ('deletemerge', 0);
ONLY_SQLITE CREATE VIRTUAL TABLE parts USING fts5vocab (found, instance);
ONLY_SQLITE INSERT INTO found (rowid, question, answer) SELECT jobs.id, jobs.text || char(3, 3), COALESCE(replies.text, '') || char(3, 3) FROM jobs LEFT JOIN replies ON replies.job_id = jobs.id WHERE jobs.finished_at > 0 AND jobs.forgotten = 0;

-- +goose Down
SELECT 1;
ONLY_SQLITE DROP TABLE parts;
