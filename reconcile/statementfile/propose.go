package statementfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"evens/coupon/bet"
)

// sampled is how many rows of a file are looked at for a proposal.
const sampled = 2000

// proposal is a mapping in the making, and the questions that the file does not answer.
type proposal struct {
	mapping   Mapping
	questions []string
	header    []string
	rows      [][]string
	roles     map[string]int // our columns, by the place of theirs
}

// Propose looks at a file and returns a mapping for it, as YAML. What it cannot decide stands there as a
// comment that begins with "# ?".
func Propose(r io.Reader, provider string) (string, error) {
	p := &proposal{roles: make(map[string]int)}
	if err := p.look(r); err != nil {
		return "", err
	}
	p.findTimes()
	p.findAmounts()
	p.findCurrency()
	p.findNamed()
	p.findSign()
	p.findWords(provider)
	return p.write()
}

func (p *proposal) ask(format string, args ...any) {
	p.questions = append(p.questions, fmt.Sprintf(format, args...))
}

// take gives one of our columns to one of theirs.
func (p *proposal) take(ours string, index int) {
	p.roles[ours] = index
	name := p.header[index]
	twice := 0
	for _, other := range p.header {
		if strings.EqualFold(other, name) {
			twice++
		}
	}
	if name == "" || twice > 1 {
		name = fmt.Sprintf("#%d", index+1)
	}
	if name == ours {
		return // which is the name that is looked for anyway
	}
	if p.mapping.Columns == nil {
		p.mapping.Columns = make(map[string]Column)
	}
	p.mapping.Columns[ours] = Column{Name: name}
}

func (p *proposal) taken(index int) bool {
	for _, used := range p.roles {
		if used == index {
			return true
		}
	}
	return false
}

// values are a column's texts that are not empty.
func (p *proposal) values(index int) []string {
	var values []string
	for _, fields := range p.rows {
		if index < len(fields) && fields[index] != "" {
			values = append(values, fields[index])
		}
	}
	return values
}

// findCurrency finds a column of nothing but ISO 4217 codes.
func (p *proposal) findCurrency() {
	for index := range p.header {
		values := p.values(index)
		if !p.taken(index) && len(values) > 0 && !slices.ContainsFunc(values, func(value string) bool { return !isCurrency(value) }) {
			p.take("currency", index)
			return
		}
	}
	p.ask("currency: no column has it. Which one are the amounts in?")
}

// findNamed finds the columns that only their names tell.
func (p *proposal) findNamed() {
	for _, role := range []string{"reference", "transaction_id", "player_id", "round_id", "status", "type"} {
		best, score := -1, 0
		for index, name := range p.header {
			if p.taken(index) {
				continue
			}
			if points := p.fits(role, index, name); points > score {
				best, score = index, points
			}
		}
		if best >= 0 {
			p.take(role, best)
		}
	}
	if _, found := p.roles["transaction_id"]; !found {
		p.ask("columns: transaction_id: which column has the id that both sides know? One of %s", strings.Join(p.header, ", "))
	}
}

// fits is how well a column's name and texts go with a role; 0 is not at all.
func (p *proposal) fits(role string, index int, name string) int {
	points := named(role, name)
	if points == 0 {
		return 0
	}
	values := p.values(index)
	distinct := len(countWords(values))
	switch role {
	case "transaction_id":
		if distinct < len(values) || len(values) == 0 {
			return 0 // ids do not repeat
		}
	case "status", "type":
		if distinct > 40 {
			return 0
		}
	}
	return points
}

// findWords asks about words that nobody knows, and about rows that are no transactions.
func (p *proposal) findWords(provider string) {
	if index, found := p.roles["status"]; found {
		p.unknown("statuses", p.values(index), func(word string) bool { _, ok := statusWords(provider == bet.Provider)[word]; return ok },
			"ok, failed, pending or ignore")
	} else {
		p.mapping.Status = OK
		p.ask("status: no column has it. Has all of this happened?")
	}
	p.findTypes(provider)
	_, hasPlayer := p.roles["player_id"]
	if !hasPlayer {
		p.ask("columns: player_id: no column seems to name the player. If one does, matching is safer with it")
	}
}

func (p *proposal) findTypes(provider string) {
	index, found := p.roles["type"]
	if !found {
		if !p.mapping.signed() {
			p.ask("type: no column says what is debit and what is credit, and no amount has a sign. Is all of it debit, or credit?")
		}
		return
	}
	id, hasID := p.roles["transaction_id"]
	for word := range countWords(p.values(index)) {
		if hasID && p.never(index, word, id) {
			if p.mapping.Types == nil {
				p.mapping.Types = make(map[string]Type)
			}
			p.mapping.Types[word] = ignore
		}
	}
	if len(p.mapping.Types) > 0 {
		p.ask("types: rows without an id are left out. Is that right?")
	}
	if p.mapping.signed() {
		p.ask("types: does one of these words undo a transaction (rollback), or mean nothing to players (ignore)? %s",
			strings.Join(sortedWords(p.values(index)), ", "))
		return
	}
	words := slices.DeleteFunc(p.values(index), func(word string) bool { _, ok := p.mapping.Types[word]; return ok })
	p.unknown("types", words, func(word string) bool { _, ok := typeWords(provider)[word]; return ok }, "debit, credit, rollback or ignore")
}

// never reports whether a type's rows have no id at all.
func (p *proposal) never(index int, word string, id int) bool {
	for _, fields := range p.rows {
		if fields[index] == word && fields[id] != "" && !placeholder(fields[id]) {
			return false
		}
	}
	return true
}

// unknown asks about the words that a reader would not know.
func (p *proposal) unknown(key string, words []string, known func(string) bool, choices string) {
	words = slices.DeleteFunc(sortedWords(words), func(word string) bool { return known(fold(word)) })
	if len(words) > 0 {
		p.ask("%s: what do these mean: %s? Each is %s: {%q: …}", key, strings.Join(words, ", "), choices, words[0])
	}
}

func countWords(values []string) map[string]int {
	counts := make(map[string]int)
	for _, value := range values {
		counts[value]++
	}
	return counts
}

func sortedWords(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// write prints the mapping with its questions.
func (p *proposal) write() (string, error) {
	if err := p.mapping.check(); err != nil {
		return "", errors.Join(errors.New("this file's layout cannot be told"), err)
	}
	text, err := yaml.Marshal(p.mapping)
	if err != nil {
		return "", fmt.Errorf("write the mapping: %w", err)
	}
	var out strings.Builder
	for _, question := range p.questions {
		fmt.Fprintf(&out, "# ? %s\n", question)
	}
	out.Write(text)
	return out.String(), nil
}
