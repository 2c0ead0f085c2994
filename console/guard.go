package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"evens/access"
	"evens/internal/source"
)

// Operators are those who may log in. *access.Operators is one.
type Operators interface {
	// Login answers access.ErrLogin, access.ErrBusy or *access.DelayedError to those it does not let in.
	Login(ctx context.Context, attempt access.Attempt) (access.Operator, error)
	// Get answers access.ErrNoOperator for one who is disabled too.
	Get(ctx context.Context, id uuid.UUID) (access.Operator, error)
}

// sessionLife is how long a login holds at the longest.
const sessionLife = 12 * time.Hour

// The values of a session.
const (
	sessionOperator = "operator" // id
	sessionEpoch    = "epoch"    // access.Operator.Sessions of the login
	sessionToken    = "form"     // that our own forms carry
)

const (
	consolePath = "/console/"
	loginPath   = consolePath + "login"
)

// newSessions returns the manager of sessions whose cookie goes over TLS only, or over plain HTTP too.
func newSessions(store scs.Store, now func() time.Time, secure bool, log *slog.Logger) *scs.SessionManager {
	m := scs.New()
	m.Store, m.HashTokenInStore, m.Lifetime = datedStore{store, now}, true, sessionLife
	m.Codec = datedCodec{m.Codec, now}
	m.Cookie = scs.SessionCookie{
		Name: "evens_console", Path: consolePath, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode, Persist: false,
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		log.ErrorContext(r.Context(), "a console session", "error", err)
		http.Error(w, "the login could not be checked", http.StatusServiceUnavailable)
	}
	return m
}

// guard lets operators through who may do what they ask for.
type guard struct {
	operators Operators
	plain     *scs.SessionManager
	secure    *scs.SessionManager // the same sessions, for requests over TLS
	log       *slog.Logger
	// warnings are shown on the first page.
	warnings func() []string
}

func newGuard(operators Operators, store scs.Store, now func() time.Time, log *slog.Logger) *guard {
	g := &guard{operators: operators, plain: newSessions(store, now, false, log), log: log}
	secure := *g.plain // a copy shares the key under which a request carries its session
	secure.Cookie.Secure = true
	g.secure = &secure
	return g
}

// overTLS reports whether the browser came over TLS: to us, or to a proxy that says so. Who lies about
// it gets a cookie that their browser keeps to itself.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// sessions loads and keeps the sessions of what it wraps.
func (g *guard) sessions(next http.Handler) http.Handler {
	plain, secure := g.plain.LoadAndSave(next), g.secure.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if overTLS(r) {
			secure.ServeHTTP(w, r)
			return
		}
		plain.ServeHTTP(w, r)
	})
}

// errNobody says that a request carries no login.
var errNobody = errors.New("nobody is logged in")

// who is the operator of a request: of its session, or of the name and password that it carries, as
// scripts do. errNobody where there is neither.
func (g *guard) who(r *http.Request) (access.Operator, error) {
	ctx := r.Context()
	if id, err := uuid.Parse(g.plain.GetString(ctx, sessionOperator)); err == nil {
		operator, err := g.operators.Get(ctx, id)
		switch {
		case err == nil && operator.Sessions == g.plain.GetInt(ctx, sessionEpoch):
			return operator, nil
		case err != nil && !errors.Is(err, access.ErrNoOperator):
			return access.Operator{}, err
		}
		if err := g.plain.Destroy(ctx); err != nil { // disabled, or another password since
			return access.Operator{}, err
		}
		return access.Operator{}, errNobody
	}
	email, password, given := r.BasicAuth()
	if !given {
		return access.Operator{}, errNobody
	}
	return g.operators.Login(ctx, access.Attempt{Email: email, Password: password, Source: access.Source(source.Of(r))})
}

type operatorKey struct{}

// operatorOf is the operator that a guarded request is of.
func operatorOf(r *http.Request) access.Operator {
	operator, _ := r.Context().Value(operatorKey{}).(access.Operator)
	return operator
}

// needs lets those through whose role may do the operation that the request is.
func (g *guard) needs(operation func(*http.Request) access.Operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operator, err := g.who(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		if err := operator.Check(operation(r)); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorKey{}, operator)))
	})
}

// refuse answers whoever is not let in: people are led to the login page, programs are told.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := g.refusal(w, r, err)
	if status != http.StatusUnauthorized {
		http.Error(w, text, status)
		return
	}
	if errors.Is(err, errNobody) && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, loginPath+"?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	if r.Header.Get("Sec-Fetch-Mode") == "" { // a browser would ask in a window of its own
		w.Header().Set("WWW-Authenticate", `Basic realm="Evens", charset="UTF-8"`)
	}
	http.Error(w, text, status)
}

// refusal is the status and the text of a login that was not let in.
func (g *guard) refusal(w http.ResponseWriter, r *http.Request, err error) (status int, text string) {
	if delayed, ok := errors.AsType[*access.DelayedError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(delayed.Wait.Seconds()))))
		return http.StatusTooManyRequests, sentence(err.Error())
	}
	switch {
	case errors.Is(err, errNobody):
		return http.StatusUnauthorized, "An operator's e-mail and password are needed."
	case errors.Is(err, access.ErrLogin):
		g.log.WarnContext(r.Context(), "operator login refused", "source", source.Of(r))
		return http.StatusUnauthorized, "The e-mail, the password or the code is wrong."
	case errors.Is(err, access.ErrBusy):
		w.Header().Set("Retry-After", "1")
		return http.StatusTooManyRequests, sentence(err.Error())
	}
	if r.Context().Err() == nil { // or nobody waits for the answer any more
		g.log.ErrorContext(r.Context(), "operator login", "error", err)
	}
	return http.StatusServiceUnavailable, "The login could not be checked. Try again in a moment."
}

// sentence is a text of ours, such as an error's, for people.
func sentence(text string) string {
	return fmt.Sprintf("%s%s.", strings.ToUpper(text[:1]), text[1:])
}
