package access

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/errgroup"
)

const password = "correct horse"

// met is an operator whose last login is of no interest.
func met(o Operator) Operator {
	o.LastLoginAt = time.Time{}
	return o
}

func TestOperatorLogsIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.operators.Create(t.Context(), " Ann@Example.com ", Finance, password)
	want := Operator{ID: made.ID, Email: "ann@example.com", Role: Finance, CreatedAt: b.clock.at}
	if err != nil || made != want {
		t.Fatalf("Create() = %+v, %v, want %+v", made, err, want)
	}
	for _, email := range []string{"ann@example.com", "ANN@example.com"} {
		if got, err := b.operators.Login(t.Context(), Attempt{Email: email, Password: password}); err != nil || met(got) != want {
			t.Errorf("Login(%q) = %+v, %v, want %+v", email, got, err, want)
		}
	}
	for name, try := range map[string][2]string{
		"a wrong password":  {"ann@example.com", "wrong horse!"},
		"no password":       {"ann@example.com", ""},
		"an unknown e-mail": {"bob@example.com", password},
	} {
		if _, err := b.operators.Login(t.Context(), Attempt{Email: try[0], Password: try[1]}); !errors.Is(err, ErrLogin) {
			t.Errorf("Login() with %s = %v, want ErrLogin", name, err)
		}
	}
	if got, err := b.operators.Get(t.Context(), made.ID); err != nil || met(got) != want || got.LastLoginAt != b.clock.at {
		t.Errorf("Get() = %+v, %v, want %+v", got, err, want)
	}
	if _, err := b.operators.Get(t.Context(), uuid.New()); !errors.Is(err, ErrNoOperator) {
		t.Errorf("Get() of nobody = %v, want ErrNoOperator", err)
	}
	if got, err := b.operators.List(t.Context()); err != nil || len(got) != 1 || met(got[0]) != want {
		t.Errorf("List() = %+v, %v", got, err)
	}
}

func TestOperatorsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.operators.Create(t.Context(), "ann@example.com", Admin, password); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, email string
		role        Role
		password    string
		want        error
	}{
		{"a known e-mail", "Ann@example.com", Viewer, password, ErrOperatorExists},
		{"no e-mail", "ann", Viewer, password, ErrEmail},
		{"two addresses", "a@b c@d", Viewer, password, ErrEmail},
		{"no role", "bob@example.com", "king", password, ErrRole},
		{"a short password", "bob@example.com", Viewer, "123456789", ErrPassword},
		{"a long password", "bob@example.com", Viewer, strings.Repeat("x", 129), ErrPassword},
	} {
		if _, err := b.operators.Create(t.Context(), test.email, test.role, test.password); !errors.Is(err, test.want) {
			t.Errorf("%s: Create() = %v, want %v", test.name, err, test.want)
		}
	}
}

// ann is an operator of finance.
func (b bundle) ann(t *testing.T) Operator {
	t.Helper()
	made, err := b.operators.Create(t.Context(), "ann@example.com", Finance, password)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// oldHash is a hash of the password as earlier releases made it.
func oldHash(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// A password of an earlier release's hash is right, and hashed anew at that login; so is one whose
// hash was cheaper than those made now.
func TestOldHashesAreMadeAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ann(t)
	cheaper := cheap
	cheaper.Memory /= 2
	weak, err := argon2id.CreateHash(password, &cheaper)
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{"bcrypt": oldHash(t), "a cheaper argon2id": weak} {
		if _, err := b.db.Pool.Exec(t.Context(), `UPDATE operators SET password_hash = $1`, hash); err != nil {
			t.Fatal(err)
		}
		if _, err := b.operators.Login(t.Context(), Attempt{Email: "ann@example.com", Password: "wrong horse!"}); !errors.Is(err, ErrLogin) {
			t.Errorf("%s: Login() with a wrong password = %v, want ErrLogin", name, err)
		}
		if _, err := b.operators.Login(t.Context(), Attempt{Email: "ann@example.com", Password: password}); err != nil {
			t.Errorf("%s: Login() = %v", name, err)
		}
		var now string
		if err := b.db.Pool.QueryRow(t.Context(), `SELECT password_hash FROM operators`).Scan(&now); err != nil || !strings.HasPrefix(now, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Errorf("%s: the hash is %q after a login, %v", name, now, err)
		}
	}
}

// Several logins at the same moment, while the hash is made anew, all count.
func TestLoginsWhileTheHashIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ann(t)
	if _, err := b.db.Pool.Exec(t.Context(), `UPDATE operators SET password_hash = $1`, oldHash(t)); err != nil {
		t.Fatal(err)
	}
	elsewhere := newOperators(b.db, b.clock.now, newHasher(cheap))
	var group errgroup.Group
	for _, o := range []*Operators{b.operators, elsewhere, b.operators, elsewhere} {
		group.Go(func() error {
			_, err := o.Login(t.Context(), Attempt{Email: "ann@example.com", Password: password, Source: "10.0.0.1"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("Login() = %v", err)
	}
}

// Disabling holds at once: no login, no session, no decision; enabling takes it back.
func TestDisabledOperator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.ann(t)
	ctx := WithActor(t.Context(), "eve@example.com")
	if err := b.operators.Disable(ctx, "ANN@example.com"); err != nil {
		t.Fatal(err)
	}
	_, byID := b.operators.Get(t.Context(), made.ID)
	_, byEmail := b.operators.ByEmail(t.Context(), made.Email)
	_, login := b.operators.Login(t.Context(), Attempt{Email: made.Email, Password: password})
	if !errors.Is(byID, ErrNoOperator) || !errors.Is(byEmail, ErrNoOperator) || !errors.Is(login, ErrLogin) {
		t.Errorf("disabled: %v, %v, %v", byID, byEmail, login)
	}
	if list, err := b.operators.List(t.Context()); err != nil || list[0].DisabledAt != b.clock.at {
		t.Errorf("List() = %+v, %v", list, err)
	}
	if err := b.operators.Enable(ctx, made.Email); err != nil {
		t.Fatal(err)
	}
	again, err := b.operators.Login(t.Context(), Attempt{Email: made.Email, Password: password})
	if err != nil || again.Sessions == made.Sessions {
		t.Errorf("enabled again: %+v, %v: sessions of before must not live on", again, err)
	}
	if err := b.operators.SetPassword(ctx, made.Email, "another horse"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.operators.Login(t.Context(), Attempt{Email: made.Email, Password: password}); !errors.Is(err, ErrLogin) {
		t.Errorf("Login() with the old password = %v", err)
	}
	if err := b.operators.SetRole(ctx, made.Email, Viewer); err != nil {
		t.Fatal(err)
	}
	if got, err := b.operators.Login(t.Context(), Attempt{Email: made.Email, Password: "another horse"}); err != nil || got.Role != Viewer || got.Sessions == again.Sessions {
		t.Errorf("Login() with the new password = %+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"disable": b.operators.Disable(ctx, "bob@example.com"), "enable": b.operators.Enable(ctx, "bob@example.com"),
		"passwd": b.operators.SetPassword(ctx, "bob@example.com", "a long password"), "role": b.operators.SetRole(ctx, "bob@example.com", Viewer),
	} {
		if !errors.Is(err, ErrNoOperator) {
			t.Errorf("%s of nobody = %v, want ErrNoOperator", name, err)
		}
	}
	if err := b.operators.SetPassword(ctx, made.Email, "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("a short password: %v", err)
	}
	if err := b.operators.SetRole(ctx, made.Email, "king"); !errors.Is(err, ErrRole) {
		t.Errorf("no role: %v", err)
	}
	var events []string
	err = b.db.Pool.QueryRow(t.Context(), `
		SELECT array_agg(event ORDER BY id) FROM activity_log WHERE operator = 'eve@example.com' AND detail->>'email' = 'ann@example.com'`).Scan(&events)
	if want := []string{EventOperatorDisabled, EventOperatorEnabled, EventOperatorPassword, EventOperatorRole}; err != nil || !slices.Equal(events, want) {
		t.Errorf("the activity log has %v, %v, want %v", events, err, want)
	}
}
