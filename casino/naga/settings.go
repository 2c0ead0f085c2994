package naga

import "evens/casino"

// Settings are Naga Games'.
type Settings struct {
	URL        string   `name:"naga-url" help:"Naga Games' API; off when empty." placeholder:"URL"`
	APIKey     string   `name:"naga-api-key" help:"Naga Games' API key, for their bet history."`
	GroupCode  string   `name:"naga-group-code" help:"Naga Games' group code."`
	BrandCode  string   `name:"naga-brand-code" help:"Naga Games' brand code."`
	PublicKey  string   `name:"naga-public-key" help:"Naga Games' public key in PEM: verifies their calls."`
	SignedOver string   `name:"naga-signed-over" help:"What their signature covers: data or dataHash." default:"data" enum:"data,dataHash"`
	Allow      []string `name:"naga-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`
}

// Address implements casino.Settings.
func (s *Settings) Address() *string { return &s.URL }

// Check implements casino.Settings.
func (s *Settings) Check(problem casino.Problem) {
	casino.Allow("EVENS_NAGA_ALLOW", s.Allow, problem)
	if s.URL == "" {
		return
	}
	casino.Need("EVENS_NAGA_GROUP_CODE", s.GroupCode, problem)
	casino.Need("EVENS_NAGA_BRAND_CODE", s.BrandCode, problem)
	casino.Need("EVENS_NAGA_PUBLIC_KEY", s.PublicKey, problem)
	if s.PublicKey != "" {
		if _, err := ParsePublicKey(s.PublicKey); err != nil {
			problem("EVENS_NAGA_PUBLIC_KEY", err)
		}
	}
}

// Door implements casino.Settings: their calls are signed.
func (s *Settings) Door() *casino.Door { return nil }

// Open implements casino.Settings.
func (s *Settings) Open(parts casino.Parts) (casino.Platform, error) {
	key, err := ParsePublicKey(s.PublicKey)
	if err != nil {
		return nil, err
	}
	return New(Config{
		URL: s.URL, APIKey: s.APIKey, GroupCode: s.GroupCode, BrandCode: s.BrandCode, PublicKey: key, SignedOver: s.SignedOver,
		Allow: casino.Allow("", s.Allow, casino.Checked),
	}, parts.Floor, parts.Sessions)
}
