// Package redis opens clients the way this service needs them: a command is sent at most once,
// waits are short, and no error ever spells out a password.
//
// # Addresses
//
//	redis://user:pass@host:6379/0                         one server
//	rediss://user:pass@host:6379/0                        one server, TLS
//	unix://user:pass@/run/redis.sock?db=0                 one server, unix socket
//	redis-sentinel://user:pass@h1:26379,h2:26379/0?master=name
//	redis-cluster://user:pass@h1:6379,h2:6379
//
// User and password are those of the data servers; `sentinel_username` and `sentinel_password`
// are for the sentinels themselves, `tls=true` turns TLS on for sentinel and cluster. Every
// form also takes `dial_timeout`, `read_timeout`, `write_timeout` (Go durations) and
// `pool_size`. Anything else in the query is an error, so that a typing mistake shows.
//
// # Why nothing is retried
//
// go-redis repeats a command, Lua scripts included, when the answer does not come in time,
// although the server may have run it: one enqueue can become two tasks. A peer applied money
// twice this way. So retries are off (MaxRetries: -1) and callers decide what an unanswered
// command means; here they ask PostgreSQL.
package redis
