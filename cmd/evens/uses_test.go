package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"evens/internal/testbed"
	"evens/player"
)

// built is the whole command line.
func built(t *testing.T) *kong.Kong {
	t.Helper()
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// Each setting names the parts that read it; a platform's are named after it.
func TestEverySettingSaysWhatReadsIt(t *testing.T) {
	t.Parallel()
	read := make(map[string]bool)
	for _, flag := range built(t).Model.Flags {
		named := flag.Tag.Get("part")
		switch {
		case flag.Name == "help":
		case named == "":
			if !slices.ContainsFunc(shipped, func(p platform) bool { return strings.HasPrefix(flag.Name, p.Name+"-") }) {
				t.Errorf("--%s names no part, and is no platform's", flag.Name)
			}
		default:
			for _, name := range strings.Split(named, ",") {
				read[name] = true
				if partNames[name] == 0 {
					t.Errorf("--%s: there is no part %q", flag.Name, name)
				}
			}
		}
	}
	for name := range partNames {
		if !read[name] {
			t.Errorf("the part %s reads no setting", name)
		}
	}
}

// nonsense is what each setting must not be, where text can be wrong at all.
var nonsense = map[string]string{
	"EVENS_DATABASE_URL": "mysql://nowhere", "EVENS_REDIS_URL": "gopher://nowhere", "EVENS_STOP_TIMEOUT": "1ms", "EVENS_LISTEN": " ",
	"EVENS_OPS_LISTEN": "", "EVENS_TRUSTED_PROXIES": "0.0.0.0/0", "EVENS_TLS_CERT_FILE": "/nowhere/cert.pem", "EVENS_OPS_TLS_KEY_FILE": "/nowhere/key.pem",
	"EVENS_CONNECTIONS": "-1", "EVENS_RATE_SOURCE": "often", "EVENS_RATE_KEY": "often", "EVENS_RATE_PLAYER": "often", "EVENS_RATE_PLACE_KEY": "often",
	"EVENS_RATE_PLACE_PLAYER": "often", "EVENS_STREAMS": "-1", "EVENS_OPERATOR_PASSWORD_FILE": "/nowhere/password", "EVENS_BET_URL": "http://bet.example",
	"EVENS_BET_LOGIN": "", "EVENS_BET_STAKE_MODE": "nominal", "EVENS_BET_NOMINAL": "much", "EVENS_BET_NOMINAL_CURRENCY": "XXXX",
	"EVENS_BET_RESULT_ALLOW": "nowhere", "EVENS_BET_RESULT_SECRET": "two words", "EVENS_BETAO_URL": "http://betao.example", "EVENS_BETAO_ALLOW": "nowhere",
	"EVENS_BETRON_URL": "http://betron.example", "EVENS_BETRON_PATH_SECRET": "two/parts", "EVENS_BETRON_CURRENCY": "XXXX", "EVENS_BETRON_ALLOW": "nowhere",
	"EVENS_TG_URL": "http://tg.example", "EVENS_TG_KEY": "short", "EVENS_TG_ALLOW": "nowhere", "EVENS_NAGA_URL": "http://naga.example",
	"EVENS_NAGA_PUBLIC_KEY": "no key", "EVENS_NAGA_ALLOW": "nowhere", "EVENS_CAMPAIGNS": "/nowhere/campaigns.yml", "EVENS_LIMIT_RAISE_AFTER": "-1s",
	"EVENS_ADJUST_APPROVAL": "much", "EVENS_RECONCILE_POLICY": "/nowhere/policy.yml", "EVENS_SWEEP_INTERVAL": "1ms", "EVENS_GUARD_COUNT": "-1",
	"EVENS_GUARD_AMOUNT": "much", "EVENS_RATES_FILE": "/nowhere/rates.yml",
}

// broken has the environment break every setting that the command does not use: by what it cannot mean, or where
// readable is false, and where any text will do, by what cannot be read.
func broken(t *testing.T, u use, readable bool) (n int) {
	t.Helper()
	for _, flag := range built(t).Model.Flags {
		if len(flag.Envs) == 0 || u.reads(flag) {
			continue
		}
		name := flag.Envs[0]
		value, known := nonsense[name]
		text := flag.Enum == "" && (flag.IsSlice() || flag.Target.Type().String() == "string")
		switch {
		case !text && (!readable || !known):
			value = "#nonsense#"
		case !known || text && !readable:
			name, value = name+"_FILE", "/nowhere/secret"
		}
		t.Setenv(name, value)
		n++
	}
	return n
}

// example is how a test gives a command, and how it ends.
type example struct {
	args string
	code int
}

// examples has each command at least once. ID is an id of nothing, FILE a statement, AS whoever may.
var examples = map[string][]example{
	"up": nil, "api": nil, "worker": nil, "cron": nil, "demo": nil, "bench": nil, // they use everything
	"version": {{"", 0}}, "sim": {{"--sim-listen=127.0.0.1:0 --result-every=0s", 0}}, "mapping": {{"FILE", 0}}, "migrate": {{"", 0}}, "audit": {{"", 0}},
	"results list": {{"", 0}}, "results apply": {{"999 --comment=c AS", 1}}, "results refuse": {{"999 --comment=c AS", 1}},
	"coupon adopt": {{"ID --bet-code=x --comment=c AS", 1}, {"ID --bet-code=x --dry-run", 1}}, "coupon cancel": {{"ID --comment=c AS", 1}, {"ID --dry-run", 1}},
	"reconcile": {
		{"--provider=betron --file=FILE", 1}, {"--provider=cashier --file=FILE", 1}, {"--provider=tg", 1}, {"--provider=bet", 1}, {"--provider=tg --file=FILE --dry-run", 1},
	},
	"breaks list": {{"", 0}}, "breaks show": {{"ID", 1}}, "breaks resolve": {{"ID --comment=c AS", 1}}, "breaks ignore": {{"ID --comment=c AS", 1}},
	"failures": {{"", 0}}, "closing": {{"", 0}}, "player block": {{"ana --comment=c AS", 0}}, "player unblock": {{"ana --comment=c AS", 0}},
	"player close": {{"ana --comment=c AS", 0}}, "player limits": {{"ana", 0}}, "adjust make": {{"--player=ana --amount=1 --comment=c AS", 0}},
	"adjust approve": {{"ID AS", 1}}, "adjust refuse": {{"ID --comment=c AS", 1}}, "adjust list": {{"", 0}}, "bonus list": {{"ana", 0}},
	"bonus forfeit": {{"ana ID --comment=c AS", 1}}, "bonus campaigns": {{"", 0}}, "debts": {{"", 0}}, "suspense list": {{"", 0}},
	"suspense assign": {{"ID --player=ana --comment=c AS", 1}}, "suspense close": {{"ID --as=returned --comment=c AS", 1}},
	"explain coupon": {{"ID", 1}}, "explain player": {{"ana", 0}}, "callback": {{"ID AS", 1}},
	"apikey create": {{"--name=NEW --scope=players AS", 0}}, "apikey list": {{"", 0}}, "apikey revoke": {{"ID AS", 1}},
	"operator list": {{"", 0}}, "operator create": {{"--email=NEW@example.com --role=viewer AS", 0}}, "operator disable": {{"viewer@example.com AS", 0}},
	"operator enable": {{"viewer@example.com AS", 0}}, "operator passwd": {{"viewer@example.com AS", 0}}, "operator role": {{"viewer@example.com operator AS", 0}},
	"operator totp": {{"viewer@example.com AS", 0}},
}

// A command is stopped by no setting that it does not use, whatever is wrong with it, and does what it does without.
func TestNoCommandIsStoppedByWhatItDoesNotUse(t *testing.T) {
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	_, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "list.csv")
	line := "transaction_id,type,player_id,amount,currency,status,at,round_id\nd1,debit,ana,2.00,USD,ok," + time.Now().UTC().Format(time.RFC3339) + ",r\n"
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	var leaves []string
	for _, leaf := range built(t).Model.Leaves(false) {
		words := strings.Fields(leaf.Path())
		path := strings.Join(slices.DeleteFunc(words, func(word string) bool { return strings.HasPrefix(word, "<") || strings.HasPrefix(word, "[") }), " ")
		leaves = append(leaves, path)
		if _, says := leaf.Target.Interface().(command); !says {
			t.Errorf("evens %s does not say what it uses", path)
		}
	}
	if named := slices.Sorted(maps.Keys(examples)); !slices.Equal(named, slices.Sorted(slices.Values(leaves))) {
		t.Errorf("examples are of %q, the commands are %q", named, leaves)
	}
	for _, path := range leaves {
		for _, e := range examples[path] {
			for how, readable := range map[string]bool{"unreadable": false, "meaningless": true} {
				if readable && !slices.Contains([]string{"audit", "explain player", "player block", "adjust make", "reconcile"}, path) {
					continue // five stand for all
				}
				t.Run(path+" "+e.args+" "+how, func(t *testing.T) {
					words := strings.NewReplacer("ID", uuid.NewString(), "FILE", file, "AS", "--operator=admin@example.com", "NEW", "new"+uuid.NewString()).Replace(e.args)
					args := append(strings.Fields(path), strings.Fields(words)...)
					u := useOf(shipped, args)
					if u.has(usesDatabase) {
						args = append(args, "--database-url="+i.runtimeURL, "--log-level=error")
					}
					if u.has(walletAlone) {
						args = append(args, "--redis-url="+i.redisURL)
					}
					if n := broken(t, u, readable); n < 10 {
						t.Fatalf("only %d settings are broken", n)
					}
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					if path == "sim" {
						ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
						defer cancel()
					}
					var out, said bytes.Buffer
					stdin := strings.Repeat(operatorPassword+"\n", 2)
					if code := runWith(ctx, shipped, args, strings.NewReader(stdin), &out, &said); code != e.code || strings.Contains(said.String(), "EVENS_") || strings.Contains(said.String(), "nowhere") {
						t.Errorf("%q: %d, want %d: %s%s", args, code, e.code, &out, &said)
					}
				})
			}
		}
	}
}

// A command that uses a setting is stopped by it, and says which it is.
func TestEachCommandIsStoppedByWhatItUses(t *testing.T) {
	for _, test := range []struct{ args, setting, value string }{
		{"reconcile --provider=tg", "EVENS_TG_ALLOW", "nowhere"}, {"reconcile --provider=tg", "EVENS_RECONCILE_POLICY", "/nowhere"},
		{"reconcile --provider=cashier", "EVENS_CAMPAIGNS", "/nowhere"}, {"reconcile --provider=bet", "EVENS_BET_RESULT_ALLOW", "nowhere"},
		{"reconcile --provider=naga", "EVENS_NAGA_SIGNED_OVER", "other"}, {"reconcile --provider=naga", "EVENS_NAGA_API_KEY_FILE", "/nowhere"},
		{"adjust list", "EVENS_STOP_TIMEOUT", "1ms"}, {"audit", "EVENS_STOP_TIMEOUT", "soon"}, {"bonus campaigns", "EVENS_CAMPAIGNS", "/nowhere"},
		{"suspense close ID --as=returned --comment=c --operator=a", "EVENS_ADJUST_APPROVAL", "much"},
		{"coupon adopt ID --bet-code=x --dry-run", "EVENS_STAKE_ORDER", "bogus"}, {"coupon adopt ID --bet-code=x --dry-run", "EVENS_GUARD_AMOUNT", "much"},
	} {
		t.Run(test.args+" "+test.setting, func(t *testing.T) {
			t.Setenv(test.setting, test.value)
			var said bytes.Buffer
			args := strings.Fields(strings.ReplaceAll(test.args, "ID", uuid.NewString()))
			if code := run(t.Context(), append(args, "--data-dir="+t.TempDir()), strings.NewReader(""), &said, &said); code == 0 || !strings.Contains(said.String(), test.setting) &&
				!strings.Contains(said.String(), strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(test.setting, "EVENS_"), "_", "-"))) && !strings.Contains(said.String(), test.value) {
				t.Errorf("%d: %s", code, &said)
			}
		})
	}
}

// The processes that serve name everything that is wrong at once, before they connect to anything.
func TestServicesNameEverythingThatIsWrong(t *testing.T) {
	named := []string{
		"EVENS_STOP_TIMEOUT", "EVENS_LISTEN", "EVENS_OPS_LISTEN", "EVENS_TRUSTED_PROXIES", "EVENS_TLS_CERT_FILE", "EVENS_OPS_TLS_CERT_FILE", "EVENS_CONNECTIONS",
		"EVENS_RATE_SOURCE", "EVENS_STREAMS", "EVENS_BET_URL", "EVENS_BET_NOMINAL", "EVENS_BET_NOMINAL_CURRENCY", "EVENS_BET_RESULT_ALLOW",
		"EVENS_BET_RESULT_SECRET", "EVENS_BETAO_API_KEY", "EVENS_BETAO_ALLOW", "EVENS_BETRON_AGENT_CODE", "EVENS_BETRON_PATH_SECRET", "EVENS_BETRON_CURRENCY",
		"EVENS_TG_AGENT_ID", "EVENS_TG_KEY", "EVENS_NAGA_BRAND_CODE", "EVENS_NAGA_PUBLIC_KEY", "EVENS_CAMPAIGNS", "EVENS_LIMIT_RAISE_AFTER",
		"EVENS_ADJUST_APPROVAL", "EVENS_RECONCILE_POLICY", "EVENS_SWEEP_INTERVAL", "EVENS_GUARD_COUNT", "EVENS_GUARD_AMOUNT", "EVENS_RATES_FILE",
	}
	for name, value := range nonsense {
		t.Setenv(name, value)
	}
	for _, service := range []string{"up", "api", "worker", "cron"} {
		var said bytes.Buffer
		if code := run(t.Context(), []string{service}, strings.NewReader(""), &said, &said); code != 1 {
			t.Errorf("evens %s: %d, want 1", service, code)
		}
		for _, name := range named {
			if !strings.Contains(said.String(), name+":") {
				t.Errorf("evens %s does not name %s:\n%s", service, name, &said)
			}
		}
		if strings.Contains(said.String(), "short") || strings.Contains(said.String(), "no key") {
			t.Errorf("evens %s shows a key: %s", service, &said)
		}
	}
}
