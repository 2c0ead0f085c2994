package booktest_test

import (
	"fmt"
	"strings"
	"testing"

	"evens/internal/testbed"
	"evens/settlement/booktest"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// listener hears what a test would be failed with.
type listener struct {
	testing.TB
	heard string
}

func (l *listener) Errorf(format string, args ...any) { l.heard += fmt.Sprintf(format, args...) }

func TestCleanSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	db := booktest.Open(t, testbed.Database(t))
	l := &listener{TB: t}
	booktest.Clean(l, db)
	if l.heard != "" {
		t.Errorf("empty books: %s", l.heard)
	}
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO accounts (player_id, currency, kind, balance) VALUES (gen_random_uuid(), 'USD', 'cash', 5)`)
	if err != nil {
		t.Fatal(err)
	}
	booktest.Clean(l, db)
	if !strings.Contains(l.heard, "balance 5, transfers 0") {
		t.Errorf("money from nowhere: heard %q", l.heard)
	}
}
