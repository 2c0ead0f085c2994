package casino

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
)

// roundIdle is after what time without a bet or a win a bet of the same round id begins another round.
// Platforms promise that the ids of bets and wins are used once; those of rounds come again, with another
// game or on another day.
const roundIdle = 4 * time.Hour

// kept is the id of the n-th round of one id.
func keptRound(id string, n int32) string {
	if n <= 1 {
		return id
	}
	return id + " (" + strconv.Itoa(int(n)) + ")"
}

// sameRound reports whether a kept round is one of the id that a call tells.
func sameRound(kept, told string) bool {
	rest, is := strings.CutPrefix(kept, told)
	return is && (rest == "" || strings.HasPrefix(rest, " (") && strings.HasSuffix(rest, ")"))
}

// current is the latest round of an id, or nil.
func (s *roundSet) current(provider, id string, player uuid.UUID) *roundRow {
	first := s.of(provider, id, player)
	if first == nil || first.uses <= 1 {
		return first
	}
	return s.of(provider, keptRound(id, first.uses), player)
}

// find is the round that a call belongs to; nil where it begins one. A win begins none while there is a
// round of its id, nor does a bet of nothing for its lateness: it was won before.
func (s *roundSet) find(c Call, i instruction) *roundRow {
	row := s.current(c.Provider, c.Round.ID, c.Player.ID)
	if row == nil || c.Round.Once {
		return row
	}
	otherGame := c.Game != "" && row.game != "" && c.Game != row.game
	if i.kind == ledger.Win {
		if first := s.of(c.Provider, c.Round.ID, c.Player.ID); otherGame && first.game == c.Game {
			return first
		}
		return row
	}
	if otherGame || i.stake > 0 && c.At.Sub(row.last) >= roundIdle {
		return nil
	}
	return row
}

// begin opens the round of a call.
func (s *roundSet) begin(c Call) *roundRow {
	row := &roundRow{
		roundKey: roundKey{c.Provider, s.kept(c, nil), c.Player.ID}, game: c.Game, parent: c.Round.Parent, betType: c.Round.Type, opened: c.At, uses: 1,
	}
	if first := s.of(c.Provider, c.Round.ID, c.Player.ID); first != nil {
		first.uses++
		s.change(first)
	}
	s.rows[row.roundKey] = row
	return row
}

// kept is the id under which a call's round is, or will be, kept.
func (s *roundSet) kept(c Call, round *roundRow) string {
	if round != nil {
		return round.id
	}
	if first := s.of(c.Provider, c.Round.ID, c.Player.ID); first != nil {
		return keptRound(c.Round.ID, first.uses+1)
	}
	return c.Round.ID
}
