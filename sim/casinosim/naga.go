package casinosim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Naga is Naga Games.
type Naga struct {
	groupCode, brandCode, apiKey string
	overHash                     bool
	key                          *rsa.PrivateKey
	mux                          *http.ServeMux
	played                       book
	lobby
}

// NewNaga returns the platform with a key of its own, as long as theirs: 1,024 bits. overHash
// signs the hash instead of the data.
func NewNaga(groupCode, brandCode, apiKey string, overHash bool) (*Naga, error) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		return nil, err
	}
	n := &Naga{groupCode: groupCode, brandCode: brandCode, apiKey: apiKey, overHash: overHash, key: key, mux: http.NewServeMux()}
	n.mux.HandleFunc("GET /client/game", n.games)
	n.mux.HandleFunc("GET /client/player/bet-histories", n.histories)
	n.mux.HandleFunc("GET /operator/bet/history", n.history)
	n.mux.HandleFunc("GET /play/{code}", n.playGame)
	return n, nil
}

// PublicKey is what they give an operator: PEM.
func (n *Naga) PublicKey() string {
	der, err := x509.MarshalPKIXPublicKey(&n.key.PublicKey)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Name implements Wire.
func (*Naga) Name() string { return "naga" }

func (n *Naga) book() *book { return &n.played }

// Sign makes a call of data that are compact JSON in their order of fields.
func (n *Naga) Sign(path, data string) Call {
	sum := sha256.Sum256([]byte(data))
	hash := hex.EncodeToString(sum[:])
	if n.overHash {
		sum = sha256.Sum256([]byte(hash))
	}
	raw, err := rsa.SignPKCS1v15(nil, n.key, crypto.SHA256, sum[:])
	if err != nil {
		raw = nil // the operator will not take it
	}
	return Call{
		Path:   path,
		Header: http.Header{"X-Signature": {base64.StdEncoding.EncodeToString(raw)}, "Content-Type": {"application/json"}},
		Body:   []byte(`{"data":` + data + `,"dataHash":"` + hash + `"}`),
	}
}

// Authorize asks who a token stands for.
func (n *Naga) Authorize(p Player) Call {
	return n.Sign("/authorize", fmt.Sprintf(`{"playerToken":%q,"gameCode":%q,"brandCode":%q,"groupCode":%q}`,
		p.Token, nagaGames[0].code, n.brandCode, n.groupCode))
}

// ReadPlayer reads the answer to Authorize.
func (n *Naga) ReadPlayer(p Player, status int, body []byte) (Player, error) {
	var a struct {
		Data *struct{ NativeID, Currency string }
	}
	if err := json.Unmarshal(body, &a); err != nil || status != http.StatusOK || a.Data == nil || a.Data.NativeID == "" {
		return p, errAnswer
	}
	p.ID, p.Currency = a.Data.NativeID, a.Data.Currency
	return p, nil
}

// Balance implements Wire.
func (n *Naga) Balance(p Player) Call {
	return n.Sign("/balance", fmt.Sprintf(`{"playerToken":%q}`, p.Token))
}

func (n *Naga) bet(p Player, s Spin, transaction string, amount int64) string {
	parent := "null"
	if s.Parent != "" {
		parent = strconv.Quote(s.Parent)
	}
	kind := s.Type
	if kind == "" {
		kind = "NORMAL"
	}
	return fmt.Sprintf(`{"betId":%q,"currency":%q,"gameCode":%q,"playerToken":%q,"groupCode":%q,"transactionId":%q,"amount":%s,"parentBetId":%s,"brandCode":%q,"betType":%q,"isLastFreeSpins":%t}`,
		s.Bet, p.Currency, s.Game, p.Token, n.groupCode, transaction, cents(amount), parent, n.brandCode, kind, s.LastFree)
}

// Bet implements Wire.
func (n *Naga) Bet(p Player, s Spin) Call {
	return n.Sign("/place-bet", n.bet(p, s, "P"+s.Bet, s.Stake))
}

// Settle implements Wire.
func (n *Naga) Settle(p Player, s Spin) (Call, bool) {
	return n.Sign("/payout", n.bet(p, s, s.Win, s.Pay)), true
}

// Rollback implements Wire.
func (n *Naga) Rollback(_ Player, s Spin) Call {
	return n.Sign("/cancel-bet", fmt.Sprintf(`{"betId":%q}`, s.Bet))
}

// Read implements Wire. A cancelled bet's answer has no balance.
func (n *Naga) Read(status int, body []byte) (Answer, error) {
	var a struct {
		Data *struct {
			Balance json.Number
			Status  string
		}
		Error *struct {
			StatusCode int
			Message    string
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return Answer{}, errAnswer
	}
	switch {
	case status == http.StatusOK && a.Data != nil && a.Data.Status == "CANCELED":
		return Answer{Verdict: Done}, nil
	case status == http.StatusOK && a.Data != nil:
		balance, err := tenThousandths(a.Data.Balance.String())
		return Answer{Verdict: Done, Balance: balance, Shown: 100}, err
	case a.Error == nil || a.Error.StatusCode != status:
		return Answer{}, errAnswer
	case a.Error.Message == "Insufficient balance":
		return Answer{Verdict: Funds}, nil
	case a.Error.Message == "Bet was canceled":
		return Answer{Verdict: Gone}, nil
	default:
		return Answer{Verdict: Failed}, nil
	}
}

func (n *Naga) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.mux.ServeHTTP(w, r) }

func (n *Naga) say(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func (n *Naga) theirs(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	if q.Get("groupCode") == n.groupCode && q.Get("brandCode") == n.brandCode {
		return true
	}
	w.WriteHeader(http.StatusBadRequest)
	return false
}

// playGame is the page of a game: the operator sends the browser here with the token.
func (n *Naga) playGame(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !n.theirs(w, r) {
		return
	}
	if q.Get("playerToken") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	arrive := n.arrive
	n.mu.Unlock()
	n.welcome(w, Player{Token: q.Get("playerToken"), Fun: q.Get("isFun") == "true"}, arrive)
}

var nagaGames = []game{{"fortune-naga", "Fortune Naga", "", "slot"}, {"muay-thai", "Muay Thai Fighter", "", "slot"}, {"crash-rocket", "Crash Rocket", "", "crash"}}

func (n *Naga) games(w http.ResponseWriter, r *http.Request) {
	if !n.theirs(w, r) {
		return
	}
	rows := []map[string]any{}
	for _, g := range nagaGames {
		rows = append(rows, map[string]any{"code": g.code, "name": g.name, "type": g.category, "playUrl": "http://" + r.Host + "/play/" + g.code})
	}
	n.say(w, rows)
}

const nagaPage = 100

func (n *Naga) histories(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, err1 := time.Parse(time.RFC3339, q.Get("startDate"))
	to, err2 := time.Parse(time.RFC3339, q.Get("endDate"))
	skip, err3 := strconv.Atoi(q.Get("skip"))
	limit, err4 := strconv.Atoi(q.Get("limit"))
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || limit > nagaPage || to.Sub(from) > 24*time.Hour || q.Get("apiKey") != n.apiKey {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	found, _ := n.played.between(from, to, skip, limit)
	rows := []map[string]any{}
	for _, b := range found {
		rows = append(rows, nagaRow(b))
	}
	n.say(w, rows)
}

func (n *Naga) history(w http.ResponseWriter, r *http.Request) {
	if !n.theirs(w, r) {
		return
	}
	n.played.mu.Lock()
	at, has := n.played.at[r.URL.Query().Get("betId")]
	var found row
	if has {
		found = n.played.rows[at]
	}
	n.played.mu.Unlock()
	if !has {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	n.say(w, nagaRow(found))
}

func nagaRow(b row) map[string]any {
	var amount any = json.Number(cents(b.spin.Stake))
	if b.broken {
		amount = b.sum(0)
	}
	earn := b.spin.Pay
	if b.status == "open" {
		earn = 0
	}
	return map[string]any{
		"id": b.id, "created": b.at, "updated": b.at, "playerId": b.player.ID, "gameCode": b.spin.Game, "parentBetId": b.spin.Parent,
		"amount": amount, "earn": json.Number(cents(earn) + "00"), "betStatus": b.shown(nagaWords),
	}
}

var nagaWords = map[string]string{"ok": "RESOLVED", "open": "PENDING", "rolled back": "CANCELED", "failed": "PLACEBET_OPERATOR_ERROR"}
