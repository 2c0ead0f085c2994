package access

import (
	"errors"
	"fmt"
	"slices"
)

// Role is how much an operator may do. Each includes those before it.
type Role string

// The roles, least first.
const (
	Viewer    Role = "viewer"
	Supporter Role = "operator"
	Finance   Role = "finance"
	Admin     Role = "admin"
)

// ErrRole says that a text names no role.
var ErrRole = errors.New("not a role: viewer, operator, finance or admin")

// Roles lists the roles, least first.
func Roles() []Role { return []Role{Viewer, Supporter, Finance, Admin} }

// AtLeast reports whether r includes what least may do. An unknown role includes nothing.
func (r Role) AtLeast(least Role) bool {
	return slices.Contains(Roles(), r) && slices.Index(Roles(), r) >= slices.Index(Roles(), least)
}

// Operation is something an operator does, in the console or on the command line.
type Operation string

// The operations.
const (
	ReadPages       Operation = "read the console"
	ReadQueues      Operation = "read the queue dashboard"
	ReadPersonal    Operation = "read players' personal data"
	ReadCallbacks   Operation = "read raw callbacks"
	DecideResults   Operation = "decide about results"
	DecideCoupons   Operation = "decide about coupons"
	DecideBreaks    Operation = "decide about breaks"
	DecidePlayers   Operation = "block and unblock players"
	Adjust          Operation = "adjust players' money"
	DecideWithdraws Operation = "decide about withdrawals"
	DecideBonuses   Operation = "decide about bonuses"
	DecideLimits    Operation = "decide about limits"
	MoveLarge       Operation = "move more than the approval amount, with a second person"
	ManageQueues    Operation = "act on queues"
	ManageKeys      Operation = "make and revoke API keys"
	ManageOperators Operation = "make, change and disable operators"
)

// least is the permission table: the least role that may do each operation. The console, the queue
// dashboard and the command line all ask it, and nothing else.
//
//	operation                            viewer  operator  finance  admin
//	read pages, queues                      x        x        x       x
//	read personal data, raw callbacks       -        x        x       x
//	results, coupons, breaks, players       -        x        x       x
//	adjustments, withdrawals, bonuses,
//	limits; large sums, two of them         -        -        x       x
//	queues, keys, operators                 -        -        -       x
//
// Personal data is what there is beyond a player's name and ids.
var least = map[Operation]Role{
	ReadPages:  Viewer,
	ReadQueues: Viewer,

	ReadPersonal:  Supporter,
	ReadCallbacks: Supporter,
	DecideResults: Supporter,
	DecideCoupons: Supporter,
	DecideBreaks:  Supporter,
	DecidePlayers: Supporter,

	Adjust:          Finance,
	DecideWithdraws: Finance,
	DecideBonuses:   Finance,
	DecideLimits:    Finance,
	MoveLarge:       Finance,

	ManageQueues:    Admin,
	ManageKeys:      Admin,
	ManageOperators: Admin,
}

// Operations lists every operation of the table, in no order.
func Operations() []Operation {
	all := make([]Operation, 0, len(least))
	for operation := range least {
		all = append(all, operation)
	}
	return all
}

// May reports whether the role may do the operation. One that the table does not have is nobody's.
func (r Role) May(operation Operation) bool {
	needed, known := least[operation]
	return known && r.AtLeast(needed)
}

// ErrForbidden says that an operator's role does not allow what was asked for.
var ErrForbidden = errors.New("not allowed")

// Check is nil where the operator may do the operation, ErrForbidden with the reason where not.
func (o Operator) Check(operation Operation) error {
	if o.Role.May(operation) {
		return nil
	}
	return fmt.Errorf("%w: %s is %s, and to %s takes %s", ErrForbidden, o.Email, o.Role, operation, roleFor(operation))
}

func roleFor(operation Operation) string {
	needed, known := least[operation]
	if !known {
		return "nobody"
	}
	return string(needed)
}
