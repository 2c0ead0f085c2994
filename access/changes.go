package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp/totp"

	"evens/internal/postgres"
)

const (
	disableOperator = `
	UPDATE operators SET disabled_at = coalesce(disabled_at, $2), session_epoch = session_epoch + 1 WHERE email = $1`
	enableOperator = `UPDATE operators SET disabled_at = NULL WHERE email = $1`
	changeRole     = `UPDATE operators SET role = $2 WHERE email = $1`
	changePassword = `UPDATE operators SET password_hash = $2, session_epoch = session_epoch + 1 WHERE email = $1`
	changeTOTP     = `UPDATE operators SET totp_secret = $2, totp_step = 0, session_epoch = session_epoch + 1 WHERE email = $1`
)

// Disable ends an operator's sessions and lets them in no more; ErrNoOperator where there is none.
func (o *Operators) Disable(ctx context.Context, email string) error {
	return o.change(ctx, EventOperatorDisabled, email, nil, disableOperator, o.now())
}

// Enable lets a disabled operator log in again; ErrNoOperator where there is none.
func (o *Operators) Enable(ctx context.Context, email string) error {
	return o.change(ctx, EventOperatorEnabled, email, nil, enableOperator)
}

// SetRole gives an operator another role; it holds from their next request on.
func (o *Operators) SetRole(ctx context.Context, email string, role Role) error {
	if !slices.Contains(Roles(), role) {
		return fmt.Errorf("%w: %q", ErrRole, role)
	}
	return o.change(ctx, EventOperatorRole, email, map[string]any{"role": role}, changeRole, string(role))
}

// SetPassword gives an operator another password, and ends their sessions.
func (o *Operators) SetPassword(ctx context.Context, email, password string) error {
	hash, err := o.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return o.change(ctx, EventOperatorPassword, email, nil, changePassword, hash)
}

// AddTOTP makes a second step for an operator's logins and returns its otpauth:// address, for an
// authenticator: the only time it is seen. It replaces an earlier one and ends their sessions.
func (o *Operators) AddTOTP(ctx context.Context, email string) (address string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Evens", AccountName: normal(email), Period: uint(totpPeriod.Seconds())})
	if err != nil {
		return "", fmt.Errorf("make a second step: %w", err)
	}
	err = o.change(ctx, EventOperatorTOTP, email, map[string]any{"on": true}, changeTOTP, key.Secret())
	return key.URL(), err
}

// RemoveTOTP takes the second step of an operator's logins away.
func (o *Operators) RemoveTOTP(ctx context.Context, email string) error {
	return o.change(ctx, EventOperatorTOTP, email, map[string]any{"on": false}, changeTOTP, nil)
}

// change runs an UPDATE whose first parameter is the e-mail, and writes it down.
func (o *Operators) change(ctx context.Context, event, email string, detail map[string]any, update string, args ...any) error {
	email = normal(email)
	return postgres.InTx(ctx, o.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, append([]any{email}, args...)...)
		if err != nil {
			return fmt.Errorf("change operator %s: %w", email, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("%w: %s", ErrNoOperator, email)
		}
		return o.log(ctx, tx, event, email, detail)
	})
}
