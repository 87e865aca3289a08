-- +goose Up
-- PostgreSQL finds parts of what was said through an index of its own kind of
-- sequences of three characters, where the extension for it can be had. Without
-- it, or where the server's locale knows only ASCII letters, the texts are read.
SELECT 1;
ONLY_POSTGRES DO $$ DECLARE home text; BEGIN PERFORM pg_advisory_xact_lock(hashtextextended('switchboard:pg_trgm', 0)); CREATE EXTENSION IF NOT EXISTS pg_trgm; SELECT quote_ident(n.nspname) INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'; EXECUTE 'CREATE INDEX jobs_said ON jobs USING gin (lower(text) ' || home || '.gin_trgm_ops)'; EXECUTE 'CREATE INDEX replies_said ON replies USING gin (lower(text) ' || home || '.gin_trgm_ops)'; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'no index for searching: %', SQLERRM; END $$;

-- +goose Down
DROP INDEX IF EXISTS replies_said;
DROP INDEX IF EXISTS jobs_said;
