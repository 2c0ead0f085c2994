package main

import (
	"cmp"
	"context"
	"errors"

	"evens/internal/postgres"
)

// errOwnerAlone ends a process that would otherwise take a private server for the owner's.
var errOwnerAlone = errors.New("EVENS_DATABASE_OWNER_URL needs EVENS_DATABASE_URL: the same database, as the role that processes work as")

// schemaURL is the address of whoever may make databases and tables.
func (s *system) schemaURL() string { return cmp.Or(s.ownerURL, s.databaseURL) }

// readRights finds out whether processes may do more than they need.
func (s *system) readRights(ctx context.Context) {
	var err error
	if s.excess, err = postgres.ExcessRights(ctx, s.db.Pool); err != nil {
		s.log.Warn("the rights of the database role", "error", err)
	}
}

// warnOfRights says so at the start of a process that stays.
func (s *system) warnOfRights() {
	if s.excess != "" {
		s.log.Warn(s.excess + ": give EVENS_DATABASE_URL a role of its own and EVENS_DATABASE_OWNER_URL this one (docs/security.md)")
	}
}
