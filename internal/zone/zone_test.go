package zone_test

import (
	"errors"
	"testing"

	"evens/internal/zone"
)

func TestIANANamesOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "EST", "CET", "GMT"} {
		if at, err := zone.Load(name); err != nil || at.String() != name {
			t.Errorf("Load(%q) = %v, %v", name, at, err)
		}
	}
	for _, name := range []string{
		"", "Local", "localtime", "posix/Asia/Dubai", "right/UTC", "posixrules", "Factory", "PST", "BRT", "CEST", "../etc/passwd",
		"/usr/share/zoneinfo/UTC", "europe/berlin", "UTC\x00", "Mars/Base",
	} {
		if _, err := zone.Load(name); !errors.Is(err, zone.ErrUnknown) {
			t.Errorf("Load(%q) = %v, want ErrUnknown", name, err)
		}
	}
}
