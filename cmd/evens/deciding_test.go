package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"evens/access"
	"evens/bench"
	"evens/internal/testbed"
	"evens/player"
)

// openCommands are those that name no operator: they start processes, read, or carry out what others decided.
var openCommands = []string{
	"up", "api", "worker", "cron", "migrate", "demo", "audit", "sim", "bench", "version", "explain coupon", "explain player",
	"results list", "reconcile", "breaks list", "breaks show", "failures", "closing", "player limits", "adjust list", "bonus list",
	"bonus campaigns", "debts", "apikey list", "operator list", "suspense list", "mapping",
}

// Every command with every role: what the permission table says, and nothing else. A command that is
// neither in this table nor open fails the test.
func TestEveryCommandWithEveryRole(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	nothing := uuid.NewString()
	commands := map[string]struct {
		operation access.Operation
		args      []string
	}{
		"results apply":    {access.DecideResults, []string{"1", "--comment", "c"}},
		"results refuse":   {access.DecideResults, []string{"1", "--comment", "c"}},
		"breaks resolve":   {access.DecideBreaks, []string{nothing, "--comment", "c"}},
		"breaks ignore":    {access.DecideBreaks, []string{nothing, "--comment", "c"}},
		"player block":     {access.DecidePlayers, []string{"ana", "--comment", "c"}},
		"player unblock":   {access.DecidePlayers, []string{"ana", "--comment", "c"}},
		"player close":     {access.DecidePlayers, []string{"ana", "--comment", "c"}},
		"adjust make":      {access.Adjust, []string{"--player", "ana", "--amount", "1", "--comment", "c"}},
		"adjust approve":   {access.Adjust, []string{nothing}},
		"adjust refuse":    {access.Adjust, []string{nothing, "--comment", "c"}},
		"coupon adopt":     {access.DecideCoupons, []string{nothing, "--bet-code", "x", "--comment", "c"}},
		"coupon cancel":    {access.DecideCoupons, []string{nothing, "--comment", "c"}},
		"suspense assign":  {access.Adjust, []string{nothing, "--player", "ana", "--comment", "c"}},
		"suspense close":   {access.Adjust, []string{nothing, "--as", "returned", "--comment", "c"}},
		"bonus forfeit":    {access.DecideBonuses, []string{"ana", nothing, "--comment", "c"}},
		"callback":         {access.ReadCallbacks, []string{nothing}},
		"apikey create":    {access.ManageKeys, []string{"--name", "k", "--scope", "games"}},
		"apikey revoke":    {access.ManageKeys, []string{"k"}},
		"operator create":  {access.ManageOperators, []string{"--email", "new@example.com", "--role", "admin"}},
		"operator disable": {access.ManageOperators, []string{"--email", "new@example.com"}},
		"operator enable":  {access.ManageOperators, []string{"new@example.com"}},
		"operator passwd":  {access.ManageOperators, []string{"new@example.com"}},
		"operator role":    {access.ManageOperators, []string{"new@example.com", "viewer"}},
		"operator totp":    {access.ManageOperators, []string{"new@example.com"}},
	}
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		path := strings.TrimPrefix(leaf.Path(), "evens ")
		_, listed := commands[path]
		if named := slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "operator" && f.PlaceHolder == "EMAIL" }); named != listed {
			t.Errorf("%q names an operator: %t, in the table of this test: %t", path, named, listed)
		}
		if !listed && !slices.Contains(openCommands, path) {
			t.Errorf("%q is neither open nor in the table of this test", path)
		}
	}
	if _, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"}); err != nil {
		t.Fatal(err)
	}
	for path, command := range commands {
		for _, role := range access.Roles() {
			args := append(strings.Fields(path), command.args...)
			code, out, errors := i.told(t, strings.Repeat(operatorPassword+"\n", 2), append(args, "--operator", string(role)+"@example.com")...)
			if refused := strings.Contains(errors, access.ErrForbidden.Error()); refused == role.May(command.operation) || refused && (code == 0 || out != "") {
				t.Errorf("%s as %s: %d %s%s, want refused: %t", path, role, code, out, errors, !role.May(command.operation))
			}
		}
	}
	for _, role := range []access.Role{access.Viewer, access.Supporter, access.Finance} {
		if n := i.count(t, `SELECT count(*) FROM activity_log WHERE event LIKE 'operator.%' AND operator = '`+string(role)+`@example.com'`); n != 0 {
			t.Errorf("%s changed operators", role)
		}
	}
}

// Who decides proves it, and nothing but the command line says who, what and why.
func TestOperatorsProveThemselves(t *testing.T) {
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	if _, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"}); err != nil {
		t.Fatal(err)
	}
	adjust := []string{"adjust", "--player", "ana", "--amount", "5", "--comment", "c", "--operator", "finance@example.com"}
	for name, stdin := range map[string]string{"no password": "", "a wrong password": "a wrong password\n", "an empty one": "\n"} {
		if code, out, _ := i.told(t, stdin, adjust...); code == 0 || out != "" {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	if code, out, _ := i.told(t, operatorPassword, append(adjust[:len(adjust)-1], "nobody@example.com")...); code == 0 || out != "" {
		t.Errorf("nobody: %d %s", code, out)
	}
	t.Setenv("EVENS_OPERATOR", "finance@example.com")
	t.Setenv("EVENS_COMMENT", "c")
	if code, out, errors := i.told(t, operatorPassword, "adjust", "--player", "ana", "--amount", "5"); code != 2 || !strings.Contains(errors, "--operator") {
		t.Errorf("the operator from the environment: %d %s %s", code, out, errors)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(operatorPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EVENS_OPERATOR_PASSWORD_FILE", file)
	adjust[len(adjust)-1] = "finance@example.com"
	if code, out, errors := i.told(t, "", adjust...); code != 0 {
		t.Errorf("by the file: %d %s %s", code, out, errors)
	}
	operators := access.NewOperators(i.db, time.Now)
	address, err := operators.AddTOTP(t.Context(), "finance@example.com")
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(address, "secret=")
	secret, _, _ = strings.Cut(secret, "&")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if exit, out, _ := i.told(t, "", adjust...); exit == 0 || out != "" {
		t.Errorf("without the code: %d %s", exit, out)
	}
	if exit, out, errors := i.told(t, "", append(adjust, "--code", code)...); exit != 0 {
		t.Errorf("with the code: %d %s %s", exit, out, errors)
	}
	t.Setenv("EVENS_OPERATOR_PASSWORD_FILE", file+".none")
	if exit, _, errors := i.told(t, operatorPassword, adjust...); exit == 0 || !strings.Contains(errors, "EVENS_OPERATOR_PASSWORD_FILE") {
		t.Errorf("a file that is not there: %d %s", exit, errors)
	}
	if n := i.count(t, `SELECT count(*) FROM adjustments`); n != 2 {
		t.Errorf("%d adjustments, want 2", n)
	}
}

// A payout above the approval amount takes two of finance, who say the same; up to it one operator is enough.
func TestLargePayoutTakesTwo(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	if err := bench.Seed(t.Context(), i.db.Pool, 3, os.Stderr); err != nil {
		t.Fatal(err)
	}
	_, err := i.db.Pool.Exec(t.Context(), `
		INSERT INTO results (bar_code, decided_at, status, ext_status, amount_out, state, attention, reason, callback_id, received_at)
		SELECT bet_code, now(), 2, 0, 150000, 'parked', 'parked', 'more than the coupon can win', gen_random_uuid(), now() FROM coupons ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(id int, payout, role string) (code int, out string) {
		t.Helper()
		return i.evens(t, "results", "apply", fmt.Sprint(id), "--comment", "agreed", "--operator", role+"@example.com", "--payout", payout)
	}
	paid := func(id int) int {
		t.Helper()
		return i.count(t, fmt.Sprintf(`SELECT payout FROM coupons ORDER BY id OFFSET %d LIMIT 1`, id-1))
	}
	if code, out := apply(1, "500", "operator"); code != 0 || paid(1) != 5_000_000 {
		t.Errorf("up to the approval amount: %d %s, paid %d", code, out, paid(1))
	}
	if code, _ := apply(2, "500.0001", "operator"); code == 0 || i.count(t, `SELECT count(*) FROM approvals`) != 0 {
		t.Error("an operator proposed more than the approval amount")
	}
	for _, step := range []struct {
		role, payout string
		code, paid   int
	}{
		{"finance", "5000000", 1, 0}, {"finance", "5000000", 1, 0}, {"admin", "5000001", 1, 0}, {"operator", "5000000", 1, 0}, {"viewer", "5000000", 1, 0},
		{"admin", "5000000", 0, 50_000_000_000}, {"admin", "5000000", 1, 50_000_000_000},
	} {
		if code, out := apply(2, step.payout, step.role); code != step.code || paid(2) != step.paid {
			t.Errorf("%s pays %s: %d %s, paid %d, want %d, paid %d", step.role, step.payout, code, out, paid(2), step.code, step.paid)
		}
	}
	if n := i.count(t, `SELECT count(*) FROM activity_log WHERE event IN ('approval.proposed', 'approval.given') AND detail->>'subject' = 'result 2'`); n != 3 {
		t.Errorf("%d lines of approvals in the activity log, want 3", n)
	}
	if code, out := i.evens(t, "results", "apply", "3", "--comment", "as they say", "--operator", "operator@example.com"); code != 0 || paid(3) != 150_000 {
		t.Errorf("as the result says: %d %s, paid %d", code, out, paid(3))
	}
	i.clean(t)
}

// The life of an operator on the command line.
func TestOperatorsByHand(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	does := func(part, stdin string, args ...string) {
		t.Helper()
		if code, out, errors := i.told(t, stdin, append([]string{"operator"}, args...)...); code != 0 || !strings.Contains(out, part) {
			t.Errorf("%v: %d %s%s, want %q", args, code, out, errors, part)
		}
	}
	fails := func(part, stdin string, args ...string) {
		t.Helper()
		if code, out, errors := i.told(t, stdin, append([]string{"operator"}, args...)...); code == 0 || !strings.Contains(errors, part) {
			t.Errorf("%v: %d %s%s, want an error with %q", args, code, out, errors, part)
		}
	}
	does("may log in as admin", "first password\n", "create", "--email", "ann@example.com", "--role", "admin")
	does("may log in as viewer", "first password\nsecond password\n", "create", "--email", "bob@example.com", "--role", "viewer", "--operator", "ann@example.com")
	fails("not allowed", "second password\nthird password\n", "create", "--email", "eve@example.com", "--role", "admin", "--operator", "bob@example.com")
	fails("10 to 128", "short\n", "create", "--email", "eve@example.com", "--role", "admin")
	fails("nothing on standard input", "", "passwd", "bob@example.com")
	does("finance now", "", "role", "bob@example.com", "finance")
	does("viewer now", "", "role", "--email", "bob@example.com", "--role", "viewer")
	does("finance now", "", "role", "--email", "bob@example.com", "finance")
	fails("not a role", "", "role", "bob@example.com", "king")
	fails("one role", "", "role", "bob@example.com")
	fails("name one operator", "", "disable")
	does("disabled", "", "disable", "--email", "bob@example.com")
	does("disabled 20", "", "list")
	fails("wrong e-mail, password or code", "second password\n", "create", "--email", "x@example.com", "--role", "viewer", "--operator", "bob@example.com")
	does("enabled", "", "enable", "bob@example.com")
	does("new password", "another password\n", "passwd", "bob@example.com")
	does("otpauth://totp/Evens:bob@example.com", "", "totp", "bob@example.com")
	does("without a code", "", "totp", "bob@example.com", "--off")
	fails("no such operator", "", "disable", "nobody@example.com")
	if n := i.count(t, `SELECT count(*) FROM activity_log WHERE event = 'operator.created' AND operator = 'ann@example.com'`); n != 1 {
		t.Errorf("%d operators were made by ann", n)
	}
	if n := i.count(t, `SELECT count(*) FROM activity_log WHERE event = 'operator.created' AND operator LIKE 'command line: %@%'`); n != 1 {
		t.Errorf("%d operators were made by nobody who was named", n)
	}
}

// Old keys keep what they had, and the list says so.
func TestListOfKeysNamesWhatOldOnesKeep(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	for _, name := range []string{"old", "young"} {
		if code, out := i.evens(t, "apikey", "create", "--name", name, "--scope", "players,coupons"); code != 0 || !strings.HasPrefix(out, "evk_") {
			t.Fatalf("create: %d %s", code, out)
		}
	}
	if _, err := i.db.Pool.Exec(t.Context(), `UPDATE api_keys SET scope_rules = 1 WHERE name = 'old'`); err != nil {
		t.Fatal(err)
	}
	_, out := i.evens(t, "apikey", "list")
	if lines := strings.Split(out, "\n"); !strings.Contains(lines[1], "older key: also tokens, wallet events") || strings.Contains(lines[2], "older key") {
		t.Errorf("list:\n%s", out)
	}
}

// What a demo made opens nothing when it has ended, on servers that were given too.
func TestDemoLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	cfg := Config{DatabaseURL: i.runtimeURL, RedisURL: i.redisURL}
	var cli commandLine
	parser, err := newParser(&cli)
	if err == nil {
		_, err = parser.Parse([]string{"--database-url", cfg.DatabaseURL, "--redis-url", cfg.RedisURL, "--log-level", "error", "version"})
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), &cli.Config, role{name: "evens-demo"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	_, key, err := s.keys.Create(t.Context(), "demo-1", access.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	s.endDemo("demo-1") // before it had a login
	if _, err := s.keys.Resolve(t.Context(), key); err == nil {
		t.Error("the key stayed valid")
	}
	if _, _, err := s.keys.Create(t.Context(), "demo-2", access.Scopes()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.operators.Create(t.Context(), demoOperator("demo-2"), access.Admin, operatorPassword); err != nil {
		t.Fatal(err)
	}
	s.endDemo("demo-2")
	if _, err := s.operators.Login(t.Context(), access.Attempt{Email: demoOperator("demo-2"), Password: operatorPassword}); err == nil {
		t.Error("the login stayed valid")
	}
}
