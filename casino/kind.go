package casino

import (
	"errors"
	"net/netip"
	"strings"

	"evens/internal/source"
	"evens/player"
)

// Kind is a game platform as it is known before it is configured. Each package below this one has one, and all that
// is done with platforms by name is done with a list of them.
type Kind struct {
	// Name is how it is called in paths, settings, books and files; see [Platform].
	Name string
	// Listed is a win as a list or a file of the platform tells of it, under the key that their own call has; false
	// where that is not enough to make it.
	Listed func(id, round string) (Win, bool)
	// Closes says that the platform tells when a round is over.
	Closes bool
}

// Settings are a platform's own: a pointer to a struct whose fields are options of the command line, each named
// NAME-…, with the variable EVENS_NAME_…
type Settings interface {
	// Address is the option that says where the platform's API is; "" switches the platform off.
	Address() *string
	// Check names the variable of every setting that is wrong, or that a platform which is on lacks.
	Check(problem Problem)
	// Door is what keeps strangers out of a platform whose calls carry no signature; nil where they carry one.
	Door() *Door
	// Open returns the platform. Its settings have been checked, and its address is set.
	Open(parts Parts) (Platform, error)
}

// Problem is told of a setting that is wrong, by the name of its variable.
type Problem func(variable string, err error)

// Parts are what a platform works with.
type Parts struct {
	Floor    *Floor
	Sessions *Sessions
	Notices  *Notices
	Players  *player.Registry
}

// Door is what keeps strangers from making a platform's calls where those are not signed.
type Door struct {
	Secret        string // a segment of the path behind /casino/NAME
	Allow         []netip.Prefix
	SecretSetting string // their variables
	AllowSetting  string
}

// Checked is told of no problem: settings that are read again have been checked.
func Checked(string, error) {}

var errNeeded = errors.New("is needed where its platform's address is set")

// Need tells of a setting that is empty and must not be.
func Need(variable, value string, problem Problem) {
	if value == "" {
		problem(variable, errNeeded)
	}
}

// Allow reads networks and single addresses, and tells of each that is none.
func Allow(variable string, texts []string, problem Problem) (allow []netip.Prefix) {
	for _, text := range texts {
		prefix, err := source.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			problem(variable, err)
			continue
		}
		allow = append(allow, prefix)
	}
	return allow
}
