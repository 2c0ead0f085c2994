package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/access"
	"evens/casino"
	"evens/casino/betao"
	"evens/casino/casinotest"
	"evens/casino/naga"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/callbacks"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/money/threshold"
	"evens/player"
	"evens/reconcile"
	"evens/settlement"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// house is everything that writes into the books, on one database. Only providers are played.
type house struct {
	*casinotest.Hall
	t           *testing.T
	desk        *coupon.Desk
	inbox       *settlement.Inbox
	settler     *settlement.Settler
	reconciler  *reconcile.Reconciler
	adjustments *player.Adjustments
	notices     *casino.Notices

	start  time.Time
	chunks []settlement.Chunk
	answer func() (bet.Answer, error) // of BeT
	said   int                        // results
	calls  int
	lists  map[string][]reconcile.Line
}

// Ring implements settlement.Bell.
func (h *house) Ring(chunks []settlement.Chunk) { h.chunks = append(h.chunks, chunks...) }

// RingNotice implements casino.NoticeBell: the notices are worked off by hand.
func (h *house) RingNotice(casino.Notice) {}

// Place implements coupon.Bookmaker.
func (h *house) Place(context.Context, bet.Ticket) (bet.Answer, error) { return h.answer() }

// Accepts has BeT take what it is sent.
func (h *house) accepts() {
	h.answer = func() (bet.Answer, error) { return bet.Answer{BetCode: uuid.NewString()}, nil }
}

// paged is a provider's list, a few lines a page.
type paged struct {
	house    *house
	provider string
	byRound  bool
}

func (p paged) ByRound() bool { return p.byRound }

func (p paged) Page(_ context.Context, from, to time.Time, cursor string) (reconcile.Page, error) {
	var at int
	_, _ = fmt.Sscan(cursor, &at) // "": the first
	lines := p.house.lists[p.provider]
	page := reconcile.Page{Raw: []byte("page " + cursor)}
	if at == 0 && !p.byRound {
		page.Unreadable = []reconcile.Unreadable{{TransactionID: "bo-odd", Text: "?", Reason: "no amount"}}
	}
	for ; at < len(lines) && len(page.Lines) < 4; at++ {
		if line := lines[at]; !line.At.Before(from) && line.At.Before(to) {
			page.Lines = append(page.Lines, line)
		}
	}
	if at < len(lines) {
		page.Next = fmt.Sprint(at)
	}
	return page, nil
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Hall: casinotest.Open(t, testbed.Database(t)), t: t, lists: map[string][]reconcile.Line{}}
	h.start = time.Now().UTC().Truncate(24 * time.Hour).Add(10 * time.Hour)
	h.SetClock(h.start)
	h.accepts()
	log := slog.New(slog.DiscardHandler)
	books := wallet.NewBooks(h.DB, nil, log)
	h.desk = coupon.NewDesk(h.Poster, coupon.NewStore(h.DB), coupon.Config{Bookmaker: h, RemoteHost: "http://us", Now: h.Now, Log: log})
	h.inbox = settlement.NewInbox(h.DB, h, settlement.Guard{})
	h.settler = settlement.NewSettler(h.DB, books, h, settlement.Guard{}, h.Now, settlement.Observer{}, log)
	h.notices = casino.NewNotices(h.DB, h, h.Now, log)
	operators := access.NewOperators(h.DB, h.Now)
	for _, email := range []string{"one@example.com", "two@example.com"} {
		_, err := operators.Create(t.Context(), email, access.Finance, "long enough")
		h.must(err)
	}
	h.adjustments = player.NewAdjustments(h.DB, h.Poster, operators, threshold.Dollars(h.sum("100")), h.Now)
	h.reconciler = reconcile.New(reconcile.Config{
		DB: h.DB, Poster: h.Poster, Players: player.NewDirectory(h.DB), Floor: h.Floor, Inbox: h.inbox, Desk: h.desk, Now: h.Now, Log: log,
		Sources: map[string]reconcile.Source{"betao": paged{h, "betao", false}, "naga": paged{h, "naga", true}}, Platforms: []casino.Kind{betao.Kind, naga.Kind},
	})
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused is told an error that a call must have.
func (h *house) refused(err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("answered %v, want %v", err, want)
	}
}

func (h *house) sum(text string) money.Amount { return money.MustParse(text) }

func (h *house) forward(d time.Duration) { h.SetClock(h.Now().Add(d)) }

func (h *house) order(who player.Identity, stake string, coefs ...string) coupon.Order {
	o := coupon.Order{Player: who.ID, Stake: h.sum(stake), Currency: who.Currency, Lang: "en", RateMode: "reject"}
	for i, coef := range coefs {
		o.Pointers = append(o.Pointers, fmt.Sprintf("line#%d|1|1|0#%s", 1000+i, coef))
	}
	h.calls++
	o.Request = wallet.Request{Scope: "test coupons", Key: fmt.Sprint(h.calls), Hash: o.Hash()}
	return o
}

func (h *house) place(who player.Identity, stake string, coefs ...string) coupon.Coupon {
	h.t.Helper()
	placed, err := h.desk.Place(h.t.Context(), h.order(who, stake, coefs...))
	h.must(err)
	return placed
}

// head is BeT's next word on a coupon.
func (h *house) head(code string, status, ext int, amount string) settlement.Head {
	h.said++
	head := settlement.Head{BarCode: code, DecidedAt: h.start.Add(time.Duration(h.said) * time.Second)}
	head.Status, head.ExtStatus = status, ext
	if amount != "" {
		head.AmountOut, head.HasAmount = h.sum(amount), true
	}
	return head
}

func (h *house) push(heads ...settlement.Head) {
	h.t.Helper()
	_, err := h.inbox.Store(h.t.Context(), settlement.Push{Heads: heads, Body: h.body(heads), Path: "/api/bet/result", Source: "127.0.0.1", At: h.Now()})
	h.must(err)
}

// body is a push of heads as BeT writes it.
func (h *house) body(heads []settlement.Head) []byte {
	h.t.Helper()
	wire := make([]map[string]any, len(heads))
	for i, head := range heads {
		wire[i] = map[string]any{
			"KeyHead": map[string]string{"BarCode": head.BarCode}, "Status": head.Status, "ExtStatus": head.ExtStatus,
			"DateRecive": head.DecidedAt.Format(time.RFC3339Nano),
		}
		if head.HasAmount {
			wire[i]["AmountOut"] = head.AmountOut.String()
		}
	}
	body, err := json.Marshal(map[string]any{"Heads": wire})
	h.must(err)
	return body
}

func (h *house) work() {
	h.t.Helper()
	for len(h.chunks) > 0 {
		chunk := h.chunks[0]
		h.chunks = h.chunks[1:]
		h.must(h.settler.Apply(h.t.Context(), chunk.ID))
	}
}

func (h *house) settle(heads ...settlement.Head) {
	h.t.Helper()
	h.push(heads...)
	h.work()
}

func (h *house) waiting(attention string) int64 {
	h.t.Helper()
	var id int64
	h.must(h.DB.Pool.QueryRow(h.t.Context(), `SELECT id FROM results WHERE attention = $1 ORDER BY id LIMIT 1`, attention).Scan(&id))
	return id
}

func (h *house) call(provider, id string, who player.Identity, round string) casino.Call {
	return casino.Call{Provider: provider, ID: id, Player: who, Game: "book-of-ra", Round: casino.Round{ID: round}, At: h.Now()}
}

func (h *house) bet(c casino.Call, stake string) {
	h.t.Helper()
	_, err := h.Floor.Bet(h.t.Context(), casino.Bet{Call: c, Stake: h.sum(stake)})
	h.must(err)
}

func (h *house) win(c casino.Call, amount, bet string) {
	h.t.Helper()
	_, err := h.Floor.Win(h.t.Context(), casino.Win{Call: c, Amount: h.sum(amount), Bet: bet})
	h.must(err)
}

func (h *house) rollback(c casino.Call) {
	h.t.Helper()
	_, err := h.Floor.Rollback(h.t.Context(), casino.Rollback{Call: c})
	h.must(err)
}

func (h *house) cash(who player.Identity, id, amount string) wallet.Cash {
	return wallet.Cash{
		Player: who.ID, Amount: h.sum(amount), Currency: who.Currency, Method: "pix", TransactionID: id, At: h.Now(),
		Request: wallet.Request{Scope: "test cashier", Key: id, Hash: ledger.HashOf(id)},
	}
}

// playDay has everything happen that happens in the house, and leaves the books even.
func playDay(t *testing.T) *house {
	t.Helper()
	h := openHouse(t)
	ana, ben, cleo := h.Player(t, "ana", h.sum("1000")), h.Player(t, "ben", h.sum("500")), h.Player(t, "cleo", h.sum("300"))
	h.Catalogue(t, "betao", map[string]string{"book-of-ra": "slots"})
	h.coupons(ana)
	h.decidedByHand(ana)
	h.oddAnswers(ana)
	h.games(ana)
	h.late(ana)
	h.bonuses(ben)
	h.reopened(h.Player(t, "dan", h.sum("100")))
	h.limits(cleo)
	h.forward(20 * time.Minute)
	h.limits(cleo)
	h.payments(ana)
	h.outside(ana)
	h.byHand(ana)
	h.twoPersons()
	h.asynchronous(ana)
	h.lists["betao"] = h.theirs("betao")
	h.lists["naga"] = h.theirs("naga")
	h.reconciliation(ana)
	h.close()
	// What comes after the first closing and the first seals.
	h.forward(time.Hour)
	h.settle(h.head(h.place(ana, "7.00", "2.00").BetCode, 2, 0, "14.00"))
	h.bet(h.call("betao", "after-the-closing", ana, "r-after"), "1")
	h.close()
	// The records behind the answers.
	h.eventually(`SELECT count(*) > 0 FROM callbacks WHERE provider = 'betao'`)
	return h
}

// coupons leaves coupons and results in each of their states.
func (h *house) coupons(who player.Identity) {
	h.t.Helper()
	var codes []string
	for range 12 {
		codes = append(codes, h.place(who, "10.00", "2.50", "1.20").BetCode)
	}
	h.place(who, "5.00", "3.00") // stays accepted
	h.settle(h.head(codes[0], 2, 0, "30.00"), h.head(codes[1], 4, 0, "30.00"), h.head(codes[2], 2, 1, "10.00"), h.head(codes[3], 2, 1, ""),
		h.head(codes[4], 2, 1, "17.30"))
	h.settle(h.head(codes[5], 2, 0, "30.00"), h.head(codes[6], 4, 0, "30.00"), h.head(codes[7], 2, 1, "10.00"))
	// Again, otherwise, back; without money; and an old word after a new one.
	h.settle(h.head(codes[5], 4, 0, "30.00"), h.head(codes[6], 2, 0, "30.00"), h.head(codes[7], 2, 0, "10.00"))
	h.settle(h.head(codes[5], 2, 0, "30.00"))
	h.settle(h.head(codes[0], 2, 0, "30.00")) // a duplicate
	old := h.head(codes[1], 2, 0, "30.00")
	old.DecidedAt = h.start.Add(-time.Hour)
	h.settle(old) // stale
	// A person's.
	h.settle(h.head(codes[8], 2, 0, "99.00"), h.head(codes[9], 3, 0, "1.00"), h.head(codes[10], 2, 0, "0"), h.head("nobody-has-it", 4, 0, "1.00"))
	payout := h.sum("22.00")
	_, err := h.settler.Decide(h.t.Context(), settlement.Decision{Result: h.waiting("makes_no_sense"), Operator: "one@example.com", Comment: "as BeT said by phone", Payout: &payout})
	h.must(err)
	h.must(h.settler.Refuse(h.t.Context(), settlement.Decision{Result: h.waiting("makes_no_sense"), Operator: "one@example.com", Comment: "nonsense"}))
	h.push(h.head(codes[11], 2, 0, "30.00")) // stored, not applied yet: the rest of this chunk is still to come
	h.chunks = nil
	h.answer = func() (bet.Answer, error) { return bet.Answer{}, &bet.Rejection{Code: "limit", Message: "too high"} }
	h.place(who, "6.00", "2.00")
	h.answer = func() (bet.Answer, error) { return bet.Answer{}, bet.ErrUnknownOutcome }
	h.place(who, "6.50", "2.00")
	adopted := h.place(who, "8.00", "2.00")
	_, err = h.desk.Adopt(h.t.Context(), adopted.ID, "adopted-code")
	h.must(err)
	h.settle(h.head("adopted-code", 4, 0, "16.00"))
	h.answer = func() (bet.Answer, error) { panic("the process ends here") }
	func() {
		defer func() { _ = recover() }()
		h.place(who, "4.00", "2.00")
	}()
	h.accepts()
	_, err = h.desk.Place(h.t.Context(), h.order(who, "100000.00", "2.00"))
	h.refused(err, wallet.ErrInsufficientFunds)
}

// games plays all four dialects as their packages call the floor.
func (h *house) games(who player.Identity) {
	h.t.Helper()
	session, _, err := h.Sessions.Open(h.t.Context(), "naga", who, "book-of-ra", false)
	h.must(err)
	ended, _, err := h.Sessions.Open(h.t.Context(), "naga", who, "book-of-ra", true)
	h.must(err)
	_, err = h.Sessions.End(h.t.Context(), ended.ID, uuid.NullUUID{})
	h.must(err)
	// Betao: a debit and a credit, each with its id; a round of two bets; a rollback of either kind.
	h.bet(h.call("betao", "bo-1", who, "bo-r1"), "2")
	h.win(h.call("betao", "bo-2", who, "bo-r1"), "5", "")
	h.bet(h.call("betao", "bo-3", who, "bo-r2"), "3")
	h.bet(h.call("betao", "bo-4", who, "bo-r2"), "1")
	h.rollback(h.call("betao", "bo-3", who, "bo-r2"))
	h.bet(h.call("betao", "bo-7", who, "bo-r4"), "3")
	h.win(h.call("betao", "bo-5", who, "bo-r4"), "4", "")
	h.rollback(h.call("betao", "bo-5", who, "bo-r4"))
	h.rollback(h.call("betao", "bo-never", who, ""))
	_, err = h.Floor.Bet(h.t.Context(), casino.Bet{Call: h.call("betao", "bo-6", who, "bo-r3"), Stake: h.sum("100000")})
	h.refused(err, wallet.ErrInsufficientFunds)
	h.win(h.call("betao", "bo-8", who, "bo-unknown"), "1", "")
	h.bet(h.call("betao", "bo-9", who, "bo-r5"), "0") // a free spin
	h.win(h.call("betao", "bo-10", who, "bo-r5"), "0", "")
	// BetronTech: no rounds; a bet and its win have one id.
	h.bet(h.call("betron", "bn-1", who, ""), "4")
	won := h.call("betron", "bn-1", who, "")
	won.Space = "win"
	h.win(won, "6", "")
	h.bet(h.call("betron", "bn-2", who, ""), "4")
	h.rollback(h.call("betron", "bn-2", who, ""))
	// TG: a bet and its win in one.
	for i, amounts := range [][2]string{{"2", "0"}, {"3", "9"}, {"5", "0"}, {"1", "8"}} {
		both := casino.BetAndSettle{Call: h.call("tg", fmt.Sprint("tg-", i), who, fmt.Sprint("tg-r", i)), Stake: h.sum(amounts[0]), Win: h.sum(amounts[1])}
		both.Round.Closes = true
		_, err := h.Floor.BetAndSettle(h.t.Context(), both)
		h.must(err)
	}
	h.rollback(h.call("tg", "tg-2", who, "tg-r2"))
	h.rollback(h.call("tg", "tg-3", who, "tg-r3"))
	// Naga: bets are known by their round; one is won, one won free spins, one cancelled.
	naga := func(id, round, parent string) casino.Call {
		c := h.call("naga", id, who, round)
		c.Round.Once, c.Round.Transaction, c.Round.Parent = true, "t-"+id, parent
		c.Session = uuid.NullUUID{UUID: session.ID, Valid: true}
		return c
	}
	h.bet(naga("ng-1", "ng-1", ""), "2")
	h.win(naga("ng-1-pay", "ng-1", ""), "3", "ng-1")
	h.bet(naga("ng-2", "ng-2", "ng-1"), "0")
	last := naga("ng-2-pay", "ng-2", "ng-1")
	last.Round.Closes, last.Round.ClosesParent = true, true
	h.win(last, "7", "ng-2")
	h.bet(naga("ng-3", "ng-3", ""), "2")
	h.rollback(naga("ng-3", "ng-3", ""))
	call := h.call("betao", "", who, "")
	h.Recorder.Keep(callbacks.Record{ID: uuid.Must(uuid.NewV7()), At: call.At, Provider: "betao", Path: "/", Body: []byte("{}"), Status: 200, Code: "ok",
		Player: uuid.NullUUID{UUID: who.ID, Valid: true}})
}

// bonuses leaves one bonus in each of its states, with stakes that are decided while they last and after.
func (h *house) bonuses(who player.Identity) {
	h.t.Helper()
	// Most of what is staked is the bonus's: there is little cash.
	_, err := wallet.Withdraw(h.t.Context(), h.Poster, h.cash(who, "w-ben", "480"))
	h.must(err)
	grant := func(amount string, wagering money.Coef, expires time.Time) wallet.BonusView {
		h.t.Helper()
		terms := wallet.OpenTerms()
		terms.MaxConversion = h.sum("60")
		view, err := wallet.GiveBonus(h.t.Context(), h.Poster, wallet.Grant{
			Player: who.ID, Currency: who.Currency, Amount: h.sum(amount), Wagering: wagering, Terms: terms, ExpiresAt: expires, Operator: "one@example.com", At: h.Now(),
		}, wallet.Request{Scope: "test bonus", Key: "bonus " + amount, Hash: ledger.HashOf(amount)})
		h.must(err)
		return view
	}
	// Completed: by a coupon and bets; one bet is rolled back and one coupon decided only afterwards.
	grant("50", money.One, time.Time{})
	early, late := h.place(who, "30.00", "2.00"), h.place(who, "5.00", "2.00")
	h.bet(h.call("betao", "bb-1", who, "bb-r1"), "10")
	h.win(h.call("betao", "bb-2", who, "bb-r1"), "6", "")
	h.settle(h.head(early.BetCode, 2, 0, "60.00"))
	h.bet(h.call("tg", "bb-3", who, "bb-r3"), "12")
	h.settle(h.head(late.BetCode, 2, 0, "10.00"))
	h.win(h.call("betao", "bb-4", who, "bb-r1"), "2", "")
	// Expired, forfeited by hand, given up by a withdrawal, active.
	h.drain(who)
	grant("20", 40*money.One, h.Now().Add(time.Minute))
	spent := h.place(who, "4.00", "2.00")
	h.forward(2 * time.Minute)
	_, err = wallet.ExpireBonuses(h.t.Context(), h.DB, h.Poster, h.Now(), 10)
	h.must(err)
	h.settle(h.head(spent.BetCode, 2, 0, "8.00"))
	forfeited := grant("21", 40*money.One, time.Time{})
	h.must(wallet.ForfeitBonus(h.t.Context(), h.Poster, wallet.Forfeiture{
		Player: who.ID, Bonus: forfeited.ID, Operator: "one@example.com", Comment: "asked for", At: h.Now(),
	}))
	grant("22", 40*money.One, time.Time{})
	h.Deposit(h.t, who.ID, h.sum("5"))
	h.drain(who)
	grant("23", 40*money.One, h.Now().Add(1000*time.Hour))
	h.bet(h.call("betao", "bb-5", who, "bb-r5"), "7")
	h.bet(h.call("betao", "bb-6", who, "bb-r5"), "2")
	h.rollback(h.call("betao", "bb-6", who, "bb-r5"))
	lost := h.place(who, "3.00", "2.00")
	h.settle(h.head(lost.BetCode, 4, 0, "6.00"))
	h.place(who, "2.00", "2.00")
}

// drain takes a player's cash out.
func (h *house) drain(who player.Identity) {
	h.t.Helper()
	cash := h.Cash(h.t, who)
	if cash <= 0 {
		return
	}
	h.calls++
	c := h.cash(who, fmt.Sprint("drain-", h.calls), "1")
	c.Amount = cash
	_, err := wallet.Withdraw(h.t.Context(), h.Poster, c)
	h.must(err)
}

// limits has a player use limits up, in more than one quarter of an hour.
func (h *house) limits(who player.Identity) {
	h.t.Helper()
	h.Limit(h.t, who, h.sum("50"))
	h.calls++
	id := fmt.Sprint("cl-", h.calls)
	h.bet(h.call("betao", id, who, "r-"+id), "20")
	h.win(h.call("betao", id+"-w", who, "r-"+id), "5", "")
	h.Deposit(h.t, who.ID, h.sum("10"))
	_, err := h.Floor.Bet(h.t.Context(), casino.Bet{Call: h.call("betao", id+"-x", who, "r-"+id+"-x"), Stake: h.sum("60")})
	h.refused(err, wallet.ErrLimitExceeded)
}

// payments leaves withdrawals in each of their states.
func (h *house) payments(who player.Identity) {
	h.t.Helper()
	for _, id := range []string{"held-1", "held-2", "paid-1", "returned-1"} {
		_, err := wallet.Reserve(h.t.Context(), h.Poster, h.cash(who, id, "20"))
		h.must(err)
	}
	_, err := wallet.Tell(h.t.Context(), h.Poster, h.cash(who, "paid-1", "20"), wallet.WithdrawalPaid)
	h.must(err)
	_, err = wallet.Tell(h.t.Context(), h.Poster, h.cash(who, "returned-1", "20"), wallet.WithdrawalFailed)
	h.must(err)
	_, err = wallet.Withdraw(h.t.Context(), h.Poster, h.cash(who, "direct-1", "5"))
	h.must(err)
	_, err = wallet.Withdraw(h.t.Context(), h.Poster, h.cash(who, "too-much", "100000"))
	h.refused(err, wallet.ErrInsufficientFunds)
}

// byHand leaves adjustments in each of their states.
func (h *house) byHand(who player.Identity) {
	h.t.Helper()
	make := func(reference, amount string) player.Adjustment {
		h.t.Helper()
		a, err := h.adjustments.Make(h.t.Context(), who.ID, h.sum(amount), "why not", "one@example.com", reference)
		h.must(err)
		return a
	}
	make("a-small", "-12")
	approved, refused := make("a-big", "150"), make("a-refused", "-200")
	make("a-waits", "160")
	_, err := h.adjustments.Approve(h.t.Context(), approved.ID, "two@example.com", "seen")
	h.must(err)
	_, err = h.adjustments.Refuse(h.t.Context(), refused.ID, "two@example.com", "no")
	h.must(err)
	tokens := access.NewTokens(h.DB, h.Now)
	_, _, err = tokens.Issue(h.t.Context(), who.ID, time.Hour)
	h.must(err)
}

// asynchronous leaves notices done, refused and waiting.
func (h *house) asynchronous(who player.Identity) {
	h.t.Helper()
	h.notices.Handle("betao", func(ctx context.Context, body []byte, at time.Time) error {
		if string(body) == "bad" {
			return casino.ErrUnreadable
		}
		_, err := h.Floor.Win(ctx, casino.Win{Call: h.call("betao", "nt-1", who, "bo-r1"), Amount: h.sum("1")})
		return err
	}, func(body []byte) casino.Message {
		return casino.Message{Kind: "credit", Content: ledger.HashOf(string(body))}
	})
	for id, body := range map[string]string{"nt-1": "good", "nt-2": "bad", "nt-3": "later"} {
		message := casino.Message{Transaction: id, Kind: "credit", Content: ledger.HashOf(body)}
		_, err := h.notices.Store(h.t.Context(), "betao", message, []byte(body), uuid.Must(uuid.NewV7()))
		h.must(err)
	}
	for _, transaction := range []string{"nt-1", "nt-2"} {
		var id int64
		h.must(h.DB.Pool.QueryRow(h.t.Context(), `SELECT id FROM notices WHERE transaction_id = $1`, transaction).Scan(&id))
		if err := h.notices.Work(h.t.Context(), id); err != nil && transaction == "nt-1" {
			h.t.Fatal(err)
		}
	}
}

// theirs is a provider's list as it would be if we and they had always agreed.
func (h *house) theirs(provider string) (lines []reconcile.Line) {
	h.t.Helper()
	rows, err := h.DB.Pool.Query(h.t.Context(), `
		SELECT CASE WHEN x.provider = 'naga' THEN x.round_id ELSE x.external_id END, x.kind, p.external_id, abs(x.amount), x.at, coalesce(x.round_id, ''),
		       x.source LIKE '%:rollback'
		  FROM transactions x JOIN players p ON p.id = x.player_id
		 WHERE x.provider = $1 AND x.kind IN ('bet', 'win', 'rollback') ORDER BY x.id`, provider)
	h.must(err)
	var line reconcile.Line
	var kind string
	var undone bool
	_, err = pgx.ForEachRow(rows, []any{&line.TransactionID, &kind, &line.Player, &line.Amount, &line.At, &line.Round, &undone}, func() error {
		one := line
		one.Currency, one.Status = "USD", reconcile.OK
		one.Type = map[string]reconcile.Type{"bet": reconcile.Debit, "win": reconcile.Credit, "rollback": reconcile.Reversal}[kind]
		lines = append(lines, one)
		return nil
	})
	h.must(err)
	return lines
}

const csvHeader = "transaction_id,type,player_id,amount,currency,status,at,round_id\n"

// reconciliation leaves runs of both sources, and breaks in each of their states.
func (h *house) reconciliation(who player.Identity) {
	h.t.Helper()
	h.forward(10 * time.Minute)
	for _, provider := range []string{"betao", "naga"} {
		_, err := h.reconciler.Run(h.t.Context(), reconcile.Request{Provider: provider, From: h.start.Add(-time.Hour), To: h.Now()})
		h.must(err)
	}
	file := func(lines ...string) *reconcile.Report {
		h.t.Helper()
		report, err := h.reconciler.Run(h.t.Context(), reconcile.Request{
			Provider: "betron", File: strings.NewReader(csvHeader + strings.Join(lines, "")), From: h.start.Add(-time.Hour), To: h.Now().Add(time.Hour),
		})
		h.must(err)
		return report
	}
	line := func(id, kind, amount, status string) string {
		return fmt.Sprintf("%s,%s,%s,%s,USD,%s,%s,\n", id, kind, who.ExternalID, amount, status, h.start.Format(time.RFC3339))
	}
	for i := range 5 {
		h.bet(h.call("betron", fmt.Sprint("bn-f", i), who, ""), "1")
	}
	even := []string{line("bn-1", "debit", "4", "ok"), line("bn-2", "debit", "4", "ok"), line("bn-2", "rollback", "4", "ok")}
	file(append(even, line("bn-f0", "debit", "1", "failed"), line("bn-f1", "debit", "2", "ok"), line("bn-f2", "debit", "3", "ok"), line("bn-f3", "debit", "1", "ok"),
		line("bn-f4", "debit", "4", "ok"), line("bn-theirs", "debit", "9", "ok"), line("bn-paid", "credit", "11", "ok"))...)
	open, err := h.reconciler.Breaks(h.t.Context(), reconcile.Filter{States: []reconcile.State{reconcile.StateOpen}})
	h.must(err)
	for _, b := range open {
		switch b.TransactionID {
		case "bn-f1":
			h.must(h.reconciler.End(h.t.Context(), b.ID, reconcile.StateResolved, "one@example.com", "agreed by phone"))
		case "bn-f2":
			h.must(h.reconciler.End(h.t.Context(), b.ID, reconcile.StateIgnored, "one@example.com", "their rounding"))
		}
	}
	// The next list agrees about bn-f4.
	file(append(even, line("bn-f0", "debit", "1", "failed"), line("bn-f2", "debit", "3", "ok"), line("bn-f1", "debit", "1", "ok"), line("bn-f3", "debit", "1", "ok"),
		line("bn-f4", "debit", "1", "ok"), line("bn-theirs", "debit", "9", "ok"), line("bn-paid", "credit", "11", "ok"))...)
}

// close waits until everything is certain, seals it, and closes the day that is then over.
func (h *house) close() {
	h.t.Helper()
	h.Sealable(h.t)
	day := h.start
	h.SetClock(day.Add(27 * time.Hour))
	if _, err := h.reconciler.Close(h.t.Context(), day); err != nil {
		h.t.Fatal(err)
	}
	h.SetClock(day.Add(28 * time.Hour))
	_, err := h.reconciler.Sealed(h.t.Context())
	h.must(err)
}

func (h *house) eventually(query string) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var done bool
		h.must(h.DB.Pool.QueryRow(h.t.Context(), query).Scan(&done))
		if done {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("never: %s", query)
		}
	}
}
