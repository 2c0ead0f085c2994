package servers

import (
	"os"
	"strings"
)

const (
	// logLimit is the size from which a log is put aside at the next start.
	logLimit = 16 << 20
	// tailLines is how much of a log goes into an error.
	tailLines = 15
)

// logMark remembers where in a log a start begins, so that an error quotes that start only.
type logMark struct {
	path   string
	offset int64
}

// markLog puts a log that has grown large aside and marks its end.
func markLog(path string) logMark {
	info, err := os.Stat(path)
	if err != nil {
		return logMark{path: path}
	}
	if info.Size() > logLimit && os.Rename(path, path+".1") == nil {
		return logMark{path: path}
	}
	return logMark{path: path, offset: info.Size()}
}

// text is what was written since the mark.
func (m logMark) text() string {
	data, err := readFile(m.path)
	if err != nil || int64(len(data)) <= m.offset {
		return ""
	}
	return string(data[m.offset:])
}

// tail is the last lines written since the mark.
func (m logMark) tail() string {
	text := m.text()
	if text == "" {
		return "(nothing in " + m.path + ")"
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return m.path + ":\n\t" + strings.Join(lines, "\n\t")
}
