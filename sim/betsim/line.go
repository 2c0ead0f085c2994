package betsim

import (
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// errPointer refuses what is no bet pointer.
var errPointer = errors.New("bet pointer malformed")

// selection is a bet pointer taken apart.
type selection struct {
	live                         bool
	match, group, outcome, param string
	coef                         int64 // as the pointer has it, millionths
	accepted                     int64 // as taken, after a change
}

// parsePointer reads {live|line}#{match}|{group}|{outcome}|{param}#{coef}, any mixture of
// separators, and a player id after it.
func parsePointer(s string) (selection, error) {
	parts := strings.Split(strings.ReplaceAll(s, "|", "#"), "#")
	if len(parts) != 6 && len(parts) != 7 || (parts[0] != "live" && parts[0] != "line") {
		return selection{}, errPointer
	}
	for i, part := range parts[1:] {
		number := i < 3 || i == 5 // match, group, outcome; player
		if number && (part == "" || strings.Trim(part, "0123456789") != "") {
			return selection{}, errPointer
		}
	}
	coef, err := parseDecimal(withoutNoise(parts[5]), coefDigits)
	if err != nil || coef < coefOne || strings.Trim(parts[4], "+-.0123456789") != "" {
		return selection{}, errPointer
	}
	return selection{
		live: parts[0] == "live", match: parts[1], group: parts[2], outcome: parts[3], param: parts[4],
		coef: coef, accepted: coef,
	}, nil
}

// withoutNoise rounds what a float adds behind the sixth decimal (1.9500000000000002).
func withoutNoise(s string) string {
	if len(s) < 16 {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', coefDigits, 64)
}

// names are what the line calls things in one language.
type names struct {
	kind, noResult string
	sports         []sport
	winner         [3]string
	total          string
	over, under    string
	handicap       string
	other          string
}

// sport is a sport's number with BeT, tournaments and teams.
type sport struct {
	id          int64
	tournaments []string
	teams       []string
}

var russian = names{
	kind: "Обычный", noResult: "Ещё нет результата",
	winner: [3]string{"П1", "Х", "П2"}, total: "Тотал", over: "Б", under: "М", handicap: "Фора", other: "Исход",
	sports: []sport{
		{1, []string{"Чемпионат Испании. Примера", "Чемпионат Китая", "Лига чемпионов"},
			[]string{"Эспаньол", "Мальорка", "Шицзячжуан Эвер Брайт", "Тяньцзинь Тэда", "Севилья", "Порту", "Аякс", "Заря"}},
		{5, []string{"КВО. Чемпионат Южной Кореи", "Чемпионат Японии"},
			[]string{"Дусан Беарс", "Самсунг Лайонс", "Киум Хироз", "Лотте Джайентс", "Йомиури Джайентс"}},
		{4, []string{"Ролан Гаррос", "Челленджер. Прага"},
			[]string{"Новак А.", "Ковач Б.", "Мартин К.", "Росси Д.", "Дюбуа Е."}},
	},
}

var english = names{
	kind: "Ordinary", noResult: "No result yet",
	winner: [3]string{"W1", "X", "W2"}, total: "Total", over: "Over", under: "Under", handicap: "Handicap", other: "Outcome",
	sports: []sport{
		{1, []string{"Spain. Primera", "China. Super League", "Champions League"},
			[]string{"Espanyol", "Mallorca", "Shijiazhuang Ever Bright", "Tianjin Teda", "Sevilla", "Porto", "Ajax", "Zarya"}},
		{5, []string{"South Korea. KBO", "Japan. NPB"},
			[]string{"Doosan Bears", "Samsung Lions", "Kiwoom Heroes", "Lotte Giants", "Yomiuri Giants"}},
		{4, []string{"Roland Garros", "Challenger. Prague"},
			[]string{"Novak A.", "Kovac B.", "Martin C.", "Rossi D.", "Dubois E."}},
	},
}

func namesIn(lang string) *names {
	if lang == "ru" {
		return &russian
	}
	return &english
}

// match is what the line knows of a match. It follows from the id alone, so that a match is
// always the same one.
type match struct {
	sportID    int64
	tournament string
	home, away string
	start      time.Time
}

func (n *names) match(s selection, now time.Time) match {
	hash := fnv.New64a()
	hash.Write([]byte(s.match))
	h := hash.Sum64()
	pick := func(n int) int {
		i := int(h % uint64(n))
		h /= uint64(n)
		return i
	}
	sport := n.sports[pick(len(n.sports))]
	home := pick(len(sport.teams))
	away := (home + 1 + pick(len(sport.teams)-1)) % len(sport.teams)
	m := match{
		sportID:    sport.id,
		tournament: sport.tournaments[pick(len(sport.tournaments))],
		home:       sport.teams[home],
		away:       sport.teams[away],
	}
	minutes := time.Duration(pick(90)) * time.Minute
	if s.live {
		m.start = now.Add(-minutes).Truncate(time.Minute)
	} else {
		m.start = now.Add(time.Hour + 40*minutes).Truncate(time.Minute)
	}
	return m
}

// appendBetName names the outcome: group 1 is the winner, 2 a handicap, 17 a total, as far as
// the seed's examples show.
func (n *names) appendBetName(b []byte, s selection) []byte {
	last := s.outcome[len(s.outcome)-1]
	odd := last%2 == 1
	switch s.group {
	case "1":
		b = append(b, n.winner[(last-'1')%3]...)
	case "2":
		b = append(b, n.handicap...)
		if odd {
			b = append(b, " 1 ("...)
		} else {
			b = append(b, " 2 ("...)
		}
		b = append(append(b, s.param...), ')')
	case "17":
		b = append(append(b, n.total...), " ("...)
		b = append(append(b, s.param...), ") "...)
		if odd {
			b = append(b, n.over...)
		} else {
			b = append(b, n.under...)
		}
	default:
		b = append(append(b, n.other...), ' ')
		b = append(b, s.outcome...)
		if s.param != "" && s.param != "0" {
			b = append(append(append(b, " ("...), s.param...), ')')
		}
	}
	return b
}
