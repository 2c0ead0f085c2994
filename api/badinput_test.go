package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// A table of everything a caller gets wrong: status and code of each, and nothing has moved.
func TestBadInputMovesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "100"), b.player(t, "100")
	deposits, withdrawals, coupons := "/v1/players/"+p.ID+"/deposits", "/v1/players/"+p.ID+"/withdrawals", "/v1/coupons"
	cash, stake := depositBody("10"), couponBody(p.ID)
	long := strings.Repeat("9", 5000)
	for _, test := range []struct {
		name, path string
		body       any
		status     int
		code       string
		location   string // "": no field is to blame
	}{
		{"not JSON", deposits, `{"amount": `, 400, CodeInvalidBody, ""},
		{"not JSON", coupons, `stake=10`, 400, CodeInvalidBody, ""},
		{"two bodies", deposits, `{} {}`, 400, CodeInvalidBody, ""},
		{"no body", deposits, "", 400, CodeInvalidBody, ""},
		{"no body", coupons, "", 400, CodeInvalidBody, ""},
		{"a list", deposits, `[]`, 422, CodeValidationFailed, "body"},
		{"null", coupons, `null`, 422, CodeValidationFailed, "body"},

		{"no amount", deposits, cash.with("amount", nil), 422, CodeValidationFailed, "body.amount"},
		{"no currency", deposits, cash.with("currency", nil), 422, CodeValidationFailed, "body.currency"},
		{"no transaction id", deposits, cash.with("transaction_id", nil), 422, CodeValidationFailed, "body.transaction_id"},
		{"no stake", coupons, stake.with("stake", nil), 422, CodeValidationFailed, "body.stake"},
		{"no selections", coupons, stake.with("selections", nil), 422, CodeValidationFailed, "body.selections"},
		{"no player", coupons, stake.with("player_id", nil), 422, CodeValidationFailed, "body.player_id"},
		{"a number as amount", deposits, cash.with("amount", 10), 422, CodeValidationFailed, "body.amount"},
		{"a number as stake", coupons, stake.with("stake", 10.5), 422, CodeValidationFailed, "body.stake"},
		{"a text as selections", coupons, stake.with("selections", "live#1|2|3|4#1.5"), 422, CodeValidationFailed, "body.selections"},
		{"a number as selection", coupons, stake.with("selections", []any{7}), 422, CodeValidationFailed, "body.selections[0]"},
		{"a text where ids stand", coupons, stake.with("player_id", "ext-1"), 422, CodeValidationFailed, "body.player_id"},
		{"a rate mode that is none", coupons, stake.with("rate_mode", "maybe"), 422, CodeValidationFailed, "body.rate_mode"},
		{"a language that is none", coupons, stake.with("lang", "en'--"), 422, CodeValidationFailed, "body.lang"},
		{"a text PostgreSQL can't store", deposits, cash.with("transaction_id", "a\x00b"), 422, CodeValidationFailed, "body.transaction_id"},
		{"a method too long", deposits, cash.with("method", strings.Repeat("x", 65)), 422, CodeValidationFailed, "body.method"},

		{"a negative amount", deposits, cash.with("amount", "-10"), 422, CodeInvalidAmount, "body.amount"},
		{"a negative withdrawal", withdrawals, cash.with("amount", "-10"), 422, CodeInvalidAmount, "body.amount"},
		{"a negative stake", coupons, stake.with("stake", "-0.01"), 422, CodeInvalidAmount, "body.stake"},
		{"nothing", deposits, cash.with("amount", "0"), 422, CodeInvalidAmount, "body.amount"},
		{"minus nothing", deposits, cash.with("amount", "-0.00"), 422, CodeInvalidAmount, "body.amount"},
		{"no stake at all", coupons, stake.with("stake", "0.0000"), 422, CodeInvalidAmount, "body.stake"},
		{"five decimals", deposits, cash.with("amount", "0.00001"), 422, CodeInvalidAmount, "body.amount"},
		{"five decimals staked", coupons, stake.with("stake", "1.00001"), 422, CodeInvalidAmount, "body.stake"},
		{"an absurd amount", deposits, cash.with("amount", "99999999999999999999"), 422, CodeInvalidAmount, "body.amount"},
		{"an amount above any sense", deposits, cash.with("amount", "1000000000000.01"), 422, CodeInvalidAmount, "body.amount"},
		{"an absurd stake", coupons, stake.with("stake", "922337203685477.5808"), 422, CodeInvalidAmount, "body.stake"},
		{"a possible win out of range", coupons, stake.with("stake", "1000000000000").with("selections", []string{"line#1|2|3|4#9999999"}), 422, CodeInvalidAmount, "body.stake"},
		{"five thousand digits", deposits, cash.with("amount", long), 422, CodeInvalidAmount, "body.amount"},
		{"an exponent", deposits, cash.with("amount", "1e3"), 422, CodeInvalidAmount, "body.amount"},
		{"a comma", deposits, cash.with("amount", "1,50"), 422, CodeInvalidAmount, "body.amount"},
		{"not a number", deposits, cash.with("amount", "NaN"), 422, CodeInvalidAmount, "body.amount"},
		{"an empty amount", deposits, cash.with("amount", ""), 422, CodeInvalidAmount, "body.amount"},

		{"another currency", deposits, cash.with("currency", "EUR"), 422, CodeCurrencyMismatch, "body.currency"},
		{"another currency out", withdrawals, cash.with("currency", "EUR"), 422, CodeCurrencyMismatch, "body.currency"},
		{"another currency staked", coupons, stake.with("currency", "EUR"), 422, CodeCurrencyMismatch, "body.currency"},
		{"no currency there is", deposits, cash.with("currency", "QQQ"), 422, CodeValidationFailed, "body.currency"},

		{"an unknown player", "/v1/players/" + uuid.NewString() + "/deposits", cash, 404, CodePlayerNotFound, ""},
		{"an id that is none", "/v1/players/ext-1/withdrawals", cash, 404, CodePlayerNotFound, ""},
		{"an unknown player's coupon", coupons, stake.with("player_id", uuid.NewString()), 404, CodePlayerNotFound, ""},

		{"more than there is", withdrawals, cash.with("amount", "100.01"), 402, CodeInsufficientFunds, ""},
		{"more than there is, staked", coupons, stake.with("stake", "100.01"), 402, CodeInsufficientFunds, ""},

		{"no bet pointer", coupons, stake.with("selections", []string{"home win"}), 422, CodeInvalidSelection, "body.selections[0]"},
		{"no bet pointer at the end", coupons, stake.with("selections", []string{"live#1|2|3|4#1.5", "x"}), 422, CodeInvalidSelection, "body.selections[1]"},
		{"a coefficient below one", coupons, stake.with("selections", []string{"live#1|2|3|4#0.5"}), 422, CodeInvalidSelection, "body.selections[0]"},
		{"an empty list", coupons, stake.with("selections", []string{}), 422, CodeInvalidSelection, "body.selections"},
		{"sixteen selections", coupons, stake.with("selections", sixteen()), 422, CodeInvalidSelection, "body.selections"},
		{"one match twice", coupons, stake.with("selections", []string{"live#1|2|3|4#1.5", "live#1|2|4|4#1.5"}), 422, CodeInvalidSelection, "body.selections"},
	} {
		got := b.call(t, "POST", test.path, test.body, idempotent(uuid.NewString())).check(t, test.status, test.code)
		switch {
		case test.location == "" && len(got.Errors) != 0:
			t.Errorf("%s (%s): %+v is to blame, want no field", test.name, test.path, got.Errors)
		case test.location != "" && (len(got.Errors) != 1 || got.Errors[0].Location != test.location || got.Errors[0].Message == ""):
			t.Errorf("%s (%s): %+v is to blame, want %s", test.name, test.path, got.Errors, test.location)
		}
		if strings.Contains(got.Detail, long[:100]) {
			t.Errorf("%s: what was sent is echoed: %q", test.name, got.Detail)
		}
	}
	for _, id := range []string{p.ID, other.ID} {
		if got := b.cash(t, id); got != "100.00" {
			t.Errorf("cash = %s after nothing but refusals, want 100.00", got)
		}
	}
	if got := b.bookmaker.placed.Load(); got != 0 {
		t.Errorf("the bookmaker was asked %d times", got)
	}
}

func sixteen() []string {
	var pointers []string
	for i := range 16 {
		pointers = append(pointers, "line#"+strings.Repeat("1", i+1)+"|2|3|4#1.5")
	}
	return pointers
}

func TestIdempotencyKeyIsRequired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	for path, body := range map[string]any{
		"/v1/players/" + p.ID + "/deposits":    depositBody("10"),
		"/v1/players/" + p.ID + "/withdrawals": depositBody("10"),
		"/v1/coupons":                          couponBody(p.ID),
	} {
		b.call(t, "POST", path, body).check(t, http.StatusBadRequest, CodeIdempotencyKeyRequired)
		b.call(t, "POST", path, body, idempotent("  ")).check(t, http.StatusBadRequest, CodeIdempotencyKeyRequired)
		for _, key := range []string{strings.Repeat("k", longestKey+1), "\xff\xfe"} {
			b.call(t, "POST", path, body, idempotent(key)).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
		}
	}
	if got := b.cash(t, p.ID); got != "100.00" {
		t.Errorf("cash = %s, want 100.00", got)
	}
}

func TestBadQueries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	for _, test := range []struct{ path, location string }{
		{"/transactions?limit=0", "query.limit"},
		{"/transactions?limit=501", "query.limit"},
		{"/transactions?limit=all", "query.limit"},
		{"/transactions?cursor=nonsense", "query.cursor"},
		{"/transactions?cursor=" + *listingCoupons.cursor(uuid.New()), "query.cursor"},
		{"/transactions?from=yesterday", "query.from"},
		{"/transactions?to=2025-02-30T00:00:00Z", "query.to"},
		{"/transactions?provider=%00", "query.provider"},
		{"/transactions?game_id=%ff", "query.game_id"},
		{"/transactions?type=%00", "query.type"},
		{"?limit=501", "query.limit"},
		{"?cursor=!", "query.cursor"},
		{"?status=lucky", "query.status"},
		{"?player_id=ext-1", "query.player_id"},
	} {
		path := "/v1/players/" + p.ID + test.path
		if strings.HasPrefix(test.path, "?") {
			path = "/v1/coupons" + test.path
		}
		got := b.call(t, "GET", path, nil).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
		if len(got.Errors) != 1 || got.Errors[0].Location != test.location {
			t.Errorf("%s: %+v is to blame, want %s", path, got.Errors, test.location)
		}
	}
	b.call(t, "GET", "/v1/players/"+uuid.NewString()+"/transactions", nil).check(t, http.StatusNotFound, CodePlayerNotFound)
	b.call(t, "GET", "/v1/coupons/"+uuid.NewString(), nil).check(t, http.StatusNotFound, CodeCouponNotFound)
	b.call(t, "GET", "/v1/coupons/nonsense", nil).check(t, http.StatusNotFound, CodeCouponNotFound)
	b.call(t, "GET", "/v1/coupons/nonsense/events", nil).check(t, http.StatusNotFound, CodeCouponNotFound)
}

// endless is a body of that many spaces: valid as the beginning of anything.
func endless(size int64) io.Reader {
	return io.LimitReader(repeated(' '), size)
}

type repeated byte

func (r repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	path := "/v1/players/" + p.ID + "/deposits"
	lengthKnown := func(size int64) option { return func(r *http.Request) { r.ContentLength = size } }
	for _, test := range []struct {
		name    string
		size    int64
		options []option
	}{
		{"a byte too many", maxBody + 1, []option{lengthKnown(maxBody + 1)}},
		{"50 MiB", 50 << 20, []option{lengthKnown(50 << 20)}},
		{"50 MiB in chunks", 50 << 20, nil},
	} {
		options := append(test.options, idempotent("k1"))
		b.call(t, "POST", path, endless(test.size), options...).check(t, http.StatusRequestEntityTooLarge, CodeBodyTooLarge)
	}
	full := `{"amount":"10","currency":"USD","method":"card","transaction_id":"t1"}`
	full += strings.Repeat(" ", maxBody-len(full))
	if got := b.call(t, "POST", path, full, idempotent("k1")); got.status != http.StatusOK {
		t.Errorf("a body of exactly 1 MiB: %d %s", got.status, got.body)
	}
	if got := b.cash(t, p.ID); got != "10.00" {
		t.Errorf("cash = %s, want 10.00", got)
	}
}

func TestBodyOfAnotherKind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	path := "/v1/players/" + p.ID + "/deposits"
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8", "nonsense;+"} {
		b.call(t, "POST", path, depositBody("10"), idempotent("k1"), header("Content-Type", kind)).
			check(t, http.StatusUnsupportedMediaType, CodeUnsupportedMediaType)
	}
	for i, kind := range []string{"application/json; charset=utf-8", ""} {
		got := b.call(t, "POST", path, depositBody("10"), idempotent("ok"+string(rune('0'+i))), header("Content-Type", kind))
		if got.status != http.StatusOK {
			t.Errorf("Content-Type %q: %d %s", kind, got.status, got.body)
		}
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/players/%s/deposits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Idempotency-Key: k1\r\nContent-Length: 100\r\n\r\n{\"amount\":\"10\",", p.ID, b.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer{status: response.StatusCode, header: response.Header, body: string(body)}.check(t, http.StatusBadRequest, CodeInvalidBody)
	if got := b.cash(t, p.ID); got != "0.00" {
		t.Errorf("cash = %s, want 0.00", got)
	}
}
