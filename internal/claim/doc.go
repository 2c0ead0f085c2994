// Package claim tells one installation from another: two brands on one Redis, a restored dump, a copied folder.
//
// An installation is an id, made by a migration, and the database that holds it: a dump that is restored elsewhere
// has the id and is another database. From both follows the space of its keys in Redis (redis.Space).
//
// A folder that is copied with its server is the same in both. So the row has a generation and a token, which are
// turned every few seconds while the installation works, first in PostgreSQL and then in Redis, where they are the
// claim. The copy's row stays behind or turns otherwise, and whoever finds a claim in Redis that its own row has never
// had does not work there. A claim that nobody keeps up ends after ClaimTime.
package claim
