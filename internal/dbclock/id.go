package dbclock

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// A UUIDv7 begins with its time, and ranges of ids are read as windows of time (postgres.IDAt): so ids
// carry the database's time too.
var ids = idSource{now: func() time.Time { return time.Now() }}

// StampIDs makes the process's new ids carry the clock's time.
func (c *Clock) StampIDs() { ids.clock.Store(c) }

// NewID returns a UUIDv7 of the database's time, greater than those before it in this process.
func NewID() uuid.UUID { return ids.next() }

type idSource struct {
	now   func() time.Time // where no clock is set
	clock atomic.Pointer[Clock]

	mu   sync.Mutex
	last int64 // milliseconds and 12 bits of their fraction
}

// A clock that was put back further than this is followed, or ids would stay ahead of it.
const idsAhead = int64(time.Second/time.Millisecond) << 12

func (s *idSource) next() uuid.UUID {
	id := uuid.New()
	stamp := s.stamp()
	binary.BigEndian.PutUint64(id[:8], uint64(stamp>>12)<<16|0x7000|uint64(stamp&0xfff))
	return id
}

func (s *idSource) stamp() int64 {
	now := s.now
	if clock := s.clock.Load(); clock != nil {
		now = clock.Now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	stamp := at.UnixMilli()<<12 | int64(at.Nanosecond()%int(time.Millisecond))>>8
	if stamp <= s.last && s.last-stamp < idsAhead {
		stamp = s.last + 1
	}
	s.last = stamp
	return stamp
}
