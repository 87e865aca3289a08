-- +goose Up
-- The audit is append-only by the database itself: rows are never changed, and go
-- only when they are older than a year.
SELECT 1;
ONLY_SQLITE CREATE TRIGGER audits_change BEFORE UPDATE ON audits BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
ONLY_SQLITE CREATE TRIGGER audits_delete BEFORE DELETE ON audits WHEN OLD.at > (CAST(strftime('%s', 'now') AS INTEGER) - 31536000) * 1000000 BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- Putting another row in the place of one is no DELETE to SQLite.
ONLY_SQLITE CREATE TRIGGER audits_replace BEFORE INSERT ON audits WHEN EXISTS (SELECT 1 FROM audits WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
ONLY_POSTGRES CREATE FUNCTION audits_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'DELETE' THEN IF OLD.at <= (extract(epoch FROM now()) - 31536000) * 1000000 THEN RETURN OLD; END IF; END IF; RAISE EXCEPTION 'the audit is append-only'; END $$;
ONLY_POSTGRES CREATE TRIGGER audits_change BEFORE UPDATE OR DELETE ON audits FOR EACH ROW EXECUTE FUNCTION audits_stay();
ONLY_POSTGRES CREATE TRIGGER audits_truncate BEFORE TRUNCATE ON audits FOR EACH STATEMENT EXECUTE FUNCTION audits_stay();

-- +goose Down
SELECT 1;
ONLY_SQLITE DROP TRIGGER audits_replace;
ONLY_SQLITE DROP TRIGGER audits_delete;
ONLY_SQLITE DROP TRIGGER audits_change;
ONLY_POSTGRES DROP TRIGGER audits_truncate ON audits;
ONLY_POSTGRES DROP TRIGGER audits_change ON audits;
ONLY_POSTGRES DROP FUNCTION audits_stay();
