package access

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/sync/errgroup"
)

// attempts logs in until the answer is not ErrLogin, and says how many attempts were.
func (b bundle) attempts(t *testing.T, a Attempt) (n int, err error) {
	t.Helper()
	for n < 100 {
		if _, err = b.operators.Login(t.Context(), a); !errors.Is(err, ErrLogin) {
			return n, err
		}
		n++
	}
	return n, err
}

func delayed(err error) time.Duration {
	if d, ok := errors.AsType[*DelayedError](err); ok {
		return d.Wait
	}
	return 0
}

// After a few wrong passwords an account and a source wait, each longer every time up to a bound; the
// right password does not count then either, and counts when the time is over.
func TestWrongPasswordsDelayTheNext(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.operators.Create(t.Context(), "ann@example.com", Admin, password); err != nil {
		t.Fatal(err)
	}
	wrong := Attempt{Email: "ann@example.com", Password: "wrong horse!", Source: "192.0.2.1"}
	n, err := b.attempts(t, wrong)
	if n != freeAttempts || delayed(err) != firstDelay {
		t.Errorf("%d attempts, then %v", n, err)
	}
	right := wrong
	right.Password = password
	if _, err := b.operators.Login(t.Context(), right); delayed(err) == 0 {
		t.Errorf("the right password while delayed: %v", err)
	}
	other := NewOperators(b.db, b.clock.now) // another process
	elsewhere := right
	elsewhere.Source = "192.0.2.2"
	if _, err := other.Login(t.Context(), elsewhere); delayed(err) == 0 {
		t.Errorf("the account from elsewhere: %v", err)
	}
	stranger := wrong
	stranger.Email = "bob@example.com"
	if _, err := other.Login(t.Context(), stranger); delayed(err) == 0 {
		t.Errorf("another account from there: %v", err)
	}
	var waits []time.Duration
	for range 12 {
		b.clock.at = b.clock.at.Add(sourceDelay)
		if _, err := b.operators.Login(t.Context(), wrong); !errors.Is(err, ErrLogin) {
			t.Fatalf("an attempt when the time was over: %v", err)
		}
		_, err := b.operators.Login(t.Context(), wrong)
		waits = append(waits, delayed(err))
	}
	if !slices.IsSorted(waits) || waits[len(waits)-1] != sourceDelay {
		t.Errorf("waits of the source: %v", waits)
	}
	_, err = b.operators.Login(t.Context(), elsewhere)
	if wait := delayed(err); wait == 0 || wait > accountDelay {
		t.Errorf("the account from elsewhere waits %s, want up to %s", wait, accountDelay)
	}
	b.clock.at = b.clock.at.Add(sourceDelay)
	if _, err := b.operators.Login(t.Context(), right); err != nil {
		t.Errorf("the right password when the time was over: %v", err)
	}
	// Whoever logged in from there is not locked out by others who guess.
	for i := range 2 * freeAttempts {
		_, _ = b.operators.Login(t.Context(), Attempt{Email: "ann@example.com", Password: "wrong horse!", Source: fmt.Sprintf("198.51.100.%d", i)})
	}
	if _, err := b.operators.Login(t.Context(), Attempt{Email: "ann@example.com", Password: password, Source: "203.0.113.9"}); delayed(err) == 0 {
		t.Errorf("from a source that is not known: %v", err)
	}
	if _, err := b.operators.Login(t.Context(), right); err != nil {
		t.Errorf("from a source that is known: %v", err)
	}
}

// Guesses at the same moment see each other, in all processes: no more than the free ones are looked at.
func TestGuessesAtOnceCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.operators.Create(t.Context(), "ann@example.com", Admin, password); err != nil {
		t.Fatal(err)
	}
	elsewhere := newOperators(b.db, b.clock.now, newHasher(cheap))
	var looked, held atomic.Int64
	var group errgroup.Group
	for i := range 64 {
		group.Go(func() error {
			o := []*Operators{b.operators, elsewhere}[i%2]
			_, err := o.Login(t.Context(), Attempt{Email: "ann@example.com", Password: "wrong horse!", Source: fmt.Sprintf("192.0.2.%d", i)})
			switch {
			case errors.Is(err, ErrLogin):
				looked.Add(1)
			case delayed(err) > 0, errors.Is(err, ErrBusy):
				held.Add(1)
			default:
				return fmt.Errorf("guess %d: %w", i, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if looked.Load() > freeAttempts || looked.Load()+held.Load() != 64 {
		t.Errorf("%d guesses were looked at, %d held up", looked.Load(), held.Load())
	}
}

// However many guess, two passwords are hashed at once at the most, and few wait.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	if cap(h.slots) > mostHashes || cap(h.slots) > max(1, runtime.GOMAXPROCS(0)/2) {
		t.Fatalf("%d hashes at once", cap(h.slots))
	}
	var mu sync.Mutex
	running, most := 0, 0
	release := make(chan struct{})
	var busy, waited atomic.Int64
	var group errgroup.Group
	for range 64 {
		group.Go(func() error {
			done, err := h.turn(t.Context())
			if errors.Is(err, ErrBusy) {
				busy.Add(1)
				return nil
			}
			if err != nil {
				return err
			}
			defer done()
			waited.Add(1)
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-release
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		})
	}
	for busy.Load() < 64-mostWaiting-int64(cap(h.slots)) { // those who may are in or wait
		runtime.Gosched()
	}
	close(release)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if most > cap(h.slots) || waited.Load() > mostWaiting+int64(cap(h.slots)) {
		t.Errorf("%d ran at once, %d had their turn", most, waited.Load())
	}
}

// With a second step the password alone is not enough, and no code is taken twice.
func TestSecondStep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.operators.Create(t.Context(), "ann@example.com", Admin, password); err != nil {
		t.Fatal(err)
	}
	address, err := b.operators.AddTOTP(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "otpauth" {
		t.Fatalf("AddTOTP() = %q, %v", address, err)
	}
	code := func() string {
		t.Helper()
		code, err := totp.GenerateCode(parsed.Query().Get("secret"), b.clock.at)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	login := func(code string) error {
		_, err := b.operators.Login(t.Context(), Attempt{Email: "ann@example.com", Password: password, Code: code})
		return err
	}
	if needs, err := b.operators.NeedsCode(t.Context(), "ann@example.com"); err != nil || !needs {
		t.Errorf("NeedsCode() = %t, %v", needs, err)
	}
	good := code()
	for name, wrong := range map[string]string{"none": "", "another": fmt.Sprintf("%06d", (len(good)+1)*111), "no digits": "abcdef"} {
		if wrong == good {
			continue
		}
		if err := login(wrong); !errors.Is(err, ErrLogin) {
			t.Errorf("with %s: %v", name, err)
		}
	}
	if err := login(good); err != nil {
		t.Errorf("with the code: %v", err)
	}
	if err := login(good); !errors.Is(err, ErrLogin) {
		t.Errorf("with the same code again: %v", err)
	}
	b.clock.at = b.clock.at.Add(totpPeriod)
	if err := login(code()); err != nil {
		t.Errorf("with the next code: %v", err)
	}
	if err := b.operators.RemoveTOTP(t.Context(), "ann@example.com"); err != nil {
		t.Fatal(err)
	}
	if err := login(""); err != nil {
		t.Errorf("without a second step again: %v", err)
	}
	if needs, err := b.operators.NeedsCode(t.Context(), "nobody@example.com"); err != nil || needs {
		t.Errorf("NeedsCode() of nobody = %t, %v", needs, err)
	}
}

// Text that no database takes is a wrong login, not a broken server.
func TestOddLogins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, a := range []Attempt{
		{}, {Email: "a\x00b@example.com"}, {Email: "\xff@example.com", Password: "\x00"}, {Email: string(make([]byte, 1<<16))},
		{Email: "a@example.com", Password: string(make([]byte, 1<<20))},
	} {
		a.Source = fmt.Sprint(i)
		if _, err := b.operators.Login(t.Context(), a); !errors.Is(err, ErrLogin) {
			t.Errorf("login %d: %v", i, err)
		}
	}
}

func TestSourcesOfAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Source(netip.MustParseAddr(address)); got != want {
			t.Errorf("Source(%s) = %s, want %s", address, got, want)
		}
	}
}
