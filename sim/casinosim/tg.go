package casinosim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// TG is the single-wallet platform of that name.
type TG struct {
	agentID, secretKey string
	aead               cipher.AEAD
	mux                *http.ServeMux
	played             book
	lobby

	signOns
}

// NewTG returns the platform. key has 32 bytes.
func NewTG(agentID string, key []byte, secretKey string) (*TG, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	t := &TG{agentID: agentID, secretKey: secretKey, aead: aead, mux: http.NewServeMux()}
	t.mux.HandleFunc("POST /v2/auth", t.auth)
	t.mux.HandleFunc("POST /v2/opengame", t.openGame)
	t.mux.HandleFunc("POST /v2/games", t.games)
	t.mux.HandleFunc("POST /v2/betlogs/offset", t.betLogs)
	t.mux.HandleFunc("GET /play/{token}", t.play)
	return t, nil
}

// Name implements Wire.
func (*TG) Name() string { return "tg" }

func (t *TG) book() *book { return &t.played }

// Seal encrypts a body: nonce, tag and data in base64 behind each other.
func (t *TG) Seal(plain []byte) string {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce) // never fails
	out := t.aead.Seal(nil, nonce, plain, nil)
	split := len(out) - 16
	encode := base64.StdEncoding.EncodeToString
	return encode(nonce) + encode(out[split:]) + encode(out[:split])
}

func (t *TG) unseal(text string) ([]byte, bool) {
	if len(text) < 41 {
		return nil, false
	}
	nonce, err1 := base64.StdEncoding.DecodeString(text[:16])
	tag, err2 := base64.StdEncoding.DecodeString(text[16:40])
	data, err3 := base64.StdEncoding.DecodeString(text[40:])
	if err1 != nil || err2 != nil || err3 != nil || len(nonce) != 12 {
		return nil, false
	}
	plain, err := t.aead.Open(nil, nonce, append(data, tag...), nil)
	return plain, err == nil
}

func (t *TG) call(plain string) Call {
	return Call{
		Path: "", Header: http.Header{"X-Agentid": {t.agentID}, "Content-Type": {"application/json"}},
		Body: []byte(`{"cipherText":"` + t.Seal([]byte(plain)) + `"}`),
	}
}

// Balance implements Wire.
func (t *TG) Balance(p Player) Call {
	return t.call(fmt.Sprintf(`{"action":"balance","uid":%q,"currency":%q,"brand":"VP"}`, p.ID, p.Currency))
}

// Bet implements Wire: it settles too.
func (t *TG) Bet(p Player, s Spin) Call {
	action := "betNSettle"
	if s.Type == "ITEM" {
		action = "retryBet"
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return t.call(fmt.Sprintf(`{"action":%q,"uid":%q,"roundId":%q,"betId":%q,"transferId":%q,"brand":"VP","currency":%q,"gameCode":%q,`+
		`"betTime":%q,"txTime":%q,"gameInfo":"{\"featureBuy\":false}","actualBetAmt":%s,"validBetAmt":%s,"winAmt":%s,"jackpotWin":0,"jackpotContribute":0,"betSourceId":1}`,
		action, p.ID, s.Round, s.Bet, s.Bet, p.Currency, s.Game, now, now, cents(s.Stake), cents(s.Stake), cents(s.Pay)))
}

// Settle implements Wire.
func (t *TG) Settle(Player, Spin) (Call, bool) { return Call{}, false }

// Rollback implements Wire.
func (t *TG) Rollback(p Player, s Spin) Call {
	return t.call(fmt.Sprintf(`{"action":"rollback","uid":%q,"roundId":%q,"transferId":%q,"betId":%q,"brand":"VP","gameCode":%q}`,
		p.ID, s.Round, s.Bet, s.Bet, s.Game))
}

// Read implements Wire.
func (t *TG) Read(status int, body []byte) (Answer, error) {
	var a struct {
		Status       string      `json:"status"`
		ErrText      *string     `json:"errText"`
		Balance      json.Number `json:"balance"`
		ResponseTime string      `json:"responseTime"`
	}
	if err := json.Unmarshal(body, &a); err != nil || status != http.StatusOK || a.ErrText == nil {
		return Answer{}, errAnswer
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", a.ResponseTime); err != nil {
		return Answer{}, errAnswer
	}
	balance, err := tenThousandths(a.Balance.String())
	if err != nil {
		return Answer{}, err
	}
	verdicts := map[string]Verdict{"0000": Done, "2001": Repeated, "1006": Funds, "9999": Failed}
	verdict, known := verdicts[a.Status]
	if !known {
		return Answer{}, errAnswer
	}
	if a.Status == "9999" && *a.ErrText == "rolled_back" {
		verdict = Gone
	}
	return Answer{Verdict: verdict, Balance: balance, Shown: 1}, nil
}

func (t *TG) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// asked reads a signed and sealed call; it answers by itself where the call is not theirs.
func (t *TG) asked(w http.ResponseWriter, r *http.Request, into any) bool {
	var body struct {
		CipherText string `json:"cipherText"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body) != nil {
		t.say(w, 84, nil)
		return false
	}
	stamp, nonce := r.Header.Get("x-timestamp"), r.Header.Get("x-nonce")
	sum := sha256.Sum256([]byte(t.agentID + "|" + stamp + "|" + nonce + "|" + body.CipherText))
	if r.Header.Get("x-agentid") != t.agentID || len(nonce) != 32 || r.Header.Get("x-signature") != hex.EncodeToString(sum[:]) {
		t.say(w, 83, nil)
		return false
	}
	plain, ok := t.unseal(body.CipherText)
	if !ok || json.Unmarshal(plain, into) != nil {
		t.say(w, 84, nil)
		return false
	}
	return true
}

func (t *TG) say(w http.ResponseWriter, code int, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": "", "data": data, "logUUID": "sim"})
}

func (t *TG) auth(w http.ResponseWriter, r *http.Request) {
	var ask struct{ SecretKey string }
	if !t.asked(w, r, &ask) {
		return
	}
	if ask.SecretKey != t.secretKey {
		t.say(w, 85, nil)
		return
	}
	token := t.signOn()
	t.say(w, 0, map[string]string{"accessToken": token})
}

var tgGames = []game{
	{"VP_230001_1", "Dragon's Reel", "VP", "slot"}, {"VP_230002_1", "Lucky Koi", "VP", "slot"}, {"VP_230007_1", "Fish Hunter", "VP", "arcade"},
}

func (t *TG) games(w http.ResponseWriter, r *http.Request) {
	if !t.signedOn(w, r) {
		return
	}
	rows := []map[string]any{}
	for _, g := range tgGames {
		rows = append(rows, map[string]any{"gameCode": g.code, "gameName": g.name, "gameType": g.category})
	}
	t.say(w, 0, rows)
}

func (t *TG) openGame(w http.ResponseWriter, r *http.Request) {
	if !t.signedOn(w, r) {
		return
	}
	var ask struct {
		Username, GameCode string
		LaunchType         int
	}
	if !t.asked(w, r, &ask) {
		return
	}
	for _, g := range tgGames {
		if g.code == ask.GameCode && ask.Username != "" {
			// Their call names no currency: it is the agent's.
			address := t.lobby.open(r.Host, Player{ID: ask.Username, Currency: "USD", Fun: ask.LaunchType == 1})
			t.say(w, 0, map[string]any{"gameLaunchUrl": address, "mode": ask.LaunchType})
			return
		}
	}
	t.say(w, 5, nil)
}

const tgPage = 5000

// tgWords are their betStatus. Their document shows settled bets only; the others are made up.
var tgWords = map[string]string{"ok": "2", "open": "1", "failed": "4", "rolled back": "3"}

func (t *TG) betLogs(w http.ResponseWriter, r *http.Request) {
	if !t.signedOn(w, r) {
		return
	}
	var ask struct {
		StartDate, EndDate time.Time
		Offset             int
	}
	if !t.asked(w, r, &ask) {
		return
	}
	found, _ := t.played.between(ask.StartDate, ask.EndDate, ask.Offset, tgPage)
	rows := []map[string]any{}
	for _, b := range found {
		rows = append(rows, map[string]any{
			"betId": b.id, "roundId": b.spin.Round, "transferId": b.id, "username": b.player.ID, "currency": b.player.Currency,
			"gameCode": b.spin.Game, "txTime": b.at, "betTime": b.at, "brand": "VP", "betStatus": json.Number(b.shown(tgWords)),
			"actualBetAmt": b.sum(b.spin.Stake) + "0000", "validBetAmt": cents(b.spin.Stake) + "0000", "winAmt": cents(b.spin.Pay) + "0000",
		})
	}
	t.say(w, 0, rows)
}
