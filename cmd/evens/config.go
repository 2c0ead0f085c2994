package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"
)

// Config is every setting that commands share. Each is a flag and a variable EVENS_<NAME>; EVENS_<NAME>_FILE reads it
// from a file. The tag part names the parts that read it: a command that uses none of them does not.
type Config struct {
	DatabaseURL      string   `help:"PostgreSQL to use; private server when empty." placeholder:"URL" part:"database"`
	DatabaseOwnerURL string   `help:"The same database as the role that owns its tables, for migrations; database-url when empty." placeholder:"URL" part:"database"`
	RedisURL         string   `help:"Redis to use: redis, rediss, redis-sentinel or redis-cluster; private server when empty." placeholder:"URL" part:"wallet"`
	DataDir          string   `help:"Where private servers keep their data." default:"./.evens" part:"database"`
	Listen           string   `help:"Public API and callbacks." default:"127.0.0.1:8080" part:"services,bookmaker"`
	OpsListen        string   `help:"Console, queue dashboard, metrics, health." default:"127.0.0.1:8081" part:"services"`
	PublicURL        string   `help:"How providers reach the public listener; http:// and the listen address when empty." placeholder:"URL" part:"services,bookmaker"`
	AllowUnsigned    bool     `help:"Serve providers whose calls carry no signature without a secret in their path or an allow-list." part:"services"`
	TrustedProxies   []string `help:"CIDRs of our own proxies: X-Forwarded-For counts from them alone." placeholder:"CIDR" part:"services"`
	TLSCertFile      string   `name:"tls-cert-file" help:"TLS certificate of the public listener, PEM; read anew when it changes." placeholder:"FILE" part:"services,bookmaker"`
	TLSKeyFile       string   `name:"tls-key-file" help:"Its key." placeholder:"FILE" part:"services"`
	OpsTLSCertFile   string   `name:"ops-tls-cert-file" help:"TLS certificate of the operators' listener." placeholder:"FILE" part:"services"`
	OpsTLSKeyFile    string   `name:"ops-tls-key-file" help:"Its key." placeholder:"FILE" part:"services"`

	Connections          int `help:"Connections that a listener has open at once; no bound when 0." default:"8192" part:"services"`
	ConnectionsPerSource int `help:"The same of one address, or one IPv6 /64; proxies have no bound of their own." default:"2500" part:"services"`

	RateSource      string `help:"Calls of /v1 a second, and at once after a pause, from one address; 0 for no bound." default:"2500/5000" part:"services"`
	RateKey         string `help:"The same with one API key." default:"1500/3000" part:"services"`
	RatePlayer      string `help:"The same with one player's tokens." default:"100/1000" part:"services"`
	RatePlaceKey    string `help:"Placements with one API key." default:"500/1500" part:"services"`
	RatePlacePlayer string `help:"Placements with one player's tokens." default:"5/200" part:"services"`

	Streams          int `help:"Event streams that a process has open at once." default:"4000" part:"services"`
	StreamsPerKey    int `help:"The same with one API key." default:"1000" part:"services"`
	StreamsPerPlayer int `help:"The same with one player's tokens." default:"16" part:"services"`

	MetricsToken string `help:"A bearer that /metrics asks for; none when empty." part:"services"`
	LogLevel     string `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error" part:"database"`
	LogFormat    string `help:"text or json." default:"text" enum:"text,json" part:"database"`

	OperatorPasswordFile string `help:"A file with the password of the operator that a command names, and a code on its second line." placeholder:"FILE" part:"password"`

	BetURL          string        `help:"BeT's HOST_API; off when empty." placeholder:"URL" part:"bookmaker"`
	BetLogin        string        `help:"BeT partner user." part:"bookmaker"`
	BetPassword     string        `help:"BeT partner user's password." part:"bookmaker"`
	BetTimeout      time.Duration `help:"How long one call to BeT may take." default:"5s" part:"bookmaker"`
	BetStakeMode    string        `help:"real sends the player's stake to BeT, nominal a fixed sum." default:"real" enum:"real,nominal" part:"bookmaker"`
	BetNominal      string        `help:"The fixed sum, in major units." default:"1000" part:"bookmaker"`
	BetResultAllow  []string      `help:"CIDRs that may post results; any when empty." placeholder:"CIDR" part:"bookmaker"`
	BetResultSecret string        `help:"Path prefix under which alone results are taken." part:"bookmaker"`
	BetConfirmGrace time.Duration `help:"After how long the stake of an unconfirmed coupon goes back." default:"15m" part:"bookmaker"`

	BetNominalCurrency string `help:"The fixed sum's currency; each coupon's own when empty." placeholder:"ISO" part:"bookmaker"`

	kong.Plugins // the platforms' settings
	platforms    []offered

	CashierSecret string `help:"HMAC key of the payment gateway's callbacks; off when empty." part:"services"`

	StakeOrder      string        `help:"Which pocket pays a stake first: cash-first or bonus-first." default:"cash-first" enum:"cash-first,bonus-first" part:"stake-order"`
	Campaigns       string        `help:"A YAML file with the bonuses that are offered." placeholder:"FILE" part:"campaigns"`
	LimitRaiseAfter time.Duration `help:"How long a player waits for a limit to be higher, or gone." default:"24h" part:"limit-raise"`
	AdjustApproval  string        `help:"Adjustments above this, either way, need a second person: US dollars' worth, or a sum for each currency (USD=500,VND=12000000)." default:"500" part:"approval"`

	ReconcilePolicy string `help:"A YAML file that says which differences heal by themselves." placeholder:"FILE" part:"policy"`

	SweepInterval     time.Duration `help:"How often lost work is looked for; whole seconds." default:"15s" part:"services"`
	GuardCount        int64         `help:"More payouts than this taken back by one push or in one hour wait for a person." default:"1000" part:"guard"`
	GuardAmount       string        `help:"As guard-count, by amount in one currency: US dollars' worth, or a sum for each currency." default:"100000" part:"guard"`
	RatesFile         string        `help:"A YAML file of rough rates, by which US dollars' worth is counted in other currencies; the shipped table when empty." placeholder:"FILE" part:"approval,guard,policy"`
	WorkerConcurrency int           `help:"Jobs at once in one worker." default:"6" part:"services"`
	KeepCallbacks     time.Duration `help:"How long raw callback bodies are kept." default:"2160h" part:"services"`
	KeepStatements    time.Duration `help:"How long lines and pages of others' lists are kept." default:"840h" part:"services"`
	KeepEnded         time.Duration `help:"How long game sessions, job failures and the like are kept once they have ended." default:"9600h" part:"services"`
	StopTimeout       time.Duration `help:"Within how long a process ends after SIGTERM, SIGINT or SIGHUP." default:"40s" part:"database"`
}

// shortestStop is the least time that a process may be given to end.
const shortestStop = 2 * time.Second

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
