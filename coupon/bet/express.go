package bet

import (
	"errors"
	"fmt"
	"strings"
)

// MaxSelections is how many selections an express may have (providers 5.3).
const MaxSelections = 15

// What [CheckExpress] refuses.
var (
	ErrNoSelections      = errors.New("no selections")
	ErrTooManySelections = errors.New("too many selections")
	ErrSameMatch         = errors.New("two selections of one match")
)

// CheckExpress refuses what BeT would refuse of the selections together: none at all
// ([ErrNoSelections]), more than [MaxSelections] ([ErrTooManySelections]), or a match that
// comes twice ([ErrSameMatch], BeT's error_repeat_bet_data). One selection is a single.
func CheckExpress(pointers []Pointer) error {
	if len(pointers) == 0 {
		return ErrNoSelections
	}
	if len(pointers) > MaxSelections {
		return fmt.Errorf("%w: %d, at most %d", ErrTooManySelections, len(pointers), MaxSelections)
	}
	seen := make(map[string]bool, len(pointers))
	for _, p := range pointers {
		// To BeT the id is a number: 0187 and 187 are one match, live or not.
		match := strings.TrimLeft(p.MatchID, "0")
		if seen[match] {
			return fmt.Errorf("%w: match %s", ErrSameMatch, p.MatchID)
		}
		seen[match] = true
	}
	return nil
}
