package access

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"
)

// ErrPassword says that a new password is too short or too long.
var ErrPassword = errors.New("a password has 10 to 128 characters")

const (
	minPassword = 10
	maxPassword = 128     // characters
	maxBytes    = 4 * 128 // UTF-8 has no longer characters
)

// strong is what a hash costs: OWASP's figures for argon2id, some 30 ms of one core.
var strong = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const (
	// mostHashes bounds how many passwords are hashed at once, whoever asks: guessing must not take
	// the processor from the wallet.
	mostHashes = 2
	// mostWaiting bounds how many wait for their turn; who comes later is told to come again.
	mostWaiting = 16
)

// ErrBusy says that too many log in at once.
var ErrBusy = errors.New("too many logins at once: try again in a moment")

// hasher hashes and verifies passwords, few at once. Its methods answer ErrBusy where too many wait.
type hasher struct {
	params argon2id.Params
	// decoy is verified against where there is no operator, so that the time taken does not tell.
	decoy   string
	slots   chan struct{}
	waiting atomic.Int64
}

func newHasher(params argon2id.Params) *hasher {
	decoy, err := argon2id.CreateHash("nobody's password", &params)
	if err != nil { // no randomness: the runtime would have ended the process
		panic(err)
	}
	// Half the cores at the most: on a small machine the rest belongs to those who play.
	return &hasher{params: params, decoy: decoy, slots: make(chan struct{}, max(1, min(mostHashes, runtime.GOMAXPROCS(0)/2)))}
}

// turn waits for a slot; done gives it back.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	if h.waiting.Add(1) > mostWaiting {
		h.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash makes a password's hash, ErrPassword where it may not be one.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if n := len([]rune(password)); n < minPassword || n > maxPassword {
		return "", ErrPassword
	}
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return h.make(password)
}

// make hashes; the caller holds a slot.
func (h *hasher) make(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// verify reports whether the password is the hash's, and whether the hash should be made anew; the
// caller holds a slot. Hashes of earlier releases are bcrypt's.
func (h *hasher) verify(password, hash string) (right, stale bool, err error) {
	if len(password) > maxBytes {
		return false, false, nil
	}
	if strings.HasPrefix(hash, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil, true, nil
	}
	right, params, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, fmt.Errorf("read a password's hash: %w", err)
	}
	return right, *params != h.params, nil
}
