package audit_test

import (
	"time"

	"evens/access"
	"evens/casino"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/ledger"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// decidedByHand leaves coupons that a person cancelled, adopted, or gave an older word.
func (h *house) decidedByHand(who player.Identity) {
	h.t.Helper()
	ctx := h.t.Context()
	cancel := func(c coupon.Coupon) {
		h.t.Helper()
		_, err := h.settler.Cancel(ctx, settlement.Cancellation{Coupon: c.ID, Operator: "one@example.com", Comment: "BeT voids it"})
		h.must(err)
	}
	cancel(h.place(who, "3.00", "2.00"))
	won := h.place(who, "3.00", "2.00")
	h.settle(h.head(won.BetCode, 2, 0, "6.00"))
	cancel(won)
	// An older word that waited is applied against the newer one.
	overruled := h.place(who, "3.00", "2.00")
	h.settle(h.head(overruled.BetCode, 2, 0, "99.00"))
	h.settle(h.head(overruled.BetCode, 4, 0, "6.00"))
	var waits int64
	h.must(h.DB.Pool.QueryRow(ctx, `SELECT id FROM results WHERE bar_code = $1 AND state = 'parked'`, overruled.BetCode).Scan(&waits))
	payout := h.sum("5.00")
	_, err := h.settler.Decide(ctx, settlement.Decision{
		Result: waits, Operator: "one@example.com", Comment: "they erred", Payout: &payout, Force: true,
	})
	h.must(err)
	heads, err := settlement.ParsePush([]byte(`{"Heads":[{"BarCode":"odd","Status":"?"}]}`))
	h.must(err)
	h.push(heads...)
	// Given up, and BeT has it.
	h.answer = func() (bet.Answer, error) { return bet.Answer{}, bet.ErrUnknownOutcome }
	lost := h.place(who, "9.00", "2.00")
	h.forward(20 * time.Minute)
	h.must(h.desk.Confirm(ctx, lost.ID))
	_, err = h.desk.AdoptByHand(ctx, coupon.Adoption{Coupon: lost.ID, BetCode: "by-hand", Operator: "one@example.com", Comment: "BeT has it"})
	h.must(err)
	h.accepts()
}

// oddAnswers leaves answers of BeT that name a code and cannot be taken, and one on other terms.
func (h *house) oddAnswers(who player.Identity) {
	h.t.Helper()
	h.answer = func() (bet.Answer, error) {
		return bet.Answer{}, &bet.UnknownError{Reason: "HTTP 500", BetCode: "odd-code", HTTPStatus: 500, Body: []byte("{}")}
	}
	h.place(who, "2.50", "2.00")
	h.answer = func() (bet.Answer, error) {
		return bet.Answer{}, &bet.UnknownError{Reason: "HTTP 500", BetCode: "odd-taken", HTTPStatus: 500, Body: []byte("{}")}
	}
	taken := h.place(who, "2.50", "2.00")
	_, err := h.desk.Adopt(h.t.Context(), taken.ID, "odd-taken")
	h.must(err)
	h.answer = func() (bet.Answer, error) { return bet.Answer{BetCode: "other-terms", Stake: h.sum("1.00")}, nil }
	h.place(who, "2.50", "2.00")
	h.accepts()
}

// late plays what comes after its end, and what is told of a bet besides its stake.
func (h *house) late(who player.Identity) {
	h.t.Helper()
	h.rollback(h.call("betao", "bo-late", who, ""))
	_, err := h.Floor.Bet(h.t.Context(), casino.Bet{Call: h.call("betao", "bo-late", who, "bo-late"), Stake: h.sum("2")})
	h.refused(err, casino.ErrRolledBack)
	won := h.call("betron", "bn-7", who, "")
	won.Space = "win"
	h.bet(h.call("betron", "bn-7", who, ""), "1")
	h.win(won, "2", "")
	h.rollback(won)
	valid := h.sum("3")
	_, err = h.Floor.BetAndSettle(h.t.Context(), casino.BetAndSettle{
		Call: h.call("tg", "tg-jackpot", who, "tg-jackpot"), Stake: h.sum("3"), Win: h.sum("9"),
		Details: casino.Details{ValidStake: &valid, JackpotWin: h.sum("4")},
	})
	h.must(err)
}

// reopened has a bonus completed, opened again by a rollback, and completed again.
func (h *house) reopened(who player.Identity) {
	h.t.Helper()
	_, err := wallet.GiveBonus(h.t.Context(), h.Poster, wallet.Grant{
		Player: who.ID, Currency: who.Currency, Amount: h.sum("10"), Wagering: 4_000_000, Terms: wallet.OpenTerms(), Operator: "one@example.com", At: h.Now(),
	}, wallet.Request{Scope: "test bonus", Key: "reopened", Hash: ledger.HashOf("reopened")})
	h.must(err)
	h.bet(h.call("betao", "br-1", who, "br-r1"), "20")
	h.bet(h.call("betao", "br-2", who, "br-r2"), "20")
	h.rollback(h.call("betao", "br-1", who, "br-r1"))
	h.bet(h.call("betao", "br-3", who, "br-r3"), "20")
}

// outside leaves payments whose gateway said things in any order, or of people whom we do not know.
func (h *house) outside(who player.Identity) {
	h.t.Helper()
	ctx := h.t.Context()
	tell := func(id, amount string, all ...wallet.Said) {
		h.t.Helper()
		for _, said := range all {
			_, err := wallet.Tell(ctx, h.Poster, h.cash(who, id, amount), said)
			h.must(err)
		}
	}
	tell("d-back", "11", wallet.DepositSucceeded, wallet.DepositReturned)
	tell("d-early", "12", wallet.DepositReturned, wallet.DepositSucceeded)
	tell("d-odd", "13", wallet.DepositFailed, wallet.DepositSucceeded)
	tell("w-back", "6", wallet.WithdrawalPaid, wallet.WithdrawalReturned)
	tell("w-odd", "7", wallet.WithdrawalFailed, wallet.WithdrawalPaid)
	tell("w-never", "8", wallet.WithdrawalFailed)
	_, err := wallet.Reserve(ctx, h.Poster, h.cash(who, "w-never", "8"))
	h.must(err)
	_, err = wallet.Reserve(ctx, h.Poster, h.cash(who, "w-both", "9"))
	h.must(err)
	tell("w-both", "9", wallet.WithdrawalFailed, wallet.WithdrawalPaid)
	tell("direct-back", "5", wallet.WithdrawalPaid)
	rows := map[string]wallet.SuspenseRow{}
	ended := func(row wallet.SuspenseRow, comment string) wallet.SuspenseEnd {
		return wallet.SuspenseEnd{Row: row, Operator: "one@example.com", Comment: comment, At: h.Now()}
	}
	for id, said := range map[string]wallet.Said{
		"s-open": wallet.DepositSucceeded, "s-returned": wallet.DepositSucceeded, "s-adjusted": wallet.DepositSucceeded,
		"s-hers": wallet.DepositSucceeded, "s-paid": wallet.WithdrawalPaid, "s-lost": wallet.WithdrawalPaid, "s-charged": wallet.DepositReturned,
	} {
		h.must(wallet.Suspend(ctx, h.DB, h.cash(who, id, "4"), said, "nobody", wallet.UnknownPlayer))
	}
	waiting, err := wallet.Suspense(ctx, h.DB)
	h.must(err)
	for _, row := range waiting {
		rows[row.TransactionID] = row
	}
	for _, id := range []string{"s-hers", "s-paid"} {
		h.must(wallet.AssignSuspense(ctx, h.Poster, ended(rows[id], "hers"), who.ID))
	}
	h.must(wallet.CloseSuspense(ctx, h.DB, ended(rows["s-returned"], "sent back"), true))
	h.must(wallet.CloseSuspense(ctx, h.DB, ended(rows["s-adjusted"], "kept"), false))
	h.must(wallet.CloseSuspense(ctx, h.DB, ended(rows["s-lost"], "ours to bear"), false))
	h.must(wallet.CloseSuspense(ctx, h.DB, ended(rows["s-charged"], "came back"), true))
}

// twoPersons leaves a decision that waits for a second person, and one that had it.
func (h *house) twoPersons() {
	h.t.Helper()
	approvals := access.NewApprovals(h.DB, h.Now)
	large := access.Large{Operation: access.DecideResults, Subject: "result 1", Terms: "from 0 to 5000", Operator: "one@example.com", Comment: "as agreed"}
	h.must(approvals.Propose(h.t.Context(), large))
	h.forward(time.Minute)
	large.Operator = "two@example.com"
	h.must(approvals.Take(h.t.Context(), h.DB.Pool, large))
	large.Subject = "result 2"
	h.must(approvals.Propose(h.t.Context(), large))
}
