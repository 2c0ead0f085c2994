package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// equivalents reads the faults that change nothing that anybody could see, each with its reason:
//
//	file | kind | what | reason
//
// A line that fits no fault any more is an error: what it spoke of is gone.
func equivalents(path string, all []*fault) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	there := map[string]bool{}
	for _, f := range all {
		there[f.name()] = true
	}
	reasons := map[string]string{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " | ")
		if at < 0 || strings.Count(line, " | ") < 3 {
			return nil, fmt.Errorf("%s:%d: not file | kind | what | reason", path, n)
		}
		name, reason := line[:at], strings.TrimSpace(line[at+3:])
		if !there[name] {
			return nil, fmt.Errorf("%s:%d: no such fault any more: %s", path, n, name)
		}
		if reason == "" {
			return nil, fmt.Errorf("%s:%d: no reason", path, n)
		}
		reasons[name] = reason
	}
	return reasons, lines.Err()
}
