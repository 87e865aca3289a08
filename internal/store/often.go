package store

import (
	"context"
	"database/sql"
	"errors"
)

// often are the queries that every message takes, prepared: for SQLite to read
// one takes longer than to answer it.
type often struct {
	whoIs, awaits, reply *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB, e engine) (often, error) {
	var o often
	for query, place := range map[string]**sql.Stmt{whoIs: &o.whoIs, awaits: &o.awaits, replyOf: &o.reply} {
		stmt, err := db.PrepareContext(ctx, e.rebind(query)) //nolint:sqlclosecheck // close does, at the end
		if err != nil {
			return o, errors.Join(err, o.close())
		}
		*place = stmt
	}
	return o, nil
}

func (o often) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{o.whoIs, o.awaits, o.reply} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}
