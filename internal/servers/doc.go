// Package servers runs a private PostgreSQL and Redis for a data folder.
//
// # What it promises
//
//   - The servers belong to the folder, not to a process: every command with the same folder
//     uses the same ones, the first starts them and the last stops them, in whatever order the
//     commands end, killed ones too. What a killed run left behind is taken over.
//   - Nothing else on the machine is touched: PostgreSQL listens on a unix socket in a folder
//     of mode 0700 and on no port, Redis on a free port of 127.0.0.1 behind a password. The
//     machine's own services, their ports and their data stay as they are.
//   - It works as root, although PostgreSQL does not: the servers then run as `postgres` or,
//     where there is no such user, as `nobody`.
//   - Data survive a crash (fsync on) unless [Options.Fast] says that nobody will miss them.
//   - A process id proves nothing about a folder. Only who holds the flock on the folder a server works in starts one
//     there, removes its socket or touches its pid file; the server inherits that lock and holds it to its end. Where
//     it is taken and no server can be reached the folder is refused.
//   - What has ended is started again by whoever holds it, until Release.
//
// # What lies where
//
//	DIR/start.lock       held exclusively while servers are looked for, started or stopped
//	DIR/users.lock       held shared by everyone who uses them
//	DIR/elsewhere        where the rest is, if the servers' user cannot enter DIR
//	DIR/postgres/data    the cluster; data.new-* are leftovers of an interrupted initdb
//	DIR/postgres/log     its log, the one before in log.1
//	DIR/redis/url        where Redis answers, password included
//	DIR/redis/log
//	DIR/redis.broken-*   what Redis could not read again, put aside
//
// Locks are flocks: the kernel drops them with the last process that held them, so no lock is ever
// stale. On a network file system they prove nothing: a folder there is refused. A process that releases
// the servers tries to take users.lock exclusively; the one that gets it was the last user and stops them.
//
// # Where no Redis can be had
//
// An in-process one serves and one line of warning says so. It lives as long as the process
// that started it; Redis holds reminders only, so what is lost is found again in PostgreSQL.
package servers
