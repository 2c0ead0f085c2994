// Package testbed gives tests real servers: a migrated database and an empty Redis database of
// their own, in milliseconds. It is for tests only.
//
//	func TestMain(m *testing.M) { testbed.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		url := testbed.Database(t)
//		…
//	}
//
// The servers are the private ones of `.evens-test` in the module's root, without fsync,
// shared by all test binaries that run at the time. `make test` starts them once around all of
// them. Where EVENS_TEST_DATABASE_URL and EVENS_TEST_REDIS_URL (or else EVENS_DATABASE_URL and
// EVENS_REDIS_URL) are set, those servers are used instead: the user must be allowed to create
// databases, and of Redis only empty databases are taken.
//
// Pub/sub, FLUSHALL and CONFIG SET reach beyond one Redis database, stopping PostgreSQL beyond
// one test: tests of such things take [PrivateServers].
package testbed
