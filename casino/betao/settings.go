package betao

import "evens/casino"

// Settings are Betao's.
type Settings struct {
	URL       string   `name:"betao-url" help:"Betao's API; off when empty." placeholder:"URL"`
	APIKey    string   `name:"betao-api-key" help:"Betao's API key."`
	SecretKey string   `name:"betao-secret-key" help:"Betao's secret key: signs both ways."`
	Allow     []string `name:"betao-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`
}

// Address implements casino.Settings.
func (s *Settings) Address() *string { return &s.URL }

// Check implements casino.Settings.
func (s *Settings) Check(problem casino.Problem) {
	casino.Allow("EVENS_BETAO_ALLOW", s.Allow, problem)
	if s.URL == "" {
		return
	}
	casino.Need("EVENS_BETAO_API_KEY", s.APIKey, problem)
	casino.Need("EVENS_BETAO_SECRET_KEY", s.SecretKey, problem)
}

// Door implements casino.Settings: their calls are signed.
func (s *Settings) Door() *casino.Door { return nil }

// Open implements casino.Settings.
func (s *Settings) Open(parts casino.Parts) (casino.Platform, error) {
	return New(Config{
		URL: s.URL, APIKey: s.APIKey, SecretKey: s.SecretKey, Allow: casino.Allow("", s.Allow, casino.Checked),
	}, parts.Floor, parts.Notices)
}
