package wallet_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Every worked table of docs/player-money.md is played, and comes to the figures it shows.
func TestTheDocumentsFigures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/player-money.md")
	if err != nil {
		t.Fatal(err)
	}
	const worked = 5
	tables := 0
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		columns := cellsOf(line)
		if len(columns) < 3 || columns[0] != "step" {
			continue
		}
		tables++
		var steps [][]string
		for _, row := range lines[i+2:] {
			cells := cellsOf(row)
			if len(cells) != len(columns) {
				break
			}
			steps = append(steps, cells)
		}
		t.Run(fmt.Sprint("table ", tables), func(t *testing.T) {
			t.Parallel()
			d := &document{purse: open(t).purse("")}
			for _, step := range steps {
				d.play(step[0])
				for c := 1; c < len(columns); c++ {
					if got := d.figure(columns[c]); got != step[c] {
						t.Fatalf("after %q: %s is %q, the document says %q", step[0], columns[c], got, step[c])
					}
				}
			}
		})
	}
	if tables != worked {
		t.Errorf("%d worked tables, want %d", tables, worked)
	}
}

func cellsOf(line string) []string {
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// document plays a table's steps for one player.
type document struct {
	*purse
	bet, won *ledger.Transaction
	bonuses  int
}

var (
	stakeStep = regexp.MustCompile(`^stake (\S+) on (\w+)$`)
	bonusStep = regexp.MustCompile(`^bonus (\S+) × (\d+)$`)
	limitStep = regexp.MustCompile(`^limit: (\S+) of (wagers|losses) a day$`)
)

func (d *document) play(step string) {
	d.t.Helper()
	if rest, refused := strings.CutPrefix(step, "refused: "); refused {
		if err := d.try(rest); err == nil {
			d.t.Fatalf("%q was not refused", rest)
		}
		return
	}
	if err := d.try(step); err != nil {
		d.t.Fatalf("%s: %v", step, err)
	}
}

func (d *document) try(step string) (err error) {
	d.t.Helper()
	if m := stakeStep.FindStringSubmatch(step); m != nil {
		bet, err := d.purse.bet(m[2], m[1], at)
		if err == nil {
			d.bet = bet
		}
		return err
	}
	if m := bonusStep.FindStringSubmatch(step); m != nil {
		d.grant(m[1], m[2], nil)
		d.bonuses++
		return nil
	}
	if m := limitStep.FindStringSubmatch(step); m != nil {
		measure := map[string]wallet.Measure{"wagers": wallet.Wagers, "losses": wallet.Losses}[m[2]]
		d.limit(at, func(w *wallet.Wish) { w.Caps[measure][wallet.Daily] = cap(m[1]) })
		return nil
	}
	verb, amount, _ := strings.Cut(step, " ")
	switch {
	case verb == "deposit":
		_, err = wallet.Deposit(d.t.Context(), d.poster, order(d.id, amount, uuid.NewString()))
	case verb == "withdraw":
		_, err = wallet.Withdraw(d.t.Context(), d.poster, order(d.id, amount, uuid.NewString()))
	case verb == "win":
		d.won = d.win(d.bet, amount, at)
	case step == "roll back the win":
		d.rollback(d.won, at)
	case step == "roll back the stake":
		d.rollback(d.bet, at)
	default:
		d.t.Fatalf("the document has a step that is not known: %q", step)
	}
	return err
}

// figure is what a column shows now; nothing where there is no bonus yet.
func (d *document) figure(column string) string {
	d.t.Helper()
	balance, err := d.players.Balance(d.t.Context(), d.id)
	if err != nil {
		d.t.Fatal(err)
	}
	rules, err := d.rulebook(at).Read(d.t.Context(), d.id)
	if err != nil {
		d.t.Fatal(err)
	}
	figures := map[string]money.Amount{
		"cash": balance.Cash, "bonus": balance.Bonus,
		"wagered today": rules.Used[wallet.Wagers][wallet.Daily], "lost today": rules.Used[wallet.Losses][wallet.Daily],
	}
	if column == "wagered" {
		if d.bonuses == 0 {
			return ""
		}
		return d.newest().Wagered.String()
	}
	figure, known := figures[column]
	if !known {
		d.t.Fatalf("the document has a column that is not known: %q", column)
	}
	return figure.String()
}
