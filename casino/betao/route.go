package betao

import (
	"errors"
	"strings"
)

var errForeign = errors.New("does not belong to this call")

// belongs refuses a body with a member of another call. Their signature covers the body and not the route:
// what was signed for one call must be of no use at another. A debit and a credit have the same members;
// they are told apart by the transaction_id, which they share the space of, once the first of them came.
func (b body) belongs(kind string) error {
	if said := strings.ToLower(b.Type); said != "" && said != kind {
		if k, err := b.kind(); err != nil || k != kind {
			return &fieldError{"type", errForeign}
		}
	}
	members := [][2]string{}
	switch kind {
	case typeBalance:
		members = [][2]string{
			{"transaction_id", string(b.TransactionID)}, {"amount", string(b.Amount)}, {"round_id", string(b.RoundID)}, {"original_transaction_id", string(b.Original)},
		}
	case typeDebit, typeCredit:
		members = [][2]string{{"original_transaction_id", string(b.Original)}}
	}
	for _, member := range members {
		if member[1] != "" {
			return &fieldError{member[0], errForeign}
		}
	}
	return nil
}
