package naga

import (
	"encoding/json"
	"fmt"
	"strings"

	"evens/casino"
)

// foreign are members that belong to other calls. Their signature covers the data and not the route: what
// was signed for one call must be of no use at another. A place-bet and a payout have the same members;
// they are told apart by the transactionId, which a payout has of its own.
var foreign = map[string][]string{
	"authorize":  {"betId", "transactionId", "amount"},
	"balance":    {"betId", "transactionId", "amount"},
	"cancel-bet": {"transactionId", "amount"},
	"bet-status": {"transactionId", "amount"},
}

// belongs refuses data with a member that belongs to another call. Null is nothing.
func belongs(route string, text []byte) error {
	names := foreign[route]
	if len(names) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return nil // each call says what it cannot read
	}
	for member, value := range members {
		for _, name := range names {
			if strings.EqualFold(member, name) && string(value) != "null" {
				return fmt.Errorf("%w: %s does not belong to %s", casino.ErrUnreadable, name, route)
			}
		}
	}
	return nil
}
