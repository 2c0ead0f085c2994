package casinosim

import (
	"slices"
	"time"
)

// Planted is what a platform's list was made to say wrong.
type Planted struct {
	// Lost debits are missing in the list, Failed ones marked as such; Credits are in the list only.
	Lost, Failed, Credits int
	// Unknown bets stand there with a status that proves nothing: they end with a person.
	Unknown int
	// Others are wrong amounts, players, duplicates and bets that never were, until Mend.
	Others int
	// Mend has the platform put the others right.
	Mend func()
}

// Plant makes a platform's list differ from what was played, in every way it can.
func Plant(p Platform, who Player) Planted {
	b := p.book()
	b.mu.Lock()
	defer b.mu.Unlock()
	var planted Planted
	// Lost bets that won nothing: whoever gives one back gives back its stake.
	var plain []string
	for _, r := range b.rows {
		if r.status == "ok" && r.kind != "win" && r.spin.Stake > 0 && r.spin.Pay == 0 && r.spin.Parent == "" {
			plain = append(plain, r.id)
		}
	}
	if len(plain) < 6 {
		return Planted{Mend: func() {}}
	}
	b.drop(plain[0])
	planted.Lost = 1
	if p.Name() == "tg" { // whose list has no word for it
		b.rows[b.at[plain[1]]].word, planted.Unknown = "9", 1
	} else {
		b.rows[b.at[plain[1]]].status, planted.Failed = "failed", 1
	}
	if p.Name() == "naga" {
		planted.Unknown += b.doubt("PAYOUT_CHECK_FAIL")
	}
	if p.Name() == "betao" {
		b.add(row{id: "extra-" + plain[0], kind: "win", player: who, spin: Spin{Win: "extra-" + plain[0], Round: "r-extra", Pay: 250}, status: "ok", at: time.Now().UTC()}, len(b.rows))
		planted.Credits = 1
	}
	before := make(map[string]row)
	for _, id := range []string{plain[2], plain[3], plain[5]} {
		before[id] = b.rows[b.at[id]]
	}
	b.rows[b.at[plain[2]]].spin.Stake++
	b.rows[b.at[plain[3]]].player.ID = "somebody-else"
	b.rows[b.at[plain[5]]].player.Currency = "EUR" // which Naga's list does not tell
	// A stake that no bet has: it must not be taken for the lost one under another id.
	never := row{id: "never-" + plain[0], kind: "bet", player: who, spin: Spin{Bet: "never", Stake: 7_777, Round: "r-never"}, status: "ok", at: time.Now().UTC()}
	b.add(never, len(b.rows))
	planted.Others = 4
	twice := p.Name() != "naga" // whose pages are short: a line twice may stand on two of them
	if twice {
		at := b.at[plain[4]]
		b.rows = slices.Insert(b.rows, at, b.rows[at])
		b.index()
		planted.Others++
	}
	planted.Mend = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for id, r := range before {
			b.rows[b.at[id]] = r
		}
		b.drop(never.id)
		if twice {
			b.rows = slices.Delete(b.rows, b.at[plain[4]], b.at[plain[4]]+1)
			b.index()
		}
	}
	return planted
}

// doubt gives a won bet a status that proves nothing of its payout.
func (b *book) doubt(word string) int {
	for i, r := range b.rows {
		if r.status == "ok" && r.spin.Stake > 0 && r.spin.Pay > 0 && r.spin.Parent == "" {
			b.rows[i].word = word
			return 1
		}
	}
	return 0
}

func (b *book) drop(id string) {
	at := b.at[id]
	b.rows = slices.Delete(b.rows, at, at+1)
	b.index()
}

func (b *book) add(r row, at int) {
	b.rows = slices.Insert(b.rows, at, r)
	b.index()
}

func (b *book) index() {
	clear(b.at)
	for i, r := range b.rows {
		b.at[r.id] = i
	}
}
