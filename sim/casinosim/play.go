package casinosim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Plan is what is to be played, and how badly. Chances are per mille of rounds.
type Plan struct {
	Operator string // the operator's address; calls go below /casino/<platform>
	Path     string // behind that, such as a secret segment
	Players  []Player
	Rounds   int           // of each player
	Every    time.Duration // a player's pause between two rounds
	Seed     uint64
	Client   *http.Client

	LoseAnswer     int // an answer never arrives, and the call is sent again
	Duplicate      int // a call is sent twice at the same time
	RollbackBefore int // a rollback arrives before its bet
	Rollback       int // a bet is rolled back
	RollbackTwice  int // and again
	LateWin        int // a win arrives some rounds later
	FailPayout     int // a payout fails at the platform, whose list says so until it is sent some rounds later
	TooMuch        int // a stake is higher than the balance
	FreeSpins      int // a spin wins free spins, or an item
	Doubt          int // a bet is listed with a status that is any of theirs
}

// Rough is a plan's chances on a bad day.
func (p Plan) Rough() Plan {
	p.LoseAnswer, p.Duplicate, p.RollbackBefore, p.Rollback = 40, 60, 30, 60
	p.RollbackTwice, p.LateWin, p.FailPayout, p.TooMuch, p.FreeSpins = 300, 60, 40, 30, 40
	return p
}

// Report is what was played. Amounts are in cents.
type Report struct {
	Rounds, Calls, Wins, Repeats, Lost, Rollbacks, Tombstones, Late, Refused, FreeSpins, Notices, FailedPayouts int
	Staked, Won                                                                                                 int64
}

func (r *Report) add(o Report) {
	r.Rounds, r.Calls, r.Wins, r.Repeats = r.Rounds+o.Rounds, r.Calls+o.Calls, r.Wins+o.Wins, r.Repeats+o.Repeats
	r.Lost, r.Rollbacks, r.Tombstones, r.Late = r.Lost+o.Lost, r.Rollbacks+o.Rollbacks, r.Tombstones+o.Tombstones, r.Late+o.Late
	r.Refused, r.FreeSpins, r.Notices = r.Refused+o.Refused, r.FreeSpins+o.FreeSpins, r.Notices+o.Notices
	r.FailedPayouts += o.FailedPayouts
	r.Staked, r.Won = r.Staked+o.Staked, r.Won+o.Won
}

// Play plays the plan, all players at once, and fails at the first answer or balance that is not
// what it must be.
func Play(ctx context.Context, platform Platform, plan Plan) (Report, error) {
	if plan.Client == nil {
		plan.Client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: len(plan.Players)}}
		defer plan.Client.CloseIdleConnections()
	}
	var mu sync.Mutex
	var total Report
	var problems []error
	var wg sync.WaitGroup
	for i, player := range plan.Players {
		wg.Go(func() {
			s := &seat{platform: platform, plan: plan, player: player, random: rand.New(rand.NewPCG(plan.Seed, uint64(i)))}
			err := s.play(ctx)
			mu.Lock()
			defer mu.Unlock()
			total.add(s.report)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s, player %s: %w", platform.Name(), player.ID, err))
			}
		})
	}
	wg.Wait()
	return total, errors.Join(problems...)
}

// seat is one player at the platform, who knows what the balance must be.
type seat struct {
	platform Platform
	plan     Plan
	player   Player
	random   *rand.Rand
	balance  int64 // ten-thousandths
	late     []Spin
	report   Report
	round    int
}

var (
	errVerdict = errors.New("another verdict than expected")
	errBalance = errors.New("another balance than expected")
)

func (s *seat) chance(perMille int) bool { return s.random.IntN(1000) < perMille }

// meet asks who the player is, at platforms whose games know a token only.
func (s *seat) meet(ctx context.Context) error {
	platform, has := s.platform.(interface {
		Authorize(p Player) Call
		ReadPlayer(p Player, status int, body []byte) (Player, error)
	})
	if !has {
		return nil
	}
	status, body, err := s.post(ctx, platform.Authorize(s.player))
	if err != nil {
		return err
	}
	if s.player, err = platform.ReadPlayer(s.player, status, body); err != nil {
		return fmt.Errorf("authorize: %w: HTTP %d %s", err, status, body)
	}
	return nil
}

func (s *seat) play(ctx context.Context) error {
	if err := s.meet(ctx); err != nil {
		return err
	}
	answer, err := s.send(ctx, s.platform.Balance(s.player))
	if err != nil {
		return err
	}
	s.balance = answer.Balance
	for s.round = range s.plan.Rounds {
		if err := s.playRound(ctx); err != nil {
			return fmt.Errorf("round %d: %w", s.round, err)
		}
		s.report.Rounds++
		if err := s.pause(ctx); err != nil {
			return err
		}
	}
	for len(s.late) > 0 {
		if err := s.payLate(ctx); err != nil {
			return err
		}
	}
	if err := s.notify(ctx); err != nil {
		return err
	}
	_, err = s.expect(ctx, s.platform.Balance(s.player), true, Done)
	return err
}

func (s *seat) pause(ctx context.Context) error {
	if s.plan.Every <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(s.plan.Every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spin draws a round: two of three lose.
func (s *seat) spin(n int) Spin {
	id := fmt.Sprintf("%x-%s-%d-%d", s.plan.Seed, s.player.ID, s.round, n)
	spin := Spin{
		Bet: "b-" + id, Win: "w-" + id, Round: "r-" + id, Game: s.game(),
		Stake: 10 + 10*s.random.Int64N(40),
	}
	if s.random.IntN(3) == 0 {
		spin.Pay = spin.Stake * s.random.Int64N(50) / 10
	}
	return spin
}

func (s *seat) game() string {
	lists := map[string][]game{"tg": tgGames, "naga": nagaGames, "betron": betronGames, "betao": betaoGames}
	games := lists[s.platform.Name()]
	return games[s.random.IntN(len(games))].code
}

func (s *seat) playRound(ctx context.Context) error {
	if len(s.late) > 0 && s.chance(300) {
		if err := s.payLate(ctx); err != nil {
			return err
		}
	}
	spin := s.spin(0)
	switch {
	case s.chance(s.plan.TooMuch):
		return s.tooMuch(ctx, spin)
	case s.chance(s.plan.RollbackBefore):
		return s.rollbackBefore(ctx, spin)
	case s.balance < spin.Stake*100:
		spin.Stake = 0
	}
	if s.chance(s.plan.FreeSpins) {
		return s.freeSpins(ctx, spin)
	}
	return s.settle(ctx, spin)
}

// settle bets, and wins, loses or is rolled back.
func (s *seat) settle(ctx context.Context, spin Spin) error {
	pay, apart := s.platform.Settle(s.player, spin)
	if err := s.bet(ctx, spin, !apart); err != nil {
		return err
	}
	switch {
	case s.chance(s.plan.Rollback):
		return s.rollback(ctx, spin, !apart)
	case !apart:
		return nil
	case s.chance(s.plan.LateWin):
		s.late = append(s.late, spin)
		return nil
	case s.chance(s.plan.FailPayout):
		s.report.FailedPayouts++
		Mark(s.platform, spin.Bet, failedPayout[s.platform.Name()][s.random.IntN(2)])
		s.late = append(s.late, spin)
		return nil
	}
	return s.win(ctx, spin, pay)
}

func (s *seat) bet(ctx context.Context, spin Spin, both bool) error {
	s.balance -= spin.Stake * 100
	s.report.Staked += spin.Stake
	if both {
		s.won(spin)
	}
	if _, err := s.repeatedly(ctx, s.platform.Bet(s.player, spin)); err != nil {
		return fmt.Errorf("bet %s: %w", spin.Bet, err)
	}
	status := "ok"
	if s.platform.Name() == "naga" { // whose list tells a bet that is not over
		status = "open"
	}
	s.platform.book().put(row{id: spin.Bet, kind: kindOf(both), player: s.player, spin: spin, status: status, at: time.Now().UTC()})
	if words := Words[s.platform.Name()]; s.plan.Doubt > 0 && len(words) > 0 && s.chance(s.plan.Doubt) {
		Mark(s.platform, spin.Bet, words[s.random.IntN(len(words))])
	}
	return nil
}

func kindOf(both bool) string {
	if both {
		return "both"
	}
	return "bet"
}

func (s *seat) won(spin Spin) {
	s.balance += spin.Pay * 100
	s.report.Won += spin.Pay
	if spin.Pay > 0 {
		s.report.Wins++
	}
}

// failedPayout is what platforms' lists say of a bet whose payout has failed: Naga's has two words for
// it, the others do not tell.
var failedPayout = map[string][2]string{"naga": {"PAYOUT_OPERATOR_ERROR", "PAYOUT_CHECK_FAIL"}}

func (s *seat) win(ctx context.Context, spin Spin, pay Call) error {
	s.won(spin)
	if _, err := s.repeatedly(ctx, pay); err != nil {
		return fmt.Errorf("win %s: %w", spin.Win, err)
	}
	if s.platform.Name() == "naga" {
		s.platform.book().mark(spin.Bet, "ok")
		Mark(s.platform, spin.Bet, "")
	}
	if s.platform.Name() == "betao" {
		s.platform.book().put(row{id: spin.Win, kind: "win", player: s.player, spin: spin, status: "ok", at: time.Now().UTC()})
	}
	return nil
}

func (s *seat) payLate(ctx context.Context) error {
	spin := s.late[0]
	s.late = s.late[1:]
	s.report.Late++
	pay, _ := s.platform.Settle(s.player, spin)
	return s.win(ctx, spin, pay)
}

func (s *seat) rollback(ctx context.Context, spin Spin, both bool) error {
	s.balance += spin.Stake * 100
	s.report.Staked -= spin.Stake
	if both {
		s.balance -= spin.Pay * 100
		s.report.Won -= spin.Pay
	}
	s.report.Rollbacks++
	times := 1
	if s.chance(s.plan.RollbackTwice) {
		times = 2
	}
	for range times {
		if _, err := s.expect(ctx, s.platform.Rollback(s.player, spin), true, Done, Repeated); err != nil {
			return fmt.Errorf("rollback %s: %w", spin.Bet, err)
		}
	}
	s.platform.book().mark(spin.Bet, "rolled back")
	if pay, apart := s.platform.Settle(s.player, spin); apart && s.platform.Name() != "betron" { // which cannot tell
		if _, err := s.expect(ctx, pay, false, Gone); err != nil {
			return fmt.Errorf("win of %s, which was rolled back: %w", spin.Bet, err)
		}
	}
	return nil
}

func (s *seat) rollbackBefore(ctx context.Context, spin Spin) error {
	s.report.Tombstones++
	if _, err := s.expect(ctx, s.platform.Rollback(s.player, spin), false, Done); err != nil {
		return fmt.Errorf("rollback %s before its bet: %w", spin.Bet, err)
	}
	if _, err := s.expect(ctx, s.platform.Bet(s.player, spin), false, Gone); err != nil {
		return fmt.Errorf("bet %s after its rollback: %w", spin.Bet, err)
	}
	return nil
}

func (s *seat) tooMuch(ctx context.Context, spin Spin) error {
	s.report.Refused++
	spin.Stake, spin.Pay = s.balance/100+1, 0
	for range 2 { // refused once, refused for good
		if _, err := s.expect(ctx, s.platform.Bet(s.player, spin), false, Funds); err != nil {
			return fmt.Errorf("bet %s of more than there is: %w", spin.Bet, err)
		}
	}
	return nil
}

// freeSpins plays a spin that wins three free ones; at TG it is an item, whose bet is only retried.
func (s *seat) freeSpins(ctx context.Context, spin Spin) error {
	s.report.FreeSpins++
	if s.platform.Name() == "tg" {
		spin.Type = "ITEM"
		return s.bet(ctx, spin, true)
	}
	spin.Parent = spin.Bet
	if err := s.spinAndWin(ctx, spin); err != nil {
		return err
	}
	for n := range 3 {
		free := s.spin(n + 1)
		free.Stake, free.Parent, free.Type, free.LastFree = 0, spin.Bet, "WIN_FREESPIN", n == 2
		if err := s.spinAndWin(ctx, free); err != nil {
			return err
		}
	}
	return nil
}

func (s *seat) spinAndWin(ctx context.Context, spin Spin) error {
	pay, apart := s.platform.Settle(s.player, spin)
	if err := s.bet(ctx, spin, !apart); err != nil || !apart {
		return err
	}
	return s.win(ctx, spin, pay)
}

// notify pays one more win by a callback that is worked off later, where the platform has such.
func (s *seat) notify(ctx context.Context) error {
	notifier, has := s.platform.(interface {
		Notify(p Player, s Spin) Call
	})
	if !has {
		return nil
	}
	s.round++
	spin := s.spin(0)
	spin.Stake, spin.Pay = 0, 100
	if err := s.bet(ctx, spin, false); err != nil {
		return err
	}
	call := notifier.Notify(s.player, spin)
	for range 2 {
		status, body, err := s.post(ctx, call)
		if err != nil {
			return err
		}
		if status != http.StatusOK || len(body) > 0 {
			return fmt.Errorf("callback %s: %w: HTTP %d %s", spin.Win, errVerdict, status, body)
		}
	}
	s.report.Notices++
	s.won(spin)
	s.platform.book().put(row{id: spin.Win, kind: "win", player: s.player, spin: spin, status: "ok", at: time.Now().UTC()})
	if err := s.settled(ctx); err != nil {
		return err
	}
	return s.notifyRollback(ctx)
}

// notifyRollback takes a bet back by a callback under the bet's own id.
func (s *seat) notifyRollback(ctx context.Context) error {
	notifier, has := s.platform.(interface {
		NotifyRollback(p Player, s Spin) Call
	})
	if !has {
		return nil
	}
	s.round++
	spin := s.spin(0)
	spin.Stake = min(spin.Stake, max(s.balance, 0)/100)
	if err := s.bet(ctx, spin, false); err != nil {
		return err
	}
	for range 2 {
		if _, _, err := s.post(ctx, notifier.NotifyRollback(s.player, spin)); err != nil {
			return err
		}
	}
	s.report.Notices++
	s.report.Rollbacks++
	s.report.Staked -= spin.Stake
	s.balance += spin.Stake * 100
	s.platform.book().mark(spin.Bet, "rolled back")
	return s.settled(ctx)
}

// settled waits until what was told by callbacks has been worked off.
func (s *seat) settled(ctx context.Context) error {
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, err := s.expect(ctx, s.platform.Balance(s.player), true, Done)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// repeatedly sends a call that must be done, with the faults of the plan: lost, or twice at once.
func (s *seat) repeatedly(ctx context.Context, call Call) (Answer, error) {
	if s.chance(s.plan.LoseAnswer) {
		s.report.Lost++
		s.lose(ctx, call)
	}
	if s.chance(s.plan.Duplicate) {
		s.report.Repeats++
		other := make(chan error, 1)
		go func() {
			_, err := s.expectQuietly(ctx, call)
			other <- err
		}()
		answer, err := s.expect(ctx, call, true, Done, Repeated)
		return answer, errors.Join(err, <-other)
	}
	return s.expect(ctx, call, true, Done, Repeated)
}

// lose sends a call and hangs up before its answer.
func (s *seat) lose(ctx context.Context, call Call) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.random.IntN(4))*time.Millisecond)
	defer cancel()
	_, _, _ = s.post(ctx, call) // that it fails is the point
}

// expectQuietly is expect of a call whose verdict counts and whose place in the report does not.
func (s *seat) expectQuietly(ctx context.Context, call Call) (Answer, error) {
	status, body, err := s.post(ctx, call)
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.platform.Read(status, body)
	if err == nil && answer.Verdict != Done && answer.Verdict != Repeated {
		err = fmt.Errorf("%w: HTTP %d %s", errVerdict, status, body)
	}
	return answer, err
}

// expect sends a call and looks at the verdict and, where it is told, at the balance.
func (s *seat) expect(ctx context.Context, call Call, told bool, want ...Verdict) (Answer, error) {
	answer, err := s.send(ctx, call)
	if err != nil {
		return answer, err
	}
	if !slices.Contains(want, answer.Verdict) {
		return answer, fmt.Errorf("%w: %+v, want %v", errVerdict, answer, want)
	}
	if told && answer.Shown > 0 {
		if shown := floor(s.balance, answer.Shown); answer.Balance != shown {
			return answer, fmt.Errorf("%w: %d, want %d", errBalance, answer.Balance, shown)
		}
	}
	return answer, nil
}

// floor rounds down to a multiple of unit, below zero too.
func floor(n, unit int64) int64 {
	rest := n % unit
	if rest < 0 {
		rest += unit
	}
	return n - rest
}

func (s *seat) send(ctx context.Context, call Call) (Answer, error) {
	s.report.Calls++
	status, body, err := s.post(ctx, call)
	if err != nil {
		return Answer{}, err
	}
	answer, err := s.platform.Read(status, body)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: HTTP %d %s", err, status, body)
	}
	return answer, nil
}

const largestAnswer = 1 << 20

func (s *seat) post(ctx context.Context, call Call) (int, []byte, error) {
	address := strings.TrimRight(s.plan.Operator, "/") + "/casino/" + s.platform.Name() + s.plan.Path + call.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(call.Body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = call.Header.Clone()
	response, err := s.plan.Client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	return response.StatusCode, body, err
}

// Refused asks for a stake of 1.00 that the operator must refuse, and returns the words it is refused
// with.
func Refused(ctx context.Context, platform Platform, plan Plan, player Player, id string) (string, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	plan.Client = client
	s := &seat{platform: platform, player: player, plan: plan, random: rand.New(rand.NewPCG(1, 1))}
	if err := s.meet(ctx); err != nil {
		return "", err
	}
	spin := Spin{Bet: "b-" + id, Win: "w-" + id, Round: "r-" + id, Game: s.game(), Stake: 100}
	status, body, err := s.post(ctx, platform.Bet(s.player, spin))
	if err != nil {
		return "", err
	}
	answer, err := platform.Read(status, body)
	if err == nil && (answer.Verdict == Done || answer.Verdict == Repeated) {
		err = fmt.Errorf("%w: a stake was taken: HTTP %d %s", errVerdict, status, body)
	}
	return fmt.Sprintf("HTTP %d %s", status, bytes.TrimSpace(body)), err
}
