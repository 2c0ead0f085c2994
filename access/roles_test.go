package access

import (
	"errors"
	"testing"
)

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

// The table, written out: viewer, operator, finance, admin.
func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	table := map[Operation][4]bool{
		ReadPages:       {true, true, true, true},
		ReadQueues:      {true, true, true, true},
		ReadPersonal:    {false, true, true, true},
		ReadCallbacks:   {false, true, true, true},
		DecideResults:   {false, true, true, true},
		DecideCoupons:   {false, true, true, true},
		DecideBreaks:    {false, true, true, true},
		DecidePlayers:   {false, true, true, true},
		Adjust:          {false, false, true, true},
		DecideWithdraws: {false, false, true, true},
		DecideBonuses:   {false, false, true, true},
		DecideLimits:    {false, false, true, true},
		MoveLarge:       {false, false, true, true},
		ManageQueues:    {false, false, false, true},
		ManageKeys:      {false, false, false, true},
		ManageOperators: {false, false, false, true},
	}
	for _, operation := range Operations() {
		want, known := table[operation]
		if !known {
			t.Errorf("%q has no line in this test", operation)
		}
		for i, role := range Roles() {
			o := Operator{Email: "ann@example.com", Role: role}
			if role.May(operation) != want[i] || errors.Is(o.Check(operation), ErrForbidden) == want[i] {
				t.Errorf("%s may %s: %t, want %t", role, operation, role.May(operation), want[i])
			}
		}
		if Role("").May(operation) || Role("king").May(operation) {
			t.Errorf("nobody may %s", operation)
		}
	}
	if Admin.May("fly") || (Operator{Role: Admin}).Check("fly") == nil {
		t.Error("an operation that the table does not have is somebody's")
	}
}
