package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/sim/betsim"
	"evens/sim/casinosim"
)

// Config says what to play against.
type Config struct {
	BaseURL string // of the public listener
	APIKey  string // with all scopes
	BeT     *betsim.Server
	// Games are the platforms to play at, by turns.
	Games []casinosim.Platform
	// Books reconciles; nil: the demo goes without.
	Books Books
	// Lists are the providers whose lists can be asked for.
	Lists []string
	// Decide ends a break by a person's word.
	Decide func(ctx context.Context, breakID uuid.UUID, comment string) error
	// Settling is how long what a list lacks waits before it counts.
	Settling time.Duration
	Seed     uint64
	// Paths are what stands behind the addresses of platforms that call by a secret path.
	Paths map[string]string
	// Grace is after how long the system gives up on an unconfirmed coupon.
	Grace time.Duration
	Out   io.Writer
}

// Play is a demo under way.
type Play struct {
	cfg     Config
	client  *client
	run     string // makes this run's names its own
	chance  *rand.Rand
	players []player
	coupons []coupon
	begun   time.Time
	// newcomer plays with a bonus, and under a limit.
	newcomer player
	quiet    []string // coupons that BeT decided and told nobody of
}

// New returns a play, not begun.
func New(cfg Config) *Play {
	return &Play{
		cfg: cfg, client: newClient(cfg.BaseURL, cfg.APIKey), run: fmt.Sprintf("%x", cfg.Seed),
		begun:  time.Now(),
		chance: rand.New(rand.NewPCG(cfg.Seed, 1)), //nolint:gosec // a play needs no secrecy
	}
}

func (p *Play) say(format string, args ...any) {
	fmt.Fprintf(p.cfg.Out, format+"\n", args...)
}

func (p *Play) title(text string) { p.say("\n== %s", text) }

// Run plays every scene in order.
func (p *Play) Run(ctx context.Context) error {
	scenes := []struct {
		title string
		play  func(context.Context) error
	}{
		{"Players arrive and pay in", p.arrive},
		{"Coupons go to BeT, which refuses some, changes coefficients and loses answers", p.place},
		{"Mistakes of a frontend change nothing", p.mistakes},
		{"The final whistle: results come in bulk, twice, in disorder, and with corrections", p.whistle},
		{"Next morning BeT corrects scores: wins become losses and losses wins", p.revise},
		{"Money paid out by mistake was spent: the balance goes below zero and stakes are refused", p.overdrawn},
		{"A result that makes no sense waits for a person, and holds up no other", p.nonsense},
		{"Coupons whose answer was lost get their stake back after the grace period", p.unconfirmed},
		{"Games: four platforms, each in its own dialect, lose answers, repeat themselves, roll back and come late", p.gamble},
		{"A bonus is wagered to its end", p.wager},
		{"A limit is hit: by a coupon, and at every platform in its own words", p.stop},
		{"Reconciliation: our books against everyone else's", p.reconcile},
		{"Players' balances", p.balances},
	}
	for _, scene := range scenes {
		p.title(scene.title)
		if err := scene.play(ctx); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(scene.title), err)
		}
	}
	return nil
}

var names = []string{"Ana Souza", "Bruno Lima", "Carla Dias", "Diego Alves", "Elif Kaya", "Farid Aliyev", "Gita Rao", "Hugo Reis"}

func (p *Play) arrive(ctx context.Context) error {
	for i, name := range names {
		opened, err := p.open(ctx, name, i+1)
		if err != nil {
			return err
		}
		p.players = append(p.players, opened)
		if err := p.pay(ctx, opened, "deposits", fmt.Sprintf("%d.00", 200+100*i), "pix"); err != nil {
			return err
		}
	}
	if err := p.pay(ctx, p.players[1], "withdrawals", "50.00", "bank"); err != nil {
		return err
	}
	p.say("%d players with deposits of 200.00 to 900.00 USD; %s took 50.00 out again", len(p.players), p.players[1].Name)
	return nil
}

// open registers the n-th player.
func (p *Play) open(ctx context.Context, name string, n int) (opened player, err error) {
	err = p.client.call(ctx, "POST", "/v1/players", "", map[string]string{
		"external_id": fmt.Sprintf("demo-%s-%d", p.run, n), "name": name,
		"email": fmt.Sprintf("player%d@example.com", n), "currency": "USD",
	}, &opened)
	return opened, err
}

func (p *Play) pay(ctx context.Context, who player, way, amount, method string) error {
	return p.payAs(ctx, who, way, fmt.Sprintf("%s-%s-%s", way, p.run, who.ID), amount, method)
}

// payIn is a further deposit.
func (p *Play) payIn(ctx context.Context, who player, what, amount string) error {
	return p.payAs(ctx, who, "deposits", fmt.Sprintf("%s-%s-%s", what, p.run, who.ID), amount, "card")
}

func (p *Play) payAs(ctx context.Context, who player, way, id, amount, method string) error {
	body := map[string]string{"amount": amount, "currency": "USD", "method": method, "transaction_id": id}
	return p.client.call(ctx, "POST", "/v1/players/"+who.ID+"/"+way, id, body, nil)
}

const couponsPlaced = 160

func (p *Play) place(ctx context.Context) error {
	counts, codes := map[string]int{}, map[string]int{}
	for i := range couponsPlaced {
		placed, err := p.order(ctx, p.players[i%len(p.players)], p.pointers(i), fmt.Sprintf("%d.%02d", 1+p.chance.IntN(9), p.chance.IntN(100)), i)
		if err != nil {
			return err
		}
		p.coupons = append(p.coupons, placed)
		counts[placed.Status]++
		if placed.Error != nil {
			codes[placed.Error.Code]++
		}
	}
	p.say("%d coupons: %s", couponsPlaced, tally(counts))
	p.say("why not accepted: %s", tally(codes))
	return nil
}

// pointers makes a single, or every third time an express of two to four matches.
func (p *Play) pointers(i int) []string {
	legs := 1
	if i%3 == 2 {
		legs = 2 + p.chance.IntN(3)
	}
	pointers := make([]string, legs)
	for leg := range pointers {
		kind := "line"
		if p.chance.IntN(3) == 0 {
			kind = "live"
		}
		pointers[leg] = fmt.Sprintf("%s#%d|%d|%d|%s#%d.%02d", kind, 180_000_000+i*10+leg, 1+p.chance.IntN(17), 1+p.chance.IntN(9),
			[]string{"0", "0.5", "2.5", "-1.5"}[p.chance.IntN(4)], 1+p.chance.IntN(3), 10+p.chance.IntN(90))
	}
	return pointers
}

func (p *Play) order(ctx context.Context, who player, pointers []string, stake string, i int) (coupon, error) {
	mode := "reject"
	if i%2 == 0 {
		mode = "accept"
	}
	var placed coupon
	err := p.client.call(ctx, "POST", "/v1/coupons", fmt.Sprintf("demo-%s-%d", p.run, i), map[string]any{
		"player_id": who.ID, "selections": pointers, "stake": stake, "currency": "USD", "lang": "en", "rate_mode": mode,
	}, &placed)
	return placed, err
}

func (p *Play) mistakes(ctx context.Context) error {
	who := p.players[0]
	before, err := p.cash(ctx, who)
	if err != nil {
		return err
	}
	mistakes := []struct {
		what     string
		pointers []string
		stake    string
		want     string
	}{
		{"more than there is", []string{"line#1|1|1|0#2.00"}, "999999.00", "insufficient_funds"},
		{"two selections of one match", []string{"line#1|1|1|0#2.00", "line#1|1|2|0#3.00"}, "1.00", "invalid_selection"},
		{"a pointer that is none", []string{"tomorrow it rains"}, "1.00", "invalid_selection"},
		{"a negative stake", []string{"line#1|1|1|0#2.00"}, "-5.00", "invalid_amount"},
	}
	for i, mistake := range mistakes {
		_, err := p.order(ctx, who, mistake.pointers, mistake.stake, 10_000+i)
		answer := &refusal{}
		if !errors.As(err, &answer) || answer.code() != mistake.want {
			return fmt.Errorf("%s: want %s, got %w", mistake.what, mistake.want, err)
		}
		p.say("%s: HTTP %d %s", mistake.what, answer.status, answer.code())
	}
	after, err := p.cash(ctx, who)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("the balance went from %s to %s", before, after)
	}
	p.say("%s still has %s", who.Name, after)
	return nil
}

func (p *Play) cash(ctx context.Context, who player) (string, error) {
	var has wallet
	err := p.client.call(ctx, "GET", "/v1/players/"+who.ID+"/wallet", "", nil, &has)
	return has.Cash, err
}

func (p *Play) whistle(ctx context.Context) error {
	heads := p.cfg.BeT.Results(betsim.ResultOptions{
		Duplicates: 150, Reversals: 120, SameSecond: 200, Bare: 300, Disorder: true, At: time.Now().Add(-time.Hour),
	})
	if err := p.push(ctx, heads); err != nil {
		return err
	}
	p.say("%d results pushed for %d coupons, every push with numbers now as numbers, now as text", len(heads), len(p.cfg.BeT.Coupons()))
	return p.settled(ctx)
}

func (p *Play) push(ctx context.Context, heads []betsim.Head) error {
	return betsim.Pusher{PerPush: 25, Duplicates: 200, Odd: 300, Seed: p.cfg.Seed}.Push(ctx, heads)
}

// settled waits until our coupons say what BeT said last of each, and tells how they ended.
func (p *Play) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		open, err := p.refresh(ctx)
		if err != nil {
			return err
		}
		if open == 0 {
			break
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d coupons are not what BeT last said", open)
		}
	}
	counts := map[string]int{}
	for _, c := range p.coupons {
		counts[c.Status]++
	}
	p.say("coupons now: %s", tally(counts))
	return nil
}

// refresh reads all coupons again, and counts those that do not say yet what BeT says.
func (p *Play) refresh(ctx context.Context) (open int, err error) {
	for i := range p.coupons {
		if err := p.client.call(ctx, "GET", "/v1/coupons/"+p.coupons[i].ID, "", nil, &p.coupons[i]); err != nil {
			return 0, err
		}
		last, said := p.cfg.BeT.Last(p.coupons[i].BetCode)
		if p.coupons[i].BetCode != "" && said && !agrees(p.coupons[i], last) {
			open++
		}
	}
	return open, nil
}

// agrees compares outcomes; the audit compares the money.
func agrees(c coupon, last betsim.Head) bool {
	if last.Status == 4 {
		return c.Status == "lost"
	}
	return c.Status == "won" || c.Status == "refunded"
}

func (p *Play) revise(ctx context.Context) error {
	heads := p.cfg.BeT.Results(betsim.ResultOptions{Revise: true, Limit: 20, Disorder: true})
	if err := p.push(ctx, heads); err != nil {
		return err
	}
	p.say("%d corrections pushed", len(heads))
	return p.settled(ctx)
}

// overdrawn lets a player win, take everything out, and lose the win again.
func (p *Play) overdrawn(ctx context.Context) error {
	who := p.players[len(p.players)-1]
	var placed coupon
	for try := 0; placed.Status != "accepted"; try++ {
		var err error
		if placed, err = p.order(ctx, who, []string{fmt.Sprintf("line#%d|1|1|0#5.00", 190_000_000+try)}, "10.00", 20_000+2*try); err != nil {
			return err
		}
		if try > 20 {
			return errors.New("BeT took no coupon in 20 tries")
		}
	}
	p.coupons = append(p.coupons, placed)
	this := func(c betsim.Coupon) bool { return c.BetCode == placed.BetCode }
	win := betsim.ResultOptions{Mix: betsim.Mix{Won: 1}, Only: this, At: time.Now().Add(-time.Minute)}
	if err := p.pushAndWait(ctx, win); err != nil {
		return err
	}
	has, err := p.cash(ctx, who)
	if err != nil {
		return err
	}
	if err := p.pay(ctx, who, "withdrawals", has, "pix"); err != nil {
		return err
	}
	p.say("%s won, and took all of %s out", who.Name, has)
	if err := p.pushAndWait(ctx, betsim.ResultOptions{Mix: betsim.Mix{Lost: 1}, Only: this, Revise: true, At: time.Now()}); err != nil {
		return err
	}
	if has, err = p.cash(ctx, who); err != nil {
		return err
	}
	if !strings.HasPrefix(has, "-") {
		return fmt.Errorf("the balance is %s after a spent win was taken back", has)
	}
	p.say("BeT takes the win back: the balance is %s", has)
	_, err = p.order(ctx, who, []string{"line#5|1|1|0#2.00"}, "1.00", 30_000)
	answer := &refusal{}
	if !errors.As(err, &answer) {
		return errors.New("a stake was taken from a balance below zero")
	}
	p.say("another stake: HTTP %d %s", answer.status, answer.code())
	return nil
}

func (p *Play) pushAndWait(ctx context.Context, options betsim.ResultOptions) error {
	if err := p.push(ctx, p.cfg.BeT.Results(options)); err != nil {
		return err
	}
	return p.settled(ctx)
}

func (p *Play) nonsense(ctx context.Context) error {
	i := slices.IndexFunc(p.coupons, func(c coupon) bool { return c.Status == "lost" })
	if i < 0 {
		return errors.New("no coupon was lost")
	}
	target := p.coupons[i]
	all := p.cfg.BeT.Coupons()
	at := slices.IndexFunc(all, func(c betsim.Coupon) bool { return c.BetCode == target.BetCode })
	last, _ := p.cfg.BeT.Last(target.BetCode)
	if at < 0 {
		return errors.New("BeT does not know " + target.BetCode)
	}
	last.Status, last.ExtStatus, last.AmountOut, last.DateRecive = 2, 0, "1000000", last.DateRecive+1
	if err := p.push(ctx, []betsim.Head{last}); err != nil {
		return err
	}
	time.Sleep(time.Second)
	var now coupon
	if err := p.client.call(ctx, "GET", "/v1/coupons/"+target.ID, "", nil, &now); err != nil {
		return err
	}
	if now.Status != "lost" {
		return fmt.Errorf("coupon %s became %s", now.ID, now.Status)
	}
	p.say("BeT says coupon %s won 1,000,000 on a stake of %s: it stays %s, and `evens results list` shows the result", target.BetCode, target.Stake, now.Status)
	return nil
}

// unconfirmed waits for the grace period and the sweep behind it.
func (p *Play) unconfirmed(ctx context.Context) error {
	waiting := func() (n int) {
		for _, c := range p.coupons {
			if c.Status == "unconfirmed" || c.Status == "placing" {
				n++
			}
		}
		return n
	}
	before := waiting()
	p.say("%d coupons are unconfirmed; the grace period of the demo is %s", before, p.cfg.Grace)
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Grace+time.Minute)
	defer cancel()
	for waiting() > 0 {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d coupons are still unconfirmed", waiting())
		}
		if _, err := p.refresh(ctx); err != nil {
			return err
		}
	}
	p.say("%d stakes went back; results of coupons that BeT has all the same wait for a person", before)
	return nil
}

func (p *Play) balances(ctx context.Context) error {
	for _, who := range p.players {
		has, err := p.cash(ctx, who)
		if err != nil {
			return err
		}
		p.say("%-14s %10s USD", who.Name, has)
	}
	return nil
}

// Betslip is the address of the betslip page, logged in as the first player.
func (p *Play) Betslip(ctx context.Context) (string, error) {
	var token struct{ Token string }
	err := p.client.call(ctx, "POST", "/v1/players/"+p.players[0].ID+"/tokens", "", map[string]string{}, &token)
	if err != nil {
		return "", err
	}
	values := url.Values{"player": {p.players[0].ID}, "token": {token.Token}}
	return p.cfg.BaseURL + BetslipPath + "#" + values.Encode(), nil
}

func tally(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
