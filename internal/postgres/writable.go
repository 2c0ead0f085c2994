package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrReadOnly says that the server takes no writes: it is a standby, or was told to be read-only.
var ErrReadOnly = fmt.Errorf("the server is read-only: %w", ErrUnavailable)

// renewPause is how often the sessions of a process are replaced at most while their server stays read-only.
const renewPause = time.Second

// sessions are the pools of a process. Where one of their sessions turns out to be on a server that has become
// read-only, or to have been opened before the schema changed, the others are as well: all are closed, so that the
// next go to where the address leads by then.
type sessions struct {
	mu      sync.Mutex
	pools   []*pgxpool.Pool
	renewed time.Time
}

func (s *sessions) add(pool *pgxpool.Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools = append(s.pools, pool)
}

// renew closes the idle sessions now, those in use when they are given back.
func (s *sessions) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.renewed) < renewPause {
		return
	}
	s.renewed = time.Now()
	for _, pool := range s.pools {
		pool.Reset()
	}
}

// judge is called with every error of the server, and reports whether its session goes on. One on a read-only
// server, with an outdated plan or after an internal error does not.
func (s *sessions) judge(before pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		switch {
		case err.Code == readOnly, stalePlan(err):
			s.renew()
			return false
		case class(err) == classInternal:
			return false
		}
		return before == nil || before(conn, err)
	}
}

// wantsWritable has connections made to the server that takes writes where an address names several and does not say
// which of them is meant.
func wantsWritable(cfg *pgconn.Config) {
	if cfg.ValidateConnect != nil {
		return
	}
	for _, other := range cfg.Fallbacks {
		if other.Host != cfg.Host || other.Port != cfg.Port {
			cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
			return
		}
	}
}

const askWritable = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean`

// Ready makes sure that the database answers and takes writes: [ErrReadOnly] where it does not.
func (db *DB) Ready(ctx context.Context) error {
	var refuses bool
	if err := db.Pool.QueryRow(ctx, askWritable).Scan(&refuses); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	if refuses {
		db.sessions.renew()
		return ErrReadOnly
	}
	return nil
}

// ReadOnly reports whether err is a server's that takes no writes at the moment.
func ReadOnly(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == readOnly || errors.Is(err, ErrReadOnly)
}
