package main

import (
	"fmt"
	"time"

	"evens/jobs/retention"
)

// What is younger is still worked with: a closing reads the lists of its day, a late win its game's session.
const (
	leastStatements = 7 * 24 * time.Hour
	leastEnded      = 7 * 24 * time.Hour
)

// keep is for how long rows are kept.
func (c *Config) keep() retention.Times {
	return retention.Times{Callbacks: c.KeepCallbacks, Statements: c.KeepStatements, Ended: c.KeepEnded}
}

func (c *Config) checkKeep(problem func(name string, err error)) {
	for _, one := range []struct {
		name        string
		keep, least time.Duration
	}{
		{"EVENS_KEEP_STATEMENTS", c.KeepStatements, leastStatements},
		{"EVENS_KEEP_ENDED", c.KeepEnded, leastEnded},
	} {
		if one.keep != 0 && one.keep < one.least { // 0: the default
			problem(one.name, fmt.Errorf("must be at least %s", one.least))
		}
	}
}
