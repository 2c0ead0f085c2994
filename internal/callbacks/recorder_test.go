package callbacks

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 4, HotConns: 2, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func record() Record {
	return Record{
		ID: uuid.Must(uuid.NewV7()), At: time.Now(), Provider: "tg", Path: "/casino/tg", Source: "192.0.2.1",
		Body: []byte("{}"), Status: 200, Code: "ok",
	}
}

func count(t *testing.T, db *postgres.DB, query string) (n int) {
	t.Helper()
	if err := db.Pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What a stranger writes into a header, or anywhere, costs no neighbour its record.
func TestNothingThatIsSentFailsABatch(t *testing.T) {
	t.Parallel()
	db := open(t)
	r := NewRecorder(db, quiet)
	var ids []uuid.UUID
	for _, poison := range []string{`\u0000`, `\\u0000`, "\x00", "\xff\xfe", `\ud800`, "\u2028", `"`, strings.Repeat(`\u0000`, 80)} {
		for _, write := range []func(*Record){
			func(r *Record) { r.Headers = map[string]string{"X-Signature": poison} },
			func(r *Record) { r.Headers = map[string]string{poison: "x"} },
			func(r *Record) { r.Path += poison },
			func(r *Record) { r.Source = poison },
			func(r *Record) { r.Body, r.Answer, r.Plain = []byte(poison), []byte(poison), []byte(poison) },
			func(*Record) {},
		} {
			poisoned := record()
			write(&poisoned)
			ids = append(ids, poisoned.ID)
			r.Keep(poisoned)
		}
	}
	r.Close()
	if kept := count(t, db, `SELECT count(*) FROM callbacks`); kept != len(ids) || r.Dropped() != 0 {
		t.Errorf("%d of %d kept, %d dropped", kept, len(ids), r.Dropped())
	}
	for _, id := range ids {
		if _, err := Read(t.Context(), db, id); err != nil {
			t.Errorf("record %s: %v", id, err)
		}
	}
}

// A record that no cleaning foresaw is lost alone.
func TestARecordThatCannotBeKeptIsLostAlone(t *testing.T) {
	t.Parallel()
	db := open(t)
	r := NewRecorder(db, quiet)
	for i := range 200 {
		one := record()
		if i == 77 {
			one.At = time.Date(290_000, 1, 1, 0, 0, 0, 0, time.UTC).Add(1<<63 - 1) // beyond any timestamp of the database
			one.At = one.At.AddDate(10_000, 0, 0)
		}
		r.Keep(one)
	}
	r.Close()
	if kept := count(t, db, `SELECT count(*) FROM callbacks`); kept != 199 || r.Dropped() != 1 {
		t.Errorf("%d of 199 kept, %d dropped", kept, r.Dropped())
	}
}

// An insert whose answer was lost is made again: nothing is there twice.
func TestAnInsertIsRepeatedHarmlessly(t *testing.T) {
	t.Parallel()
	db := open(t)
	r := NewRecorder(db, quiet)
	defer r.Close()
	records := []Record{record(), record(), record()}
	for range 2 {
		if err := r.insert(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		records = append(records, record()) // the second time there are new ones too
	}
	if kept := count(t, db, `SELECT count(*) FROM callbacks`); kept != 4 {
		t.Errorf("%d kept, want 4", kept)
	}
}

// Junk by the gigabyte, without a signature that fits: memory and table stay small, and the neighbours'
// records are kept.
func TestAFloodOfForgeriesLeavesLittle(t *testing.T) {
	t.Parallel()
	db := open(t)
	r := NewRecorder(db, quiet)
	var most runtime.MemStats
	junk := bytes.Repeat([]byte("junk"), 64<<10)
	for i := range 20_000 { // 5 GiB
		forged := record()
		forged.Body, forged.Unproven, forged.Code = junk, true, "unauthentic"
		forged.Headers = map[string]string{"X-Signature": "forged"}
		r.Keep(forged)
		if i%2000 == 0 {
			r.Keep(record())
			r.Refuse("198.51.100.1")
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.HeapInuse = max(most.HeapInuse, now.HeapInuse)
		}
	}
	r.Close()
	if most.HeapInuse > 200<<20 {
		t.Errorf("the heap grew to %d MiB", most.HeapInuse>>20)
	}
	if kept := count(t, db, `SELECT count(*) FROM callbacks WHERE code = 'ok'`); kept != 10 {
		t.Errorf("%d of 10 honest records kept", kept)
	}
	forged := count(t, db, `SELECT count(*) FROM callbacks WHERE code = 'unauthentic'`)
	if forged == 0 || forged > 2*eachMinute { // a minute may have ended meanwhile
		t.Errorf("%d forged records kept, want up to %d a minute", forged, eachMinute)
	}
	if n := r.Refused(); n != int64(20_000-forged+10) {
		t.Errorf("%d counted only, want %d", n, 20_000-forged+10)
	}
	if odd := count(t, db, `SELECT count(*) FROM callbacks WHERE code = 'unauthentic' AND (length(body) > 200 OR headers IS NOT NULL
		OR convert_from(body, 'UTF8')::jsonb->>'bytes' <> '262144' OR source <> '192.0.2.1')`); odd != 0 {
		t.Errorf("%d forged records have more, or other, than a length and a hash", odd)
	}
}

// What waits for a database that is away is bounded by its bytes.
func TestWhatWaitsIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.WithoutCancel(t.Context())
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE callbacks IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	r := NewRecorder(db, quiet)
	for range 4000 {
		one := record()
		one.Body = make([]byte, 64<<10)
		r.Keep(one)
		if held := r.held.Load(); held > bytesHeld {
			t.Fatalf("%d bytes are held", held)
		}
	}
	if r.Dropped() < 3000 {
		t.Errorf("%d dropped of 250 MiB", r.Dropped())
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if held := r.held.Load(); held != 0 {
		t.Errorf("%d bytes are held at the end", held)
	}
	if kept := count(t, db, `SELECT count(*) FROM callbacks`); int64(kept) != 4000-r.Dropped() {
		t.Errorf("%d kept and %d dropped of 4000", kept, r.Dropped())
	}
}

func TestSourcesAreCountedApartAndBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 12, 0, 30, 0, time.UTC)
	s := sources{now: func() time.Time { return now }}
	allowed := 0
	for i := range 1000 {
		if s.few(fmt.Sprintf("2001:db8::%x", i)) { // one network
			allowed++
		}
	}
	if allowed != eachMinute || !s.few("192.0.2.1") {
		t.Errorf("%d of one network, want %d, and another counts apart", allowed, eachMinute)
	}
	address := netip.MustParseAddr("10.0.0.0")
	for range 50_000 {
		s.few(address.String())
		address = address.Next()
	}
	if len(s.counts) > mostSources+1 {
		t.Errorf("%d sources are remembered", len(s.counts))
	}
	now = now.Add(time.Minute)
	if !s.few("2001:db8::1") {
		t.Error("the next minute counts on")
	}
}
