package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/cashier"
	"evens/casino"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/sim/casinosim"
)

// door is one place where JSON comes in from outside.
type door struct {
	name string
	path string
	// body is what moves money: ID stands for the id of what happens.
	body string
	// id and amount are the names of its members that say so.
	id, amount string
	// packs signs, and where the door has it so encrypts, a body; nil: it goes as it is.
	packs func(body string) (packed string, header http.Header)
	// compact: its signature covers the body without blanks.
	compact bool
	// strict: the door reads by internal/jsonin. Others are tried with what is right only, until they do.
	strict bool
	// parks: what is wrong with a part is answered as a success, and waits for a person.
	parks bool
	// refused reports whether an answer is a refusal in the door's own words; nil: 400 or 422.
	refused func(status int, text string) bool
}

// malformation makes of a body, whose id is given, one that must be refused.
type malformation struct {
	name string
	make func(d door, body, id string) string
}

// before puts a member before the first of an object that has another member of that name.
func before(member, name, body string) string {
	at := strings.Index(body, `"`+name+`"`)
	return body[:at] + member + "," + body[at:]
}

func renamed(body, name, to string) string {
	return strings.Replace(body, `"`+name+`"`, `"`+to+`"`, 1)
}

var malformations = []malformation{
	{"the id twice", func(d door, body, id string) string { return before(`"`+d.id+`":"`+id+`"`, d.id, body) }},
	{"the amount twice", func(d door, body, _ string) string { return before(`"`+d.amount+`":"7.00"`, d.amount, body) }},
	{"the amount twice, once escaped", func(d door, body, _ string) string {
		return before(fmt.Sprintf(`"\u%04x%s":"7.00"`, d.amount[0], d.amount[1:]), d.amount, body)
	}},
	{"the amount in capitals beside", func(d door, body, _ string) string {
		return before(`"`+strings.ToUpper(d.amount)+`":"7.00"`, d.amount, body)
	}},
	{"the amount in capitals alone", func(d door, body, _ string) string { return renamed(body, d.amount, strings.ToUpper(d.amount)) }},
	{"the id in capitals beside", func(d door, body, _ string) string { return before(`"`+strings.ToUpper(d.id)+`":""`, d.id, body) }},
	{"the id with a long s, or in other capitals", func(d door, body, _ string) string {
		other := strings.Replace(d.id, "s", "ſ", 1)
		if other == d.id {
			other = strings.ToUpper(d.id[:1]) + d.id[1:]
		}
		if other == d.id {
			other = strings.ToLower(d.id)
		}
		return before(`"`+other+`":"x"`, d.id, body)
	}},
	{"half a surrogate pair", func(_ door, body, id string) string { return strings.Replace(body, id, id+`\ud83d`, 1) }},
	{"a byte of Latin-1", func(_ door, body, id string) string { return strings.Replace(body, id, id+"\xe9", 1) }},
	{"a surrogate in UTF-8", func(_ door, body, id string) string { return strings.Replace(body, id, id+"\xed\xa0\xbd", 1) }},
	{"a control character", func(_ door, body, id string) string { return strings.Replace(body, id, id+`\u0000`, 1) }},
	{"a line break", func(_ door, body, id string) string { return strings.Replace(body, id, id+`\n`, 1) }},
	{"a character that turns text", func(_ door, body, id string) string { return strings.Replace(body, id, "\u202e"+id, 1) }},
	{"a character without width", func(_ door, body, id string) string { return strings.Replace(body, id, id[:1]+"\u200b"+id[1:], 1) }},
	{"a blank at the end", func(_ door, body, id string) string { return strings.Replace(body, id, id+" ", 1) }},
	{"a hard blank before", func(_ door, body, id string) string { return strings.Replace(body, id, "\u00a0"+id, 1) }},
	{"two bodies", func(_ door, body, _ string) string { return body + body }},
	{"cut off", func(_ door, body, _ string) string { return body[:len(body)-1] }},
}

const blanksBetween = "blanks between"

// straight are bodies that every door takes.
var straight = []malformation{
	{"as documented", func(_ door, body, _ string) string { return body }},
	{blanksBetween, func(_ door, body, _ string) string { return strings.Replace(body, "{", " {\n", 1) + "\r\n" }},
	{"a member in escapes", func(d door, body, _ string) string {
		return renamed(body, d.amount, fmt.Sprintf(`\u%04x%s`, d.amount[0], d.amount[1:]))
	}},
	{"another script in the id", func(_ door, body, id string) string { return strings.Replace(body, id, id+"-é日本😀", 1) }},
}

// Every door × every malformation: refused in the door's own words, and nothing has moved.
func TestEveryDoorRefusesWhatIsMalformed(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	house := i.openDoors(t)
	for _, d := range house.doors() {
		for _, good := range straight {
			if d.compact && good.name == blanksBetween {
				continue
			}
			id := uuid.NewString()
			was := house.written(t)
			status, text := house.call(t, d, good.make(d, strings.Replace(d.body, "ID", id, 1), id))
			if house.refuses(d, status, text) || house.written(t) != was+1 {
				t.Errorf("%s, %s: %d %s", d.name, good.name, status, text)
			}
		}
		if !d.strict {
			continue
		}
		id := uuid.NewString()
		was := house.written(t)
		if status, text := house.call(t, d, "\xef\xbb\xbf"+strings.Replace(d.body, "ID", id, 1)); house.refuses(d, status, text) || house.written(t) != was+1 {
			t.Errorf("%s, a byte order mark: %d %s", d.name, status, text)
		}
		was = house.written(t)
		for _, bad := range malformations {
			id := uuid.NewString()
			status, text := house.call(t, d, bad.make(d, strings.Replace(d.body, "ID", id, 1), id))
			parked := d.parks && status == http.StatusOK
			if !parked && !house.refuses(d, status, text) || house.written(t) != was {
				t.Errorf("%s, %s: %d %s, %d rows more", d.name, bad.name, status, text, house.written(t)-was)
				was = house.written(t)
			}
		}
	}
	i.clean(t)
}

// house is a running installation, with what its doors ask for.
type house struct {
	*installation
	url, key  string
	who       player.Player
	nagaToken string
	tg        *casinosim.TG
	naga      *casinosim.Naga
	environ   []string // of the process that the doors are of

	resultPrefix, betronSuffix string // with the secrets of their paths
}

// Keys of the doors.
const (
	gatewaySecret = "gateway"
	betaoSecret   = "betao secret"
	tgAgent       = "agent"
)

func (i *installation) openDoors(t *testing.T) *house {
	t.Helper()
	h := i.newHouse(t)
	i.start(t, []string{"api"}, h.environ...)
	h.enter(t)
	return h
}

// newHouse makes the keys of a house that is not open yet.
func (i *installation) newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{installation: i}
	key := []byte(strings.Repeat("k", 32))
	var err error
	if h.tg, err = casinosim.NewTG(tgAgent, key, "s"); err != nil {
		t.Fatal(err)
	}
	if h.naga, err = casinosim.NewNaga("gc01", "bc01", "api", false); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	h.url = "http://" + address
	h.environ = []string{
		"EVENS_LISTEN=" + address, "EVENS_CASHIER_SECRET=" + gatewaySecret,
		"EVENS_BETAO_URL=" + nowhere, "EVENS_BETAO_API_KEY=k", "EVENS_BETAO_SECRET_KEY=" + betaoSecret,
		"EVENS_BETRON_URL=" + nowhere, "EVENS_BETRON_AGENT_CODE=a", "EVENS_BETRON_AGENT_TOKEN=t", "EVENS_BETRON_SECRET_KEY=s",
		"EVENS_TG_URL=" + nowhere, "EVENS_TG_AGENT_ID=" + tgAgent, "EVENS_TG_KEY=" + hex.EncodeToString(key), "EVENS_TG_SECRET_KEY=s",
		"EVENS_NAGA_URL=" + nowhere, "EVENS_NAGA_GROUP_CODE=gc01", "EVENS_NAGA_BRAND_CODE=bc01", "EVENS_NAGA_PUBLIC_KEY=" + h.naga.PublicKey(),
	}
	return h
}

// enter waits for the doors to open, and makes a player with money.
func (h *house) enter(t *testing.T) {
	t.Helper()
	i := h.installation
	var err error
	if _, h.key, err = access.NewKeys(i.db, time.Now).Create(t.Context(), "doors", access.Scopes()); err != nil {
		t.Fatal(err)
	}
	h.who, _, err = player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "p-1", Name: "P", Email: "p@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	identity := player.Identity{ID: h.who.ID, ExternalID: h.who.ExternalID, Currency: money.Currency("USD")}
	if _, h.nagaToken, err = casino.NewSessions(i.db, time.Now).Open(t.Context(), "naga", identity, "g", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the doors are open", func() bool { return answers(h.url+"/v1/openapi.json", http.StatusOK) })
	status, text := h.call(t, h.doors()[0], strings.Replace(h.doors()[0].body, "ID", "first", 1))
	if status != http.StatusOK {
		t.Fatalf("deposit: %d %s", status, text)
	}
}

// doors are all there are. One that is strict from now on is a word more in its line.
func (h *house) doors() []door {
	cash := `{"amount":"100.00","currency":"USD","method":"card","transaction_id":"ID"}`
	bearer := func(body string) (string, http.Header) {
		return body, http.Header{"Authorization": {"Bearer " + h.key}, "Idempotency-Key": {uuid.NewString()}}
	}
	signed := func(body string) (string, http.Header) {
		return body, http.Header{"X-Signature": {cashier.Sign(gatewaySecret, []byte(body), time.Now())}}
	}
	betao := func(body string) (string, http.Header) {
		mac := hmac.New(sha256.New, []byte(betaoSecret))
		mac.Write([]byte(body))
		return body, http.Header{"X-Signature": {hex.EncodeToString(mac.Sum(nil))}}
	}
	tg := func(body string) (string, http.Header) {
		return `{"cipherText":"` + h.tg.Seal([]byte(body)) + `"}`, http.Header{"X-Agentid": {tgAgent}}
	}
	naga := func(body string) (string, http.Header) { // a mark stands before the envelope
		data, marked := strings.CutPrefix(body, "\xef\xbb\xbf")
		call := h.naga.Sign("", data)
		if marked {
			return "\xef\xbb\xbf" + string(call.Body), call.Header
		}
		return string(call.Body), call.Header
	}
	player := "/v1/players/" + h.who.ID.String()
	return []door{
		{name: "deposit", path: player + "/deposits", body: cash, id: "transaction_id", amount: "amount", packs: bearer, strict: true},
		{
			name: "withdrawal", path: player + "/withdrawals", body: strings.Replace(cash, "100.00", "0.01", 1),
			id: "transaction_id", amount: "amount", packs: bearer, strict: true,
		},
		{
			name: "gateway", path: "/cashier/callback", packs: signed, id: "transaction_id", amount: "amount", strict: true,
			body: `{"transaction_id":"ID","player_id":"p-1","type":"deposit","method":"pix","amount":5.00,"currency":"USD","status":"succeeded"}`,
		},
		{
			name: "Betao", path: "/casino/betao/api/v3/wallet/debit", packs: betao, id: "transaction_id", amount: "amount", strict: true,
			body: `{"player_id":"p-1","amount":0.01,"currency":"USD","transaction_id":"ID","round_id":"r"}`,
		},
		{
			name: "BetronTech", path: "/casino/betron" + h.betronSuffix, id: "transaction_id", amount: "amount", strict: true,
			body: `{"method":"transaction_bet","user_id":"p-1","amount":"0.01","transaction_id":"ID","game_id":"g"}`,
			refused: func(_ int, text string) bool {
				return !strings.Contains(text, `"status":true`) && !strings.Contains(text, `"status":1`)
			},
		},
		{
			name: "TG", path: "/casino/tg", packs: tg, id: "betId", amount: "actualBetAmt", strict: true,
			body:    `{"action":"betNSettle","uid":"p-1","roundId":"r","betId":"ID","currency":"USD","gameCode":"g","actualBetAmt":0.01,"winAmt":0}`,
			refused: func(_ int, text string) bool { return !strings.Contains(text, `"0000"`) },
		},
		{
			name: "Naga", path: "/casino/naga/place-bet", packs: naga, id: "betId", amount: "amount", compact: true, strict: true,
			body: `{"betId":"ID","currency":"USD","gameCode":"g","playerToken":"` + h.nagaToken +
				`","groupCode":"gc01","transactionId":"t","amount":0.01,"parentBetId":null,"brandCode":"bc01","betType":"NORMAL"}`,
		},
		{
			name: "BeT's results", path: h.resultPrefix + "/api/bet/result", id: "BarCode", amount: "AmountOut", strict: true, parks: true,
			body: `{"Heads":[{"KeyHead":{"BarCode":"ID"},"Status":2,"ExtStatus":0,"AmountOut":30.85,"DateRecive":1748800000}]}`,
		},
	}
}

// written counts what messages leave behind: transactions and results, but for those that cannot be read.
func (h *house) written(t *testing.T) int {
	t.Helper()
	return h.count(t, `SELECT (SELECT count(*) FROM transactions WHERE kind <> 'refused') + (SELECT count(*) FROM results WHERE raw IS NULL)`)
}

func (h *house) refuses(d door, status int, text string) bool {
	if d.refused != nil {
		return d.refused(status, text)
	}
	return status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
}

func (h *house) call(t *testing.T, d door, body string) (int, string) {
	t.Helper()
	status, _, text := h.ask(t, d, body)
	return status, text
}
