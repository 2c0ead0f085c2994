// Package migrations holds the schema: plain SQL files in goose's format, embedded. They are
// its only source; nothing is ever created by an ORM. Migrations expand first and contract
// later, so that the release before still runs on the new schema.
package migrations

import "embed"

// FS contains the numbered migration files at its root.
//
//go:embed *.sql
var FS embed.FS
