package player

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const password = "correct horse"

func TestOperatorLogsIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.operators.Create(t.Context(), " Ann@Example.com ", Finance, password)
	want := Operator{ID: made.ID, Email: "ann@example.com", Role: Finance, CreatedAt: b.clock.at}
	if err != nil || made != want {
		t.Fatalf("Create() = %+v, %v, want %+v", made, err, want)
	}
	for _, email := range []string{"ann@example.com", "ANN@example.com"} {
		if got, err := b.operators.Authenticate(t.Context(), email, password); err != nil || got != want {
			t.Errorf("Authenticate(%q) = %+v, %v, want %+v", email, got, err, want)
		}
	}
	for name, try := range map[string][2]string{
		"a wrong password":  {"ann@example.com", "wrong horse!"},
		"no password":       {"ann@example.com", ""},
		"an unknown e-mail": {"bob@example.com", password},
	} {
		if _, err := b.operators.Authenticate(t.Context(), try[0], try[1]); !errors.Is(err, ErrLogin) {
			t.Errorf("Authenticate() with %s = %v, want ErrLogin", name, err)
		}
	}
	if got, err := b.operators.Get(t.Context(), made.ID); err != nil || got != want {
		t.Errorf("Get() = %+v, %v, want %+v", got, err, want)
	}
	if _, err := b.operators.Get(t.Context(), uuid.New()); !errors.Is(err, ErrNoOperator) {
		t.Errorf("Get() of nobody = %v, want ErrNoOperator", err)
	}
	if got, err := b.operators.List(t.Context()); err != nil || !cmp.Equal(got, []Operator{want}) {
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
		{"a password bcrypt would cut", "bob@example.com", Viewer, strings.Repeat("x", 73), ErrPassword},
	} {
		if _, err := b.operators.Create(t.Context(), test.email, test.role, test.password); !errors.Is(err, test.want) {
			t.Errorf("%s: Create() = %v, want %v", test.name, err, test.want)
		}
	}
}

func TestRolesIncludeThoseBefore(t *testing.T) {
	t.Parallel()
	for i, role := range Roles() {
		for j, least := range Roles() {
			if got, want := role.AtLeast(least), i >= j; got != want {
				t.Errorf("%s.AtLeast(%s) = %v, want %v", role, least, got, want)
			}
		}
	}
	if Role("").AtLeast(Viewer) || Role("king").AtLeast(Viewer) || Admin.AtLeast("king") != true {
		t.Error("an unknown role includes something, or an admin lacks something")
	}
}
