// Package claim tells one installation from another: two brands on one Redis, a restored dump, a copied folder.
//
// An installation is an id, made by a migration, and the database that holds it: a dump that is restored elsewhere
// has the id and is another database. From both follows the space of its keys in Redis (redis.Space).
//
// A folder that is copied together with its server has the same id and the same database. So the row also has a
// generation and a token, which a working installation renews every few seconds, first in PostgreSQL and then in Redis.
// What stands in Redis is the claim. A copy's row falls behind or gets other tokens; a process that finds a claim in
// Redis that its own row has never had does not work there. A claim that is not renewed ends after ClaimTime.
package claim
