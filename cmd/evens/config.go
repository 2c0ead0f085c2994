package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"evens/internal/rate"
	"evens/money"
	"evens/money/threshold"
	"evens/wallet/campaign"
)

// Config is every setting that the long-running commands share. Each is a flag and a variable
// EVENS_<NAME>; EVENS_<NAME>_FILE reads it from a file.
type Config struct {
	DatabaseURL      string   `help:"PostgreSQL to use; private server when empty." placeholder:"URL"`
	DatabaseOwnerURL string   `help:"The same database as the role that owns its tables, for migrations; database-url when empty." placeholder:"URL"`
	RedisURL         string   `help:"Redis to use: redis, rediss, redis-sentinel or redis-cluster; private server when empty." placeholder:"URL"`
	DataDir          string   `help:"Where private servers keep their data." default:"./.evens"`
	Listen           string   `help:"Public API and callbacks." default:"127.0.0.1:8080"`
	OpsListen        string   `help:"Console, queue dashboard, metrics, health." default:"127.0.0.1:8081"`
	PublicURL        string   `help:"How providers reach the public listener; http:// and the listen address when empty." placeholder:"URL"`
	AllowUnsigned    bool     `help:"Serve providers whose calls carry no signature without a secret in their path or an allow-list."`
	TrustedProxies   []string `help:"CIDRs of our own proxies: X-Forwarded-For counts from them alone." placeholder:"CIDR"`
	TLSCertFile      string   `name:"tls-cert-file" help:"TLS certificate of the public listener, PEM; read anew when it changes." placeholder:"FILE"`
	TLSKeyFile       string   `name:"tls-key-file" help:"Its key." placeholder:"FILE"`
	OpsTLSCertFile   string   `name:"ops-tls-cert-file" help:"TLS certificate of the operators' listener." placeholder:"FILE"`
	OpsTLSKeyFile    string   `name:"ops-tls-key-file" help:"Its key." placeholder:"FILE"`

	Connections          int `help:"Connections that a listener has open at once; no bound when 0." default:"8192"`
	ConnectionsPerSource int `help:"The same of one address, or one IPv6 /64; proxies have no bound of their own." default:"2500"`

	RateSource      string `help:"Calls of /v1 a second, and at once after a pause, from one address; 0 for no bound." default:"2500/5000"`
	RateKey         string `help:"The same with one API key." default:"1500/3000"`
	RatePlayer      string `help:"The same with one player's tokens." default:"100/1000"`
	RatePlaceKey    string `help:"Placements with one API key." default:"500/1500"`
	RatePlacePlayer string `help:"Placements with one player's tokens." default:"5/200"`

	Streams          int `help:"Event streams that a process has open at once." default:"4000"`
	StreamsPerKey    int `help:"The same with one API key." default:"1000"`
	StreamsPerPlayer int `help:"The same with one player's tokens." default:"16"`

	MetricsToken string `help:"A bearer that /metrics asks for; none when empty."`
	LogLevel     string `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
	LogFormat    string `help:"text or json." default:"text" enum:"text,json"`

	OperatorPasswordFile string `help:"A file with the password of the operator that a command names, and a code on its second line." placeholder:"FILE"`

	BetURL          string        `help:"BeT's HOST_API; off when empty." placeholder:"URL"`
	BetLogin        string        `help:"BeT partner user."`
	BetPassword     string        `help:"BeT partner user's password."`
	BetTimeout      time.Duration `help:"How long one call to BeT may take." default:"5s"`
	BetStakeMode    string        `help:"real sends the player's stake to BeT, nominal a fixed sum." default:"real" enum:"real,nominal"`
	BetNominal      string        `help:"The fixed sum, in major units." default:"1000"`
	BetResultAllow  []string      `help:"CIDRs that may post results; any when empty." placeholder:"CIDR"`
	BetResultSecret string        `help:"Path prefix under which alone results are taken."`
	BetConfirmGrace time.Duration `help:"After how long the stake of an unconfirmed coupon goes back." default:"15m"`

	BetNominalCurrency string `help:"The fixed sum's currency; each coupon's own when empty." placeholder:"ISO"`

	BetaoURL       string   `help:"Betao's API; off when empty." placeholder:"URL"`
	BetaoAPIKey    string   `name:"betao-api-key" help:"Betao's API key."`
	BetaoSecretKey string   `help:"Betao's secret key: signs both ways."`
	BetaoAllow     []string `help:"CIDRs that may call; any when empty." placeholder:"CIDR"`

	BetronURL        string   `help:"BetronTech's API; off when empty." placeholder:"URL"`
	BetronAgentCode  string   `help:"BetronTech's agent code."`
	BetronAgentToken string   `help:"BetronTech's agent token."`
	BetronSecretKey  string   `help:"BetronTech's agent secret key."`
	BetronPathSecret string   `help:"Path segment behind /casino/betron: their calls carry no signature."`
	BetronCurrency   string   `help:"The agent's currency; players in another are refused. Each player's own when empty."`
	BetronAllow      []string `help:"CIDRs that may call; any when empty." placeholder:"CIDR"`

	TgURL          string   `name:"tg-url" help:"TG's API; off when empty." placeholder:"URL"`
	TgAgentID      string   `name:"tg-agent-id" help:"TG's agent id."`
	TgKey          string   `name:"tg-key" help:"TG's API key: 64 hex digits, or 32 bytes in base64."`
	TgSecretKey    string   `name:"tg-secret-key" help:"TG's secret key, for their sign-on only."`
	TgOldSignature bool     `name:"tg-old-signature" help:"Sign our calls as TG's older documents have it."`
	TgJackpotApart bool     `name:"tg-jackpot-apart" help:"TG's winAmt does not include jackpotWin."`
	TgAllow        []string `name:"tg-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`

	NagaURL        string   `help:"Naga Games' API; off when empty." placeholder:"URL"`
	NagaAPIKey     string   `name:"naga-api-key" help:"Naga Games' API key, for their bet history."`
	NagaGroupCode  string   `help:"Naga Games' group code."`
	NagaBrandCode  string   `help:"Naga Games' brand code."`
	NagaPublicKey  string   `help:"Naga Games' public key in PEM: verifies their calls."`
	NagaSignedOver string   `help:"What their signature covers: data or dataHash." default:"data" enum:"data,dataHash"`
	NagaAllow      []string `help:"CIDRs that may call; any when empty." placeholder:"CIDR"`

	CashierSecret string `help:"HMAC key of the payment gateway's callbacks; off when empty."`

	StakeOrder      string        `help:"Which pocket pays a stake first: cash-first or bonus-first." default:"cash-first" enum:"cash-first,bonus-first"`
	Campaigns       string        `help:"A YAML file with the bonuses that are offered." placeholder:"FILE"`
	LimitRaiseAfter time.Duration `help:"How long a player waits for a limit to be higher, or gone." default:"24h"`
	AdjustApproval  string        `help:"Adjustments above this, either way, need a second person: US dollars' worth, or a sum for each currency (USD=500,VND=12000000)." default:"500"`

	ReconcilePolicy string `help:"A YAML file that says which differences heal by themselves." placeholder:"FILE"`

	SweepInterval     time.Duration `help:"How often lost work is looked for; whole seconds." default:"15s"`
	GuardCount        int64         `help:"More payouts than this taken back by one push or in one hour wait for a person." default:"1000"`
	GuardAmount       string        `help:"As guard-count, by amount in one currency: US dollars' worth, or a sum for each currency." default:"100000"`
	RatesFile         string        `help:"A YAML file of rough rates, by which US dollars' worth is counted in other currencies; the shipped table when empty." placeholder:"FILE"`
	WorkerConcurrency int           `help:"Jobs at once in one worker." default:"6"`
	KeepCallbacks     time.Duration `help:"How long raw callback bodies are kept." default:"2160h"`
	KeepStatements    time.Duration `help:"How long lines and pages of others' lists are kept." default:"840h"`
	KeepEnded         time.Duration `help:"How long game sessions, job failures and the like are kept once they have ended." default:"9600h"`
	StopTimeout       time.Duration `help:"Within how long a process ends after SIGTERM, SIGINT or SIGHUP." default:"40s"`
}

// shortestStop is the least time that a process may be given to end.
const shortestStop = 2 * time.Second

// settings are the parts of Config that need parsing.
type settings struct {
	nominal     money.Amount // 0: the player's stake is sent
	allow       []netip.Prefix
	proxies     []netip.Prefix
	bounds      map[string]rate.Rule // of calls, by setting
	guardAmount threshold.Sums
	approval    threshold.Sums // of adjustments
	rates       *threshold.Rates
	campaigns   *campaign.Book
	publicURL   string
	remoteHost  string // where BeT posts results
	resultPath  string
	platforms   platformSettings

	nominalCurrency money.Currency // "": each coupon's
}

// parse reads what kong cannot, and names every setting that is wrong.
func (c *Config) parse() (settings, error) {
	var s settings
	var problems []error
	problem := func(name string, err error) {
		problems = append(problems, fmt.Errorf("%s: %w", name, err))
	}
	if c.BetStakeMode == "nominal" {
		nominal, err := money.Parse(c.BetNominal)
		if err != nil || nominal <= 0 {
			problem("EVENS_BET_NOMINAL", cmp.Or(err, errors.New("must be above zero")))
		}
		s.nominal = nominal
		if c.BetNominalCurrency != "" {
			if s.nominalCurrency, err = money.ParseCurrency(c.BetNominalCurrency); err != nil {
				problem("EVENS_BET_NOMINAL_CURRENCY", err)
			}
		}
	}
	for name, address := range map[string]string{"EVENS_LISTEN": c.Listen, "EVENS_OPS_LISTEN": c.OpsListen} {
		if strings.TrimSpace(address) == "" { // the system would choose every address and any port
			problem(name, errors.New("is empty: name an address and a port, or leave it away"))
		}
	}
	if c.StopTimeout < shortestStop {
		problem("EVENS_STOP_TIMEOUT", fmt.Errorf("must be at least %s", shortestStop))
	}
	var err error
	if s.rates, err = readRates(c.RatesFile); err != nil {
		problem("EVENS_RATES_FILE", err)
	}
	if s.guardAmount, err = threshold.Parse(c.GuardAmount); err != nil {
		problem("EVENS_GUARD_AMOUNT", err)
	}
	if s.approval, err = threshold.Parse(c.AdjustApproval); err != nil {
		problem("EVENS_ADJUST_APPROVAL", err)
	}
	s.guardAmount, s.approval = s.guardAmount.By(s.rates), s.approval.By(s.rates)
	if c.GuardCount < 0 {
		problem("EVENS_GUARD_COUNT", errors.New("must not be below zero"))
	}
	if s.campaigns, err = readCampaigns(c.Campaigns); err != nil {
		problem("EVENS_CAMPAIGNS", err)
	}
	if c.LimitRaiseAfter <= 0 {
		problem("EVENS_LIMIT_RAISE_AFTER", errors.New("must be above zero"))
	}
	s.allow = parseAllow("EVENS_BET_RESULT_ALLOW", c.BetResultAllow, problem)
	s.proxies = parseAllow("EVENS_TRUSTED_PROXIES", c.TrustedProxies, problem)
	if slices.ContainsFunc(s.proxies, everybody) {
		problem("EVENS_TRUSTED_PROXIES", errEverybody)
	}
	s.platforms = c.parsePlatforms(problem)
	for name, pair := range map[string][2]string{"EVENS_TLS_": {c.TLSCertFile, c.TLSKeyFile}, "EVENS_OPS_TLS_": {c.OpsTLSCertFile, c.OpsTLSKeyFile}} {
		if (pair[0] == "") != (pair[1] == "") {
			problem(name+"CERT_FILE", errors.New("and "+name+"KEY_FILE go together"))
		}
	}
	s.bounds = c.parseBounds(problem)
	if c.Connections < 0 || c.ConnectionsPerSource < 0 {
		problem("EVENS_CONNECTIONS", errors.New("and EVENS_CONNECTIONS_PER_SOURCE must not be below zero"))
	}
	if c.SweepInterval < time.Second || c.SweepInterval%time.Second != 0 {
		problem("EVENS_SWEEP_INTERVAL", errors.New("must be whole seconds"))
	}
	c.checkKeep(problem)
	if c.BetURL != "" && (c.BetLogin == "" || c.BetPassword == "") {
		problem("EVENS_BET_URL", errors.New("needs EVENS_BET_LOGIN and EVENS_BET_PASSWORD"))
	}
	s.publicURL = strings.TrimRight(cmp.Or(c.PublicURL, c.scheme()+c.Listen), "/")
	s.remoteHost, s.resultPath = s.publicURL, "/api/bet/result"
	if secret := strings.Trim(c.BetResultSecret, "/"); secret != "" {
		if strings.ContainsAny(secret, " {}?#") {
			problem("EVENS_BET_RESULT_SECRET", errors.New("must be a plain path segment"))
		}
		s.remoteHost += "/" + secret
		s.resultPath = "/" + secret + s.resultPath
	}
	return s, errors.Join(problems...)
}

// scheme is how the public listener is reached.
func (c *Config) scheme() string {
	if c.TLSCertFile != "" {
		return "https://"
	}
	return "http://"
}

// readRates reads the file of rough rates; the shipped ones hold where there is no file.
func readRates(path string) (*threshold.Rates, error) {
	if path == "" {
		return threshold.Shipped(), nil
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return threshold.ReadRates(f)
}

// readCampaigns reads the file of campaigns; there are none where there is no file.
func readCampaigns(path string) (*campaign.Book, error) {
	if path == "" {
		return &campaign.Book{}, nil
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return campaign.Read(f)
}

func parseAllow(name string, texts []string, problem func(name string, err error)) (allow []netip.Prefix) {
	for _, text := range texts {
		prefix, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			problem(name, err)
			continue
		}
		allow = append(allow, prefix)
	}
	return allow
}

// parsePrefix takes a CIDR or a single address.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if mapped := 96; err == nil && prefix.Addr().Is4In6() && prefix.Bits() >= mapped { // as sources are told
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	return prefix, err
}

func (c *Config) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
