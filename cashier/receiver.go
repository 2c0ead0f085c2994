package cashier

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"evens/internal/callbacks"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/internal/problem"
	"evens/internal/source"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Receiver is where the payment gateway calls. It is safe for concurrent use.
type Receiver struct {
	Secret   string
	DB       *postgres.DB
	Poster   *wallet.Poster
	Players  *player.Directory
	Recorder *callbacks.Recorder
	Now      func() time.Time
	// Observe, when not nil, is told of each call.
	Observe func(provider, route, code string, took time.Duration)
	Log     *slog.Logger

	bodies callbacks.Bodies
}

const (
	largest     = 256 << 10
	callTimeout = 10 * time.Second
)

// answer is what a callback is answered with when it was taken.
type answer struct {
	Status        string              `json:"status"`
	TransactionID string              `json:"transaction_id"`
	State         wallet.PaymentState `json:"state"`
}

// ServeHTTP implements http.Handler. 200 means: booked.
func (h *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	record := callbacks.Record{
		ID: dbclock.NewID(), At: h.Now(), Provider: wallet.CashSource, Path: "/cashier/callback", Source: source.Of(r).String(),
	}
	w.Header().Set("X-Callback-Id", record.ID.String())
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	state, err := h.take(ctx, w, r, &record)
	var body []byte
	if err == nil {
		record.Status, record.Code = http.StatusOK, "ok"
		w.Header().Set("Content-Type", "application/json")
		body, _ = json.Marshal(state) // three texts
		_, _ = w.Write(body)
	} else {
		record.Status, record.Code = h.refuse(w, err)
	}
	record.Answer, record.Took, record.Unproven = body, time.Since(started), errors.Is(err, ErrSignature)
	kept := h.Recorder.Keep(record)
	if err != nil && (kept || !record.Unproven) { // a flood of forgeries does not fill the log
		h.Log.WarnContext(ctx, "a payment's callback was refused", "provider", record.Provider, "callback", record.ID, "code", record.Code,
			"transaction_id", state.TransactionID, "error", err)
	}
	if h.Observe != nil {
		h.Observe(record.Provider, "callback", record.Code, record.Took)
	}
}

func (h *Receiver) take(ctx context.Context, w http.ResponseWriter, r *http.Request, record *callbacks.Record) (answer, error) {
	body, err := h.read(ctx, w, r)
	if err != nil {
		return answer{}, err
	}
	record.Body = body
	if err := Verify(h.Secret, r.Header.Get("X-Signature"), body, h.Now()); err != nil {
		return answer{}, err
	}
	n, what, err := parse(body)
	a := answer{Status: "ok", TransactionID: n.TransactionID}
	if err != nil {
		return a, err
	}
	who, err := h.Players.Find(ctx, n.PlayerID)
	if err == nil {
		record.Player = uuid.NullUUID{UUID: who.ID, Valid: true}
		a.State, err = h.book(ctx, n, what, who)
	}
	if said := n.said(what); said != "" && err != nil {
		a.State, err = h.suspend(ctx, n, said, err)
	}
	return a, err
}

// read reads a body whole, within the call's time: who sends it has proved nothing yet.
func (h *Receiver) read(ctx context.Context, w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w) // where there is no connection there is no wait
	deadline, _ := ctx.Deadline()
	_ = conn.SetReadDeadline(deadline)
	body, err := h.bodies.Read(http.MaxBytesReader(w, r.Body, largest), r.ContentLength, largest)
	if err != nil {
		w.Header().Set("Connection", "close") // or the server would first wait for the rest of it
		if !errors.Is(err, callbacks.ErrManyLarge) {
			err = errSyntax
		}
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Time{})
	return body, nil
}

func (n *notice) cash(at time.Time) wallet.Cash {
	return wallet.Cash{
		Amount: n.amount, Currency: money.Currency(n.Currency), Method: n.Method, TransactionID: n.TransactionID, At: at,
	}
}

// said is what has become of the payment; "" where nothing has yet.
func (n *notice) said(what phase) wallet.Said {
	return map[string]map[phase]wallet.Said{
		typeDeposit:    {succeeded: wallet.DepositSucceeded, failed: wallet.DepositFailed, returned: wallet.DepositReturned},
		typeWithdrawal: {succeeded: wallet.WithdrawalPaid, failed: wallet.WithdrawalFailed, returned: wallet.WithdrawalReturned},
	}[n.Type][what]
}

// book moves what the gateway says. A withdrawal that it tells of first is reserved, or refused, like
// one that was asked for here; what has happened is never refused.
func (h *Receiver) book(ctx context.Context, n notice, what phase, who player.Identity) (wallet.PaymentState, error) {
	cash := n.cash(h.Now())
	cash.Player = who.ID
	if said := n.said(what); said != "" {
		return wallet.Tell(ctx, h.Poster, cash, said)
	}
	if n.Type == typeDeposit {
		return wallet.PaymentNoted, nil
	}
	balance, err := wallet.Reserve(ctx, h.Poster, cash)
	return balance.State, err
}

// suspend books what has happened and has no player to book it to, so that a person sees it and the
// gateway need not repeat it.
func (h *Receiver) suspend(ctx context.Context, n notice, said wallet.Said, cause error) (wallet.PaymentState, error) {
	reason := wallet.OtherContent
	switch {
	case errors.Is(cause, wallet.ErrUnknownPlayer):
		reason = wallet.UnknownPlayer
	case errors.Is(cause, wallet.ErrCurrency):
		reason = wallet.OtherCurrency
	case !errors.Is(cause, ledger.ErrConflict):
		return "", cause
	}
	if reason != wallet.OtherContent && !said.Moves() {
		return wallet.PaymentNoted, nil // nothing has happened to a player we do not know
	}
	if err := wallet.Suspend(ctx, h.DB, n.cash(h.Now()), said, n.PlayerID, reason); err != nil {
		return "", err
	}
	return wallet.PaymentSuspended, nil
}

func (h *Receiver) refuse(w http.ResponseWriter, err error) (status int, code string) {
	if field, ok := errors.AsType[*FieldError](err); ok {
		return problem.Write(w, http.StatusUnprocessableEntity, "validation_failed", field.Error(), problem.Field{Location: field.Field, Message: field.Reason}), "validation_failed"
	}
	for _, known := range []struct {
		err    error
		status int
		code   string
	}{
		{ErrSignature, http.StatusForbidden, "invalid_signature"},
		{errSyntax, http.StatusBadRequest, "invalid_body"},
		{wallet.ErrUnknownPlayer, http.StatusNotFound, "player_not_found"},
		{wallet.ErrInsufficientFunds, http.StatusPaymentRequired, "insufficient_funds"},
		{wallet.ErrCurrency, http.StatusUnprocessableEntity, "currency_mismatch"},
		{ledger.ErrConflict, http.StatusConflict, "transaction_conflict"},
	} {
		if errors.Is(err, known.err) {
			return problem.Write(w, known.status, known.code, known.err.Error()), known.code
		}
	}
	if postgres.Unavailable(err) || errors.Is(err, context.Canceled) || errors.Is(err, callbacks.ErrManyLarge) {
		w.Header().Set("Retry-After", "5")
		return problem.Write(w, http.StatusServiceUnavailable, "unavailable", "nobody knows yet: send it again"), "unavailable"
	}
	return problem.Write(w, http.StatusInternalServerError, "internal", "our mistake: send it again"), "internal"
}
