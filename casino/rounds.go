package casino

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// roundKey names a round of one player: at one table several players share a round.
type roundKey struct {
	provider, id string
	player       uuid.UUID
}

// roundRow is a line of the rounds table.
type roundRow struct {
	roundKey
	game, parent, betType          string
	bets, rolledBack, wins         int32
	healed                         int32 // of those rolled back, which the platform never took back
	staked, won                    money.Amount
	bonusStaked                    money.Amount // the part of staked that the bonus pocket paid
	bonusID                        uuid.NullUUID
	betTransaction, winTransaction string
	opened                         time.Time
	last                           time.Time // when a bet or a win came
	uses                           int32     // how often its id has been used: of the first round only
	closed                         pgtype.Timestamptz
	changed                        bool
}

// roundSet is the part of the rounds and sessions that a batch has read, with what it changes.
type roundSet struct {
	rows     map[roundKey]*roundRow
	changed  []*roundRow
	sessions map[uuid.UUID]sessionTimes
	latest   map[latestKey]*latestBet
	won      map[roundKey][]*ledger.Transaction // wins that stand, of rounds that may lose them
	details  []betDetails
	late     map[roundKey]bool     // a bet of the round came after its rollback
	bereft   map[roundKey]bool     // what the round won was taken back with its bets
	names    map[ledger.Key]string // the ids under which what they name was done
	newNames []ledger.Key
}

// latestKey names a game that a player plays.
type latestKey struct {
	provider, game string
	player         uuid.UUID
	until          uuid.UUID // bets of later are none of it
}

// latestBet is the bet that a win follows which names nothing: the latest that stands.
type latestBet struct {
	*ledger.Transaction // as far as it tells how it was paid; nil where there are bets and none stands
	// unread says that it was taken back in this batch: which stands now has not been looked for.
	unread bool
}

type sessionTimes struct {
	demo    bool
	expires time.Time
	ended   pgtype.Timestamptz
}

type roundsKey struct{}

func roundsOf(batch *wallet.Batch) *roundSet {
	return batch.Rows(roundsKey{}, func() wallet.RowSet {
		return &roundSet{
			rows: make(map[roundKey]*roundRow), sessions: make(map[uuid.UUID]sessionTimes), latest: make(map[latestKey]*latestBet),
			won: make(map[roundKey][]*ledger.Transaction), late: make(map[roundKey]bool), bereft: make(map[roundKey]bool), names: make(map[ledger.Key]string),
		}
	}).(*roundSet)
}

// of returns a player's round, or nil.
func (s *roundSet) of(provider, id string, player uuid.UUID) *roundRow {
	if id == "" {
		return nil
	}
	return s.rows[roundKey{provider, id, player}]
}

// parent is the round that won or bought the free spins of a call: as the call says or, where it is
// silent, as the round's bet did.
func (s *roundSet) parent(c Call, round *roundRow) *roundRow {
	id := c.Round.Parent
	if id == "" && round != nil {
		id = round.parent
	}
	return s.current(c.Provider, id, c.Player.ID)
}

// open reports whether a session may be bet from. Who plays a demo bets nothing.
func (s *roundSet) open(session uuid.UUID, at time.Time) bool {
	times, known := s.sessions[session]
	return known && !times.demo && !times.ended.Valid && at.Before(times.expires)
}

// remember keeps a bet that the batch has posted: wins of the same batch may be for it; and a win, which
// a rollback of the same batch may take back.
func (s *roundSet) remember(t *ledger.Transaction) {
	switch {
	case t.Kind == ledger.Bet && t.Staked > 0:
		s.latest[latestKey{t.Provider, t.Game, t.Player, uuid.Max}] = &latestBet{Transaction: t}
	case t.Kind == ledger.Win && t.Round != "":
		s.keepWin(roundKey{t.Provider, t.Round, t.Player}, t)
	}
}

func (s *roundSet) keepWin(key roundKey, win *ledger.Transaction) {
	if !slices.ContainsFunc(s.won[key], func(known *ledger.Transaction) bool { return known.ID == win.ID }) {
		s.won[key] = append(s.won[key], win)
	}
}

func (s *roundSet) change(row *roundRow) {
	if !row.changed {
		row.changed = true
		s.changed = append(s.changed, row)
	}
}

// played counts an instruction that was accepted into its round.
func (s *roundSet) played(c Call, i instruction, paid wallet.Paid) {
	if c.Round.ID == "" {
		return
	}
	row := s.find(c, i)
	if row == nil {
		row = s.begin(c)
	}
	s.change(row)
	row.last = c.At
	if i.kind != ledger.Win {
		row.bets++
		row.staked += i.stake
		row.bonusStaked += paid.Bonus
		if paid.BonusID.Valid && (paid.Bonus > 0 || row.bonusStaked == 0) {
			row.bonusID = paid.BonusID
		}
		row.betTransaction = c.Round.Transaction
	}
	if i.kind != ledger.Bet {
		row.wins++
		row.won += i.win
		row.winTransaction = c.Round.Transaction
	}
	if c.Round.Closes {
		row.closed = pgtype.Timestamptz{Time: c.At, Valid: true}
	}
	if c.Round.ClosesParent {
		if parent := s.current(c.Provider, c.Round.Parent, c.Player.ID); parent != nil {
			parent.closed = pgtype.Timestamptz{Time: c.At, Valid: true}
			s.change(parent)
		}
	}
}

// undone takes a rolled-back instruction out of its round.
func (s *roundSet) undone(row *roundRow, original *ledger.Transaction) {
	for _, latest := range s.latest {
		if latest.Transaction != nil && latest.ID == original.ID {
			latest.unread = true
		}
	}
	if row == nil {
		return
	}
	s.change(row)
	switch original.Kind {
	case ledger.Bet:
		row.rolledBack++
		row.staked += original.Amount // which is below zero
		row.bonusStaked += original.Bonus
	case ledger.BetWin:
		// The instruction's own stake and win are in its transfers; the round keeps their difference.
		row.rolledBack++
		row.wins = max(row.wins-1, 0)
		row.won -= original.Amount
	default:
		row.wins = max(row.wins-1, 0)
		row.won -= original.Amount
		s.won[row.roundKey] = slices.DeleteFunc(s.won[row.roundKey], func(win *ledger.Transaction) bool { return win.ID == original.ID })
	}
}

const roundColumns = `r.provider, r.round_id, r.player_id, r.game_id, coalesce(r.parent_id, ''), coalesce(r.bet_type, ''),
	       r.bets, r.rolled_back, r.wins, r.staked, r.won, coalesce(r.bet_transaction, ''), coalesce(r.win_transaction, ''),
	       r.opened_at, r.closed_at, r.bonus_staked, r.bonus_id, coalesce(r.last_at, r.opened_at), r.uses, ` + countHealed

// The first round of an id, and its latest: each by its whole key, or a player's many rounds would be read. Index: rounds_pkey.
const readRounds = `
	SELECT ` + roundColumns + `
	  FROM unnest($1::text[], $2::text[], $3::uuid[]) k (provider, round_id, player_id)
	  JOIN rounds f ON f.provider = k.provider AND f.round_id = k.round_id AND f.player_id = k.player_id
	 CROSS JOIN LATERAL (SELECT f.*
	                     UNION ALL
	                     SELECT o.* FROM rounds o WHERE f.uses > 1 AND o.provider = f.provider
	                        AND o.round_id = f.round_id || ' (' || f.uses || ')' AND o.player_id = f.player_id) r`

// The rounds that won or bought the free spins of others. Index: rounds_pkey.
const readParents = `
	SELECT ` + roundColumns + `
	  FROM unnest($1::text[], $2::text[], $3::uuid[]) k (provider, round_id, player_id)
	  JOIN rounds c ON c.provider = k.provider AND c.round_id = k.round_id AND c.player_id = k.player_id
	  JOIN rounds r ON r.provider = c.provider AND r.round_id = c.parent_id AND r.player_id = c.player_id`

// Indexes: transactions_key, rounds_pkey.
const readRoundsUndone = `
	SELECT ` + roundColumns + `
	  FROM unnest($1::text[], $2::text[]) k (source, external_id)
	  JOIN transactions t ON t.source = k.source AND t.external_id = k.external_id
	  JOIN rounds r ON r.provider = t.provider AND r.round_id = t.round_id AND r.player_id = t.player_id`

// Index: game_sessions_pkey.
const readSessionTimes = `SELECT id, mode = 'demo', expires_at, ended_at FROM game_sessions WHERE id = ANY ($1)`

// roundReader implements wallet.Reader: a round changes only under its player's lock.
type roundReader struct{}

// QueueReads implements wallet.Reader.
func (*roundReader) QueueReads(statements *pgx.Batch, batch *wallet.Batch, works []*wallet.Work) {
	set := roundsOf(batch)
	var wanted, spun []roundKey
	var sources, ids []string
	var takes bool
	var unnamed []roundKey
	var sessions []uuid.UUID
	var nameless []*decision
	var names []ledger.Key
	for _, work := range works {
		switch d := work.Data.(type) {
		case *decision:
			c := d.call
			names = append(names, c.nameKeys()...)
			if d.nameless() && c.Game != "" {
				nameless = append(nameless, d)
			}
			for _, id := range []string{c.Round.ID, c.Round.Parent} {
				if id != "" {
					wanted = append(wanted, roundKey{c.Provider, id, c.Player.ID})
				}
			}
			if d.instruction.win > 0 && c.Round.ID != "" && c.Round.Parent == "" {
				spun = append(spun, roundKey{c.Provider, c.Round.ID, c.Player.ID})
			}
			if d.looked || d.instruction.kind == ledger.Win && d.instruction.bet == "" && c.Round.ID != "" {
				unnamed = append(unnamed, roundKey{c.Provider, c.Round.ID, c.Player.ID})
			}
			if c.Session.Valid {
				sessions = append(sessions, c.Session.UUID)
			}
		case *reversal:
			sources, ids = append(sources, d.back.key().Source), append(ids, d.back.key().ExternalID)
			takes = takes || d.back.TakesWins
			names = append(names, d.back.nameKeys()...)
		}
	}
	set.queueRounds(statements, readRounds, wanted)
	set.queueRounds(statements, readParents, spun)
	if len(ids) > 0 {
		statements.Queue(readRoundsUndone, sources, ids).Query(set.scan)
	}
	if takes {
		statements.Queue(readWon, sources, ids).Query(set.scanWon)
	}
	set.queueNames(statements, names)
	set.queueLate(statements, unnamed)
	set.queueLatest(statements, nameless)
	if len(sessions) > 0 {
		statements.Queue(readSessionTimes, postgres.UUIDs(sessions)).Query(set.scanSessions)
	}
}

func (s *roundSet) queueRounds(statements *pgx.Batch, query string, keys []roundKey) {
	askOfRounds(statements, query, keys, s.scan)
}

// askOfRounds asks what a query says of some rounds, if there are any.
func askOfRounds(statements *pgx.Batch, query string, keys []roundKey, scan func(pgx.Rows) error) {
	n := len(keys)
	if n == 0 {
		return
	}
	providers, rounds, players := make([]string, n), make([]string, n), make([]pgtype.UUID, n)
	for i, key := range keys {
		providers[i], rounds[i], players[i] = key.provider, key.id, postgres.UUID(key.player)
	}
	statements.Queue(query, providers, rounds, postgres.Array(players)).Query(scan)
}

// RecentBets is how far back a win that names nothing looks for its bet.
const RecentBets = 24 * time.Hour

// Index: transactions_player.
const readLatest = `
	SELECT k.provider, k.game, k.player, k.until, t.id, coalesce(t.staked, 0), coalesce(t.bonus_amount, 0), t.bonus_id
	  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[]) k (provider, game, player, since, until)
	 CROSS JOIN LATERAL (SELECT x.id
	                       FROM transactions x
	                      WHERE x.player_id = k.player AND x.id >= k.since AND x.id < k.until AND x.provider = k.provider AND x.game_id = k.game
	                        AND x.kind = 'bet' AND x.staked > 0
	                      ORDER BY x.id DESC LIMIT 1) latest
	  LEFT JOIN LATERAL (SELECT x.id, x.staked, x.bonus_amount, x.bonus_id
	                       FROM transactions x
	                      WHERE x.player_id = k.player AND x.id >= k.since AND x.id <= latest.id AND x.provider = k.provider AND x.game_id = k.game
	                        AND x.kind = 'bet' AND x.staked > 0 AND ` + stands + `
	                      ORDER BY x.id DESC LIMIT 1) t ON true`

// stands says of a transaction x that its platform has not taken it back. What only a healing has taken back
// may be won all the same. Index: transactions_key.
const stands = `NOT EXISTS (
	       SELECT FROM transactions u
	        WHERE u.source = x.source || ':' || '` + rollbacks + `' AND u.external_id = x.external_id
	          AND (u.comment IS NULL OR NOT starts_with(u.comment, '` + healedBy + `')
	               OR EXISTS (SELECT FROM transactions y WHERE y.source = x.source || ':` + toldSpace + `' AND y.external_id = x.external_id)))`

// queueLatest asks for the latest bet of each player on the game of a win that names nothing.
func (s *roundSet) queueLatest(statements *pgx.Batch, wins []*decision) {
	if len(wins) == 0 {
		return
	}
	n := len(wins)
	providers, games, players := make([]string, n), make([]string, n), make([]pgtype.UUID, n)
	since, until := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i, d := range wins {
		providers[i], games[i], players[i] = d.call.Provider, d.call.Game, postgres.UUID(d.call.Player.ID)
		since[i], until[i] = postgres.UUID(postgres.IDAt(d.call.when().Add(-RecentBets))), postgres.UUID(d.call.until())
	}
	statements.Queue(readLatest, providers, games, postgres.Array(players), postgres.Array(since), postgres.Array(until)).Query(func(rows pgx.Rows) error {
		var key latestKey
		var id uuid.NullUUID
		var bet ledger.Transaction
		_, err := pgx.ForEachRow(rows, []any{&key.provider, &key.game, &key.player, &key.until, &id, &bet.Staked, &bet.Bonus, &bet.BonusID}, func() error {
			s.latest[key] = &latestBet{}
			if id.Valid {
				found := bet
				found.ID = id.UUID
				s.latest[key].Transaction = &found
			}
			return nil
		})
		return err
	})
}

func scanRound(row pgx.CollectableRow) (*roundRow, error) {
	r := &roundRow{}
	return r, row.Scan(&r.provider, &r.id, &r.player, &r.game, &r.parent, &r.betType, &r.bets, &r.rolledBack, &r.wins,
		&r.staked, &r.won, &r.betTransaction, &r.winTransaction, &r.opened, &r.closed, &r.bonusStaked, &r.bonusID,
		&r.last, &r.uses, &r.healed)
}

func (s *roundSet) scan(rows pgx.Rows) error {
	for rows.Next() {
		row, err := scanRound(rows)
		if err != nil {
			return err
		}
		if s.rows[row.roundKey] == nil {
			s.rows[row.roundKey] = row
		}
	}
	return rows.Err()
}

func (s *roundSet) scanSessions(rows pgx.Rows) error {
	var id uuid.UUID
	var times sessionTimes
	_, err := pgx.ForEachRow(rows, []any{&id, &times.demo, &times.expires, &times.ended}, func() error {
		s.sessions[id] = times
		return nil
	})
	return err
}

// Index: rounds_pkey. Whoever writes a round holds its player's lock.
const writeRounds = `
	INSERT INTO rounds (provider, round_id, player_id, game_id, parent_id, bet_type, bets, rolled_back, wins,
	       staked, won, bet_transaction, win_transaction, opened_at, closed_at, bonus_staked, bonus_id, last_at, uses)
	SELECT provider, round_id, player_id, game_id, nullif(parent_id, ''), nullif(bet_type, ''), bets, rolled_back, wins,
	       staked, won, nullif(bet_transaction, ''), nullif(win_transaction, ''), opened_at, closed_at, bonus_staked, bonus_id, last_at, uses
	  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::integer[], $9::integer[],
	       $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], $16::bigint[], $17::uuid[], $18::timestamptz[], $19::integer[])
	       u (provider, round_id, player_id, game_id, parent_id, bet_type, bets, rolled_back, wins,
	          staked, won, bet_transaction, win_transaction, opened_at, closed_at, bonus_staked, bonus_id, last_at, uses)
	    ON CONFLICT (provider, round_id, player_id) DO UPDATE
	   SET bets = excluded.bets, rolled_back = excluded.rolled_back, wins = excluded.wins, staked = excluded.staked,
	       won = excluded.won, bet_transaction = excluded.bet_transaction, win_transaction = excluded.win_transaction,
	       closed_at = excluded.closed_at, bonus_staked = excluded.bonus_staked, bonus_id = excluded.bonus_id,
	       last_at = excluded.last_at, uses = excluded.uses`

// Queue implements wallet.RowSet.
func (s *roundSet) Queue(batch *pgx.Batch) {
	s.queueDetails(batch)
	s.writeNames(batch)
	n := len(s.changed)
	if n == 0 {
		return
	}
	slices.SortFunc(s.changed, func(a, b *roundRow) int {
		return cmp.Or(strings.Compare(a.provider, b.provider), strings.Compare(a.id, b.id), slices.Compare(a.player[:], b.player[:]))
	})
	providers, ids, players, games := make([]string, n), make([]string, n), make([]pgtype.UUID, n), make([]string, n)
	parents, types := make([]string, n), make([]string, n)
	bets, rolledBack, wins := make([]int32, n), make([]int32, n), make([]int32, n)
	staked, won := make([]int64, n), make([]int64, n)
	betTransactions, winTransactions := make([]string, n), make([]string, n)
	opened, closed := make([]time.Time, n), make([]pgtype.Timestamptz, n)
	bonusStaked, bonuses := make([]int64, n), make([]pgtype.UUID, n)
	last, uses := make([]time.Time, n), make([]int32, n)
	for i, r := range s.changed {
		providers[i], ids[i], players[i], games[i] = r.provider, r.id, postgres.UUID(r.player), r.game
		parents[i], types[i] = r.parent, r.betType
		bets[i], rolledBack[i], wins[i] = r.bets, r.rolledBack, r.wins
		staked[i], won[i] = int64(r.staked), int64(r.won)
		betTransactions[i], winTransactions[i] = r.betTransaction, r.winTransaction
		opened[i], closed[i] = r.opened, r.closed
		last[i], uses[i] = r.last, r.uses
		bonusStaked[i], bonuses[i] = int64(r.bonusStaked), postgres.NullUUID(r.bonusID)
	}
	batch.Queue(writeRounds, providers, ids, postgres.Array(players), games, parents, types, bets, rolledBack, wins,
		staked, won, betTransactions, winTransactions, opened, postgres.Array(closed),
		bonusStaked, postgres.Array(bonuses), last, uses)
}
