package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// operatorPassword is the password of every operator in these tests.
const operatorPassword = "a long password"

// evens runs a command on the installation, in this process. Whoever asks for a password is given one.
func (i *installation) evens(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	code, out, _ = i.told(t, operatorPassword+"\n"+operatorPassword+"\n", args...)
	return code, out
}

// told is evens with a standard input.
func (i *installation) told(t *testing.T, stdin string, args ...string) (code int, out, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"--database-url", i.runtimeURL, "--redis-url", i.redisURL, "--log-level", "error"}, args...)
	code = run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	if stderr.Len() > 0 {
		t.Logf("evens %s: %s", strings.Join(args[6:], " "), &stderr)
	}
	return code, stdout.String(), stderr.String()
}

// employ makes an operator of each role, ROLE@example.com.
func (i *installation) employ(t *testing.T) {
	t.Helper()
	operators := access.NewOperators(i.db, time.Now)
	for _, role := range access.Roles() {
		if _, err := operators.Create(t.Context(), string(role)+"@example.com", role, operatorPassword); err != nil {
			t.Fatal(err)
		}
	}
}

// A list in a file, its breaks, a person's decisions, the reports: as an operator does it.
func TestReconcileByHand(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	who, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	poster := wallet.NewPoster(wallet.NewBooks(i.db, nil, nil), wallet.PosterConfig{})
	_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{
		Player: who.ID, Amount: money.MustParse("50"), Currency: "USD", Method: "pix", TransactionID: "d1", At: time.Now(),
	})
	poster.Close()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	file := filepath.Join(t.TempDir(), "list.csv")
	text := "transaction_id,type,player_id,amount,currency,status,at,round_id\n"
	for _, line := range []string{"c1,credit,ana,3.50,USD,ok", "d7,debit,ana,2.00,USD,ok"} {
		text += fmt.Sprintf("%s,%s,r\n", line, now.Format(time.RFC3339))
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	type report struct {
		Provider string
		Lines    int
		DryRun   bool `json:"dry_run"`
		Breaks   []struct{ ID, Kind, State, Action, TransactionID string }
	}
	var tried, done report
	if code, _ := i.evens(t, "reconcile", "--provider", "betron", "--complete"); code != 1 {
		t.Errorf("--complete of no file: %d", code)
	}
	code, out := i.evens(t, "reconcile", "--provider", "betron", "--file", file, "--complete", "--json", "--dry-run")
	if err := json.Unmarshal([]byte(out), &tried); err != nil || code != 1 || !tried.DryRun || len(tried.Breaks) != 2 {
		t.Fatalf("dry run: %d %s, %v", code, out, err)
	}
	code, out = i.evens(t, "reconcile", "--provider", "betron", "--file", file, "--json")
	if err := json.Unmarshal([]byte(out), &done); err != nil || code != 1 || done.Lines != 2 {
		t.Fatalf("run: %d %s, %v", code, out, err)
	}
	if n := i.count(t, `SELECT balance FROM accounts WHERE kind = 'cash'`); n != 535_000 {
		t.Errorf("cash = %d, want 53.5000", n)
	}
	code, out = i.evens(t, "breaks", "list", "--json")
	var open struct{ ID, Kind, State string }
	if err := json.Unmarshal([]byte(out), &open); err != nil || code != 0 || open.Kind != "missing_here" || open.State != "open" {
		t.Fatalf("breaks list: %d %s, %v", code, out, err)
	}
	if code, _ := i.evens(t, "breaks", "resolve", open.ID, "--operator", "operator@example.com"); code == 0 {
		t.Error("a break was resolved without a comment")
	}
	if code, out := i.evens(t, "breaks", "resolve", open.ID, "--operator", "operator@example.com", "--comment", "voided there"); code != 0 {
		t.Errorf("breaks resolve: %d %s", code, out)
	}
	if code, out := i.evens(t, "breaks", "show", open.ID); code != 0 || !strings.Contains(out, `"comment": "voided there"`) || !strings.Contains(out, `"state": "resolved"`) {
		t.Errorf("breaks show: %d %s", code, out)
	}
	if code, _ := i.evens(t, "breaks", "ignore", "x", "--operator", "operator@example.com", "--comment", "c"); code != 1 {
		t.Error("no break was ignored")
	}
	if code, out := i.evens(t, "breaks", "list"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("breaks list: %d %s", code, out)
	}
	// A win of a round that nobody knows, at a platform that tells rounds.
	theirs := filepath.Join(t.TempDir(), "betao.csv")
	if err := os.WriteFile(theirs, []byte(strings.ReplaceAll(strings.ReplaceAll(text, "c1,", "b1,"), "d7,", "b7,")), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := i.evens(t, "reconcile", "--provider", "betao", "--file", theirs); !strings.Contains(out, "resolved  post") {
		t.Errorf("betao: %d %s", code, out)
	}
	if code, out := i.evens(t, "reconcile", "--provider", "betao", "--file", file); code != 1 || out != "" {
		t.Errorf("another platform's file: %d %s", code, out)
	}
	if code, out := i.evens(t, "failures", "--json"); code != 0 || out == "" || !strings.Contains(out, `"no_bet_known"`) {
		t.Errorf("failures: %d %s", code, out)
	}
	if code, _ := i.evens(t, "closing", now.Format(time.DateOnly)); code != 1 {
		t.Error("a day was closed that is not over")
	}
	if code, out := i.evens(t, "closing", now.AddDate(0, 0, -3).Format(time.DateOnly)); code != 0 || !strings.Contains(out, "USD,total,0.00,,,") {
		t.Errorf("closing: %d %s", code, out)
	}
	if code, out := i.evens(t, "player", "block", "ana", "--operator", "operator@example.com", "--comment", "asked to"); code != 0 || !strings.HasSuffix(out, ": blocked\n") {
		t.Errorf("player block: %d %s", code, out)
	}
	if code, out := i.evens(t, "explain", "player", "ana", "--json"); code != 0 || !strings.Contains(out, "asked to") || !strings.Contains(out, `"deposit 50.00 of cashier"`) {
		t.Errorf("explain player: %d %s", code, out)
	}
	if code, out := i.evens(t, "player", "unblock", who.ID.String(), "--operator", "operator@example.com", "--comment", "asked to"); code != 0 || !strings.HasSuffix(out, ": active\n") {
		t.Errorf("player unblock: %d %s", code, out)
	}
	if code, _ := i.evens(t, "player", "close", "nobody", "--operator", "operator@example.com", "--comment", "c"); code != 1 {
		t.Error("nobody was closed")
	}
	if code, _ := i.evens(t, "explain", "coupon", "none"); code != 1 {
		t.Error("no coupon was explained")
	}
	if code, _ := i.evens(t, "callback", "x", "--operator", "operator@example.com"); code != 1 {
		t.Error("no callback was shown")
	}
	if code, out := i.evens(t, "audit", "--json"); code != 0 || !strings.Contains(out, `"clean":true`) && !strings.Contains(out, `"clean": true`) {
		t.Errorf("audit: %d %s", code, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(bad, []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _ := i.evens(t, "reconcile", "--provider", "betron", "--file", bad); code != 1 {
		t.Errorf("a bad file: %d", code)
	}
	if code, _ := i.evens(t, "reconcile", "--provider", "betron"); code != 1 {
		t.Error("a provider without a list was asked")
	}
}

// Settings that are wrong are named, all at once.
func TestPlatformSettings(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "--tg-url=http://tg", "--tg-key=short", "--naga-url=http://naga", "--naga-public-key=no key", "--betao-url=http://betao",
		"--betron-url=http://betron", "--betron-currency=XXXX", "--betron-allow=nowhere", "--betron-path-secret=two/parts")
	_, err := cfg.parse()
	for _, name := range []string{
		"EVENS_TG_AGENT_ID", "EVENS_TG_KEY", "EVENS_NAGA_GROUP_CODE", "EVENS_NAGA_PUBLIC_KEY", "EVENS_BETAO_API_KEY", "EVENS_BETAO_SECRET_KEY",
		"EVENS_BETRON_AGENT_CODE", "EVENS_BETRON_CURRENCY", "EVENS_BETRON_ALLOW", "EVENS_BETRON_PATH_SECRET",
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "short") {
		t.Error("a key is shown")
	}
}
