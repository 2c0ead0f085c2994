package casinosim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Betron is BetronTech.
type Betron struct {
	agentCode, agentToken, secretKey string
	mux                              *http.ServeMux
	played                           book

	lobby
	signOns
}

// NewBetron returns the platform with an agent's three secrets.
func NewBetron(agentCode, agentToken, secretKey string) *Betron {
	b := &Betron{agentCode: agentCode, agentToken: agentToken, secretKey: secretKey, mux: http.NewServeMux()}
	b.mux.HandleFunc("POST /auth/authentication", b.auth)
	b.mux.HandleFunc("GET /games/game_launch", b.launch)
	b.mux.HandleFunc("GET /games/provider", b.providers)
	b.mux.HandleFunc("GET /games/all", b.games)
	b.mux.HandleFunc("GET /play/{token}", b.play)
	return b
}

// Name implements Wire.
func (*Betron) Name() string { return "betron" }

func (b *Betron) book() *book { return &b.played }

func (b *Betron) call(body string) Call {
	return Call{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// Balance implements Wire.
func (b *Betron) Balance(p Player) Call {
	return b.call(fmt.Sprintf(`{"method":"user_balance","user_id":%q}`, p.ID))
}

// Bet implements Wire.
func (b *Betron) Bet(p Player, s Spin) Call {
	return b.call(fmt.Sprintf(`{"method":"transaction_bet","user_id":%q,"amount":%q,"transaction_id":%q,"game_id":%q}`, p.ID, cents(s.Stake), s.Bet, s.Game))
}

// Settle implements Wire.
func (b *Betron) Settle(p Player, s Spin) (Call, bool) {
	return b.call(fmt.Sprintf(`{"method":"transaction_win","user_id":%q,"amount":%q,"transaction_id":%q,"game_id":%q}`, p.ID, cents(s.Pay), s.Win, s.Game)), true
}

// Rollback implements Wire.
func (b *Betron) Rollback(p Player, s Spin) Call {
	return b.call(fmt.Sprintf(`{"method":"refund","user_id":%q,"amount":%q,"transaction_id":%q}`, p.ID, cents(s.Stake), s.Bet))
}

// Read implements Wire. Their documents have no codes for refusals; the texts are usual among
// their relatives.
func (b *Betron) Read(status int, body []byte) (Answer, error) {
	var a struct {
		Status  *int   `json:"status"`
		Message string `json:"msg"`
		Balance string `json:"balance"`
	}
	if err := json.Unmarshal(body, &a); err != nil || status != http.StatusOK || a.Status == nil {
		return Answer{}, errAnswer
	}
	balance, err := tenThousandths(a.Balance)
	if err != nil {
		return Answer{}, err
	}
	if dot := strings.IndexByte(a.Balance, '.'); dot < 0 || len(a.Balance)-dot != 3 {
		return Answer{}, errAnswer // two decimals, as in all their samples
	}
	answer := Answer{Verdict: Failed, Balance: balance, Shown: 100}
	switch {
	case *a.Status == 1:
		answer.Verdict = Done
	case a.Message == "INSUFFICIENT_USER_FUNDS":
		answer.Verdict = Funds
	case a.Message == "INVALID_PARAMETER":
		answer.Verdict = Gone
	}
	return answer, nil
}

func (b *Betron) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

func (b *Betron) say(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (b *Betron) auth(w http.ResponseWriter, r *http.Request) {
	want := "Bearer " + base64.StdEncoding.EncodeToString([]byte(b.agentToken+":"+b.secretKey))
	if r.Header.Get("Authorization") != want {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	token := b.signOn()
	b.say(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

var betronGames = []game{
	{"SLOT_001", "Gates of Olympus", "pragmatic", ""}, {"SLOT_002", "Sweet Bonanza", "pragmatic", ""}, {"PG_010", "Fortune Tiger", "pgsoft", ""},
}

func (b *Betron) providers(w http.ResponseWriter, r *http.Request) {
	if b.signedOn(w, r) {
		b.say(w, map[string]any{"status": true, "data": []map[string]any{
			{"id": 1, "name": "Pragmatic Play", "slug": "pragmatic"}, {"id": 2, "name": "PG Soft", "slug": "pgsoft"},
		}})
	}
}

func (b *Betron) games(w http.ResponseWriter, r *http.Request) {
	if !b.signedOn(w, r) {
		return
	}
	rows := []map[string]any{}
	for _, g := range betronGames {
		rows = append(rows, map[string]any{"id": g.code, "name": g.name, "provider": g.studio})
	}
	b.say(w, map[string]any{"status": true, "data": rows})
}

func (b *Betron) launch(w http.ResponseWriter, r *http.Request) {
	if !b.signedOn(w, r) {
		return
	}
	q := r.URL.Query()
	known := false
	for _, g := range betronGames {
		known = known || g.code == q.Get("game_id")
	}
	if !known || q.Get("agent_code") != b.agentCode || q.Get("agent_token") != b.secretKey || q.Get("user_id") == "" || q.Get("user_name") == "" ||
		q.Get("type") != "CHARGED" && q.Get("type") != "DEMO" || q.Has("lang") && q.Get("lang") != "tr_TR" && q.Get("lang") != "pt_BR" {
		b.say(w, map[string]any{"status": false})
		return
	}
	address := b.open(r.Host, Player{ID: q.Get("user_id"), Fun: q.Get("type") == "DEMO"})
	b.say(w, map[string]any{"status": true, "game_url": address})
}
