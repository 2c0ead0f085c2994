package casinosim

import (
	"crypto/rand"
	"fmt"
	"html"
	"net/http"
	"sync"
)

// lobby is where players who were sent to a game arrive.
type lobby struct {
	mu     sync.Mutex
	opened map[string]Player
	arrive func(Player)
}

// Arrivals has fn told of each player who opens a game for money, from now on.
func (l *lobby) Arrivals(fn func(Player)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrive = fn
}

// open keeps a place for a player and returns its address on the host, which serves once.
func (l *lobby) open(host string, p Player) string {
	token := rand.Text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		l.opened = make(map[string]Player)
	}
	l.opened[token] = p
	return "http://" + host + "/play/" + token
}

// play is the page of a game. A player who came for money begins to play.
func (l *lobby) play(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	l.mu.Lock()
	p, known := l.opened[token]
	delete(l.opened, token)
	arrive := l.arrive
	l.mu.Unlock()
	if !known {
		http.Error(w, "this game was opened before, or never", http.StatusGone)
		return
	}
	l.welcome(w, p, arrive)
}

func (l *lobby) welcome(w http.ResponseWriter, p Player, arrive func(Player)) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><title>A simulated game</title><p>%s is playing. Watch the wallet.", html.EscapeString(p.ID))
	if arrive != nil && !p.Fun {
		arrive(p)
	}
}
