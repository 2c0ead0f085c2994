package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"evens/internal/postgres"
)

// ErrLogin says that the e-mail is unknown, the operator disabled, the password wrong or the code:
// which of them is nobody's business.
var ErrLogin = errors.New("wrong e-mail, password or code")

// Attempt is what somebody who logs in gives.
type Attempt struct {
	Email    string
	Password string
	Code     string // of the second step; "" where there is none
	// Source is where the attempt comes from, as far as it may be held against others from there: an
	// address or its network (see [Source]), or an account of this machine.
	Source string
}

// Login returns the operator whose password this is. ErrLogin where it is nobody's, a *DelayedError
// where there were too many wrong ones, ErrBusy where too many log in at once. It takes as long for
// an unknown e-mail as for a wrong password. Nobody is let in where the delays cannot be read.
func (o *Operators) Login(ctx context.Context, a Attempt) (Operator, error) {
	a.Email = normal(a.Email)
	if wait := o.delays.hold(a.Source); wait > 0 {
		return Operator{}, &DelayedError{Wait: wait}
	}
	done, err := o.hasher.turn(ctx)
	if err != nil {
		return Operator{}, err
	}
	defer done()
	if err := o.delays.charge(ctx, a.Email, a.Source); err != nil {
		return Operator{}, err
	}
	found, err := o.verified(ctx, a)
	if err != nil {
		return Operator{}, err // the attempt stays charged
	}
	if err := o.delays.clear(ctx, a.Email, a.Source); err != nil {
		return Operator{}, err
	}
	return found.operator()
}

// verified returns the operator of the right password and code, ErrLogin where one of them is wrong.
func (o *Operators) verified(ctx context.Context, a Attempt) (operatorRow, error) {
	found, err := o.row(ctx, "email = ? AND disabled_at IS NULL", strings.ToValidUTF8(strings.ReplaceAll(a.Email, "\x00", "?"), "?"))
	if errors.Is(err, ErrNoOperator) {
		_, _, _ = o.hasher.verify(a.Password, o.hasher.decoy) // for the time it takes
		return operatorRow{}, ErrLogin
	}
	if err != nil {
		return operatorRow{}, err
	}
	right, stale, err := o.hasher.verify(a.Password, found.PasswordHash)
	if err != nil {
		return operatorRow{}, fmt.Errorf("operator %s: %w", found.ID, err)
	}
	if !right {
		return operatorRow{}, ErrLogin
	}
	step := int64(0)
	if found.TOTPSecret != nil {
		if step = codeStep(*found.TOTPSecret, a.Code, o.now()); step == 0 {
			return operatorRow{}, ErrLogin
		}
	}
	return found, o.loggedIn(ctx, found, a.Password, stale, step)
}

// A code that was taken is not taken again: its step lies behind.
const loggedIn = `
	UPDATE operators
	   SET last_login_at = $2, password_hash = $3, totp_step = greatest(totp_step, $4)
	 WHERE id = $1 AND disabled_at IS NULL AND password_hash = $5 AND ($4 = 0 OR totp_step < $4)`

// loggedIn writes down a login, and the password's hash anew where it is stale.
func (o *Operators) loggedIn(ctx context.Context, found operatorRow, password string, stale bool, step int64) (err error) {
	hash := found.PasswordHash
	if stale {
		if hash, err = o.hasher.make(password); err != nil {
			return err
		}
	}
	tag, err := o.db.Pool.Exec(ctx, loggedIn, found.ID, o.now(), hash, step, found.PasswordHash)
	if err != nil {
		return fmt.Errorf("log in operator %s: %w", found.ID, err)
	}
	if tag.RowsAffected() == 0 && !o.rehashed(ctx, found, step) {
		return ErrLogin // disabled, changed or the code taken meanwhile
	}
	return nil
}

// rehashed reports whether the same login at the same moment has made the hash anew: then both count.
func (o *Operators) rehashed(ctx context.Context, found operatorRow, step int64) bool {
	again, err := o.row(ctx, "id = ? AND disabled_at IS NULL", found.ID)
	return err == nil && step == 0 && again.SessionEpoch == found.SessionEpoch && again.PasswordHash != found.PasswordHash
}

// totpPeriod is how long a code of the second step is shown.
const totpPeriod = 30 * time.Second

// codeStep is the time step that a code belongs to, now or one period away; 0 where it is wrong.
func codeStep(secret, code string, now time.Time) int64 {
	current := now.Unix() / int64(totpPeriod/time.Second)
	for _, step := range []int64{current, current - 1, current + 1} {
		right, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && right {
			return step
		}
	}
	return 0
}

// NeedsCode reports whether an operator logs in with a code too: for a prompt that asks for one.
func (o *Operators) NeedsCode(ctx context.Context, email string) (bool, error) {
	found, err := o.ByEmail(ctx, email)
	if errors.Is(err, ErrNoOperator) || postgres.NotFound(err) {
		return false, nil
	}
	return found.SecondStep, err
}
