package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"evens/casino"
	"evens/internal/rate"
	"evens/money"
	"evens/money/threshold"
	"evens/reconcile"
	"evens/wallet/campaign"
)

// settings are the parts of Config that need parsing. Those of parts that are not used stay empty.
type settings struct {
	nominal     money.Amount // 0: the player's stake is sent
	allow       []netip.Prefix
	proxies     []netip.Prefix
	bounds      map[string]rate.Rule // of calls, by setting
	guardAmount threshold.Sums
	approval    threshold.Sums // of adjustments
	policy      reconcile.Policy
	campaigns   *campaign.Book
	publicURL   string
	remoteHost  string // where BeT posts results
	resultPath  string

	nominalCurrency money.Currency // "": each coupon's
}

// parse reads all that kong cannot, and names every setting that is wrong.
func (c *Config) parse() (settings, error) { return c.read(use{parts: usesEverything}) }

// read reads the settings that are used, and names every one that is wrong.
func (c *Config) read(u use) (settings, error) {
	s := settings{campaigns: &campaign.Book{}}
	var problems []error
	problem := func(name string, err error) { problems = append(problems, fmt.Errorf("%s: %w", name, err)) }
	if u.has(usesDatabase) && c.StopTimeout < shortestStop {
		problem("EVENS_STOP_TIMEOUT", fmt.Errorf("must be at least %s", shortestStop))
	}
	c.readSums(u, &s, problem)
	if u.has(usesCampaigns) {
		if file, err := readCampaigns(c.Campaigns); err != nil {
			problem("EVENS_CAMPAIGNS", err)
		} else {
			s.campaigns = file
		}
	}
	if u.has(usesLimitRaise) && c.LimitRaiseAfter <= 0 {
		problem("EVENS_LIMIT_RAISE_AFTER", errors.New("must be above zero"))
	}
	if u.has(usesBookmaker) {
		c.readBookmaker(&s, problem)
	}
	for _, p := range c.used(u) {
		p.settings.Check(problem)
	}
	if u.has(usesServices) {
		c.readServices(&s, problem)
	}
	return s, errors.Join(problems...)
}

// used are the platforms whose settings are read.
func (c *Config) used(u use) []offered {
	if !u.has(usesPlatforms) {
		return nil
	}
	if u.provider == "" {
		return c.platforms
	}
	one, known := c.platform(u.provider)
	if !known {
		return nil
	}
	return []offered{one}
}

// readSums reads the sums that stand for others in other currencies, and the policy with its own.
func (c *Config) readSums(u use, s *settings, problem casino.Problem) {
	if !u.has(usesGuard | usesApproval | usesPolicy) {
		return
	}
	rates, err := readRates(c.RatesFile)
	if err != nil {
		problem("EVENS_RATES_FILE", err)
	}
	if u.has(usesGuard) {
		if s.guardAmount, err = threshold.Parse(c.GuardAmount); err != nil {
			problem("EVENS_GUARD_AMOUNT", err)
		}
		s.guardAmount = s.guardAmount.By(rates)
		if c.GuardCount < 0 {
			problem("EVENS_GUARD_COUNT", errors.New("must not be below zero"))
		}
	}
	if u.has(usesApproval) {
		if s.approval, err = threshold.Parse(c.AdjustApproval); err != nil {
			problem("EVENS_ADJUST_APPROVAL", err)
		}
		s.approval = s.approval.By(rates)
	}
	if u.has(usesPolicy) {
		if s.policy, err = c.readPolicy(); err != nil {
			problem("EVENS_RECONCILE_POLICY", err)
		}
		s.policy = s.policy.By(rates)
	}
}

// readBookmaker reads BeT's settings, and where BeT reaches us.
func (c *Config) readBookmaker(s *settings, problem casino.Problem) {
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
	if c.BetURL != "" && (c.BetLogin == "" || c.BetPassword == "") {
		problem("EVENS_BET_URL", errors.New("needs EVENS_BET_LOGIN and EVENS_BET_PASSWORD"))
	}
	s.allow = casino.Allow("EVENS_BET_RESULT_ALLOW", c.BetResultAllow, problem)
	s.publicURL = strings.TrimRight(cmp.Or(c.PublicURL, c.scheme()+c.Listen), "/")
	s.remoteHost, s.resultPath = s.publicURL, "/api/bet/result"
	if secret := strings.Trim(c.BetResultSecret, "/"); secret != "" {
		if strings.ContainsAny(secret, " {}?#") {
			problem("EVENS_BET_RESULT_SECRET", errors.New("must be a plain path segment"))
		}
		s.remoteHost += "/" + secret
		s.resultPath = "/" + secret + s.resultPath
	}
}

// readServices reads what listeners, workers and the clock go by.
func (c *Config) readServices(s *settings, problem casino.Problem) {
	for name, address := range map[string]string{"EVENS_LISTEN": c.Listen, "EVENS_OPS_LISTEN": c.OpsListen} {
		if strings.TrimSpace(address) == "" { // the system would choose every address and any port
			problem(name, errors.New("is empty: name an address and a port, or leave it away"))
		}
	}
	s.proxies = casino.Allow("EVENS_TRUSTED_PROXIES", c.TrustedProxies, problem)
	if slices.ContainsFunc(s.proxies, everybody) {
		problem("EVENS_TRUSTED_PROXIES", errEverybody)
	}
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

// readPolicy reads what heals by itself; the default holds where there is no file.
func (c *Config) readPolicy() (reconcile.Policy, error) {
	if c.ReconcilePolicy == "" {
		return reconcile.Policy{}, nil
	}
	f, err := os.Open(c.ReconcilePolicy)
	if err != nil {
		return reconcile.Policy{}, err
	}
	defer func() { _ = f.Close() }() // only read
	return reconcile.ReadPolicy(f, reconcile.Providers(c.kinds()))
}
