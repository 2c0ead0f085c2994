package casinosim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Betao is the platform of that name.
type Betao struct {
	apiKey, secretKey string
	mux               *http.ServeMux
	played            book
	lobby

	sessionsMu sync.Mutex
	sessions   map[string]bool
}

// NewBetao returns the platform with an operator's keys.
func NewBetao(apiKey, secretKey string) *Betao {
	b := &Betao{apiKey: apiKey, secretKey: secretKey, mux: http.NewServeMux(), sessions: make(map[string]bool)}
	b.mux.HandleFunc("POST /api/v2/game/launch", b.launch)
	b.mux.HandleFunc("POST /api/v2/game/list", b.games)
	b.mux.HandleFunc("POST /api/v2/player/balance", b.balance)
	b.mux.HandleFunc("POST /api/v2/transactions", b.transactions)
	b.mux.HandleFunc("GET /play/{token}", b.play)
	return b
}

// Name implements Wire.
func (*Betao) Name() string { return "betao" }

func (b *Betao) book() *book { return &b.played }

func (b *Betao) sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(b.secretKey))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (b *Betao) call(path, body string) Call {
	return Call{
		Path: path, Header: http.Header{"X-Signature": {b.sign([]byte(body))}, "Content-Type": {"application/json"}}, Body: []byte(body),
	}
}

const betaoWallet = "/api/v3/wallet/"

// Balance implements Wire.
func (b *Betao) Balance(p Player) Call {
	return b.call(betaoWallet+"balance", fmt.Sprintf(`{"player_id":%q,"currency":%q}`, p.ID, p.Currency))
}

// Bet implements Wire.
func (b *Betao) Bet(p Player, s Spin) Call {
	return b.call(betaoWallet+"debit", b.move(p, s.Bet, s.Round, s.Stake))
}

// Settle implements Wire.
func (b *Betao) Settle(p Player, s Spin) (Call, bool) {
	return b.call(betaoWallet+"credit", b.move(p, s.Win, s.Round, s.Pay)), true
}

func (b *Betao) move(p Player, id, round string, amount int64) string {
	return fmt.Sprintf(`{"player_id":%q,"amount":%s,"currency":%q,"transaction_id":%q,"round_id":%q}`, p.ID, cents(amount), p.Currency, id, round)
}

// Rollback implements Wire.
func (b *Betao) Rollback(_ Player, s Spin) Call {
	return b.call(betaoWallet+"rollback", fmt.Sprintf(`{"original_transaction_id":%q}`, s.Bet))
}

// Notify tells of a spin's win by a callback that wants no answer.
func (b *Betao) Notify(p Player, s Spin) Call {
	return b.call("/callback", `{"type":"credit",`+b.move(p, s.Win, s.Round, s.Pay)[1:])
}

// NotifyRollback takes a spin's debit back by a callback under the debit's own id.
func (b *Betao) NotifyRollback(_ Player, s Spin) Call {
	return b.call("/callback", fmt.Sprintf(`{"type":"rollback","transaction_id":%q,"original_transaction_id":%q}`, s.Bet, s.Bet))
}

// Read implements Wire.
func (b *Betao) Read(status int, body []byte) (Answer, error) {
	var a struct {
		Status, Code string
		Balance      json.Number
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return Answer{}, errAnswer
	}
	switch {
	case status == http.StatusOK && a.Status == "ok":
		balance, err := tenThousandths(a.Balance.String())
		return Answer{Verdict: Done, Balance: balance, Shown: 1}, err
	case a.Status != "error":
		return Answer{}, errAnswer
	case status == http.StatusPaymentRequired:
		return Answer{Verdict: Funds}, nil
	case status == http.StatusConflict && a.Code == "rolled_back":
		return Answer{Verdict: Gone}, nil
	default:
		return Answer{Verdict: Failed}, nil
	}
}

func (b *Betao) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

// asked reads a signed call; it answers by itself where the call is not theirs.
func (b *Betao) asked(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || r.Header.Get("X-Api-Key") != b.apiKey || !hmac.Equal([]byte(r.Header.Get("X-Signature")), []byte(b.sign(body))) {
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	if json.Unmarshal(body, into) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return false
	}
	return true
}

func (b *Betao) say(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

var betaoGames = []game{
	{"game-101", "Book of Slots", "PG Soft", "slots"}, {"game-102", "Gates of Olympus", "Pragmatic Play", "slots"}, {"game-201", "Baccarat", "Evolution Gaming", "table"},
}

func (b *Betao) games(w http.ResponseWriter, r *http.Request) {
	var ask struct{}
	if !b.asked(w, r, &ask) {
		return
	}
	rows := []map[string]any{}
	for _, g := range betaoGames {
		rows = append(rows, map[string]any{"game_code": g.code, "name": g.name, "provider": g.studio, "category": g.category, "demo": g.category == "slots"})
	}
	b.say(w, map[string]any{"games": rows})
}

func (b *Betao) launch(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		PlayerID  string `json:"player_id"`
		GameCode  string `json:"game_code"`
		Currency  string `json:"currency"`
		SessionID string `json:"session_id"`
		Demo      bool   `json:"demo"`
	}
	if !b.asked(w, r, &ask) {
		return
	}
	b.sessionsMu.Lock()
	used := b.sessions[ask.SessionID]
	b.sessions[ask.SessionID] = true
	b.sessionsMu.Unlock()
	if used || ask.SessionID == "" || ask.PlayerID == "" || ask.Currency == "" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	for _, g := range betaoGames {
		if g.code == ask.GameCode {
			b.say(w, map[string]string{"url": b.open(r.Host, Player{ID: ask.PlayerID, Currency: ask.Currency, Fun: ask.Demo})})
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// balance is what the platform saw last, which it does not keep: it answers zero.
func (b *Betao) balance(w http.ResponseWriter, r *http.Request) {
	var ask struct{}
	if b.asked(w, r, &ask) {
		b.say(w, map[string]any{"balance": json.Number("0.00")})
	}
}

func (b *Betao) transactions(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		From, To time.Time
		Page     int
		PageSize int `json:"page_size"`
	}
	if !b.asked(w, r, &ask) {
		return
	}
	if ask.Page < 1 || ask.PageSize < 1 || ask.PageSize > 2000 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	rows, more := b.played.between(ask.From, ask.To, (ask.Page-1)*ask.PageSize, ask.PageSize)
	if strings.Contains(r.Header.Get("Accept"), "text/csv") {
		w.Header().Set("Content-Type", "text/csv")
		writer := csv.NewWriter(w)
		_ = writer.Write([]string{"transaction_id", "type", "timestamp", "player_id", "game_id", "round_id", "amount", "currency", "status"})
		for _, r := range rows {
			_ = writer.Write([]string{r.id, betaoType(r), r.at.Format(time.RFC3339Nano), r.player.ID, r.spin.Game, r.spin.Round, r.sum(r.amount()), r.player.Currency, r.shown(betaoWords)})
		}
		writer.Flush()
		return
	}
	items := []map[string]any{}
	for _, r := range rows {
		items = append(items, map[string]any{
			"transaction_id": r.id, "type": betaoType(r), "timestamp": r.at, "player_id": r.player.ID, "game_id": r.spin.Game,
			"round_id": r.spin.Round, "amount": r.listed(), "currency": r.player.Currency, "status": r.shown(betaoWords),
		})
	}
	next := 0
	if more {
		next = ask.Page + 1
	}
	b.say(w, map[string]any{"items": items, "next_page": next})
}

var betaoWords = map[string]string{"ok": "ok", "open": "ok", "failed": "failed", "rolled back": "rolled back"}

// listed is a row's amount as a JSON number, or as a text where it is none.
func (r row) listed() any {
	if r.broken {
		return r.sum(0)
	}
	return json.Number(cents(r.amount()))
}

func betaoType(r row) string {
	if r.kind == "win" {
		return "credit"
	}
	return "debit"
}

// amount is what the row's instruction moved.
func (r row) amount() int64 {
	if r.kind == "win" {
		return r.spin.Pay
	}
	return r.spin.Stake
}
