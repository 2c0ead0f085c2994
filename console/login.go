package console

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"evens/access"
	"evens/internal/source"
)

//go:embed *.html
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"isolated": isolated}).ParseFS(pages, "*.html"))

// isolated keeps the direction of a text that others wrote to itself, where no <bdi> can stand.
func isolated(text string) string { return "\u2068" + text + "\u2069" }

// stylePath is the one sheet that our pages load.
const stylePath = consolePath + "console.css"

//go:embed console.css
var style []byte

// showStyle answers GET /console/console.css, to anybody: the login page needs it.
func showStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(style)
}

// loginCookie carries the token of the login form, before there is a session to keep it in.
const loginCookie = "evens_login"

// longestLogin bounds the body of a login.
const longestLogin = 16 << 10

type loginView struct {
	Token, Next, Email, Problem string
}

// loginPage answers GET /console/login.
func (g *guard) loginPage(w http.ResponseWriter, r *http.Request) {
	g.showLogin(w, r, http.StatusOK, loginView{Next: r.FormValue("next")})
}

func (g *guard) showLogin(w http.ResponseWriter, r *http.Request, status int, view loginView) {
	view.Token = rand.Text()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // over plain HTTP, on a machine of its own, no cookie would come back
		Name: loginCookie, Value: view.Token, Path: loginPath, HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteStrictMode,
	})
	g.show(w, r, status, "login.html", view)
}

// show answers with a page of ours. It loads its sheet, nothing from elsewhere, and stands in nobody's frame.
func (g *guard) show(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, view); err != nil {
		g.log.ErrorContext(r.Context(), "a page of the console", "page", name, "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	protect(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}

func protect(head http.Header) {
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("X-Content-Type-Options", "nosniff")
}

// login answers POST /console/login: a session for whoever knows the password.
func (g *guard) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestLogin)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form could not be read", http.StatusBadRequest)
		return
	}
	view := loginView{Next: r.PostForm.Get("next"), Email: r.PostForm.Get("email")}
	cookie, err := r.Cookie(loginCookie)
	if err != nil || !same(cookie.Value, r.PostForm.Get("token")) {
		view.Problem = "The form was too old, or your browser keeps no cookies. Try again."
		g.showLogin(w, r, http.StatusForbidden, view)
		return
	}
	operator, err := g.operators.Login(r.Context(), access.Attempt{
		Email: view.Email, Password: r.PostForm.Get("password"), Code: strings.TrimSpace(r.PostForm.Get("code")),
		Source: access.Source(source.Of(r)),
	})
	if err == nil {
		err = g.begin(r, operator)
	}
	if err != nil {
		status, text := g.refusal(w, r, err)
		view.Problem = text
		g.showLogin(w, r, status, view)
		return
	}
	http.Redirect(w, r, landing(view.Next), http.StatusSeeOther)
}

// begin makes a session under a new token: one that was planted before the login is worth nothing.
func (g *guard) begin(r *http.Request, operator access.Operator) error {
	ctx := r.Context()
	if err := g.plain.RenewToken(ctx); err != nil {
		return err
	}
	g.plain.Put(ctx, sessionOperator, operator.ID.String())
	g.plain.Put(ctx, sessionEpoch, operator.Sessions)
	g.plain.Put(ctx, sessionToken, rand.Text())
	return nil
}

// landing is where a login leads to: a page of the console, never elsewhere.
func landing(next string) string {
	if strings.HasPrefix(next, consolePath) && !strings.HasPrefix(next, loginPath) && !strings.ContainsAny(next, "\\\r\n\t") {
		return next
	}
	return consolePath
}

// logout answers POST /console/logout.
func (g *guard) logout(w http.ResponseWriter, r *http.Request) {
	if err := g.formed(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err := g.plain.Destroy(r.Context()); err != nil {
		g.log.ErrorContext(r.Context(), "operator logout", "error", err)
		http.Error(w, "the session could not be ended: try again", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, loginPath, http.StatusSeeOther)
}

var errForm = errors.New("the form does not belong to this session: load the page again")

// formed is nil where a form that was posted carries its session's token.
func (g *guard) formed(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, longestLogin)
	if !same(g.plain.GetString(r.Context(), sessionToken), r.PostFormValue("token")) {
		return errForm
	}
	return nil
}

// same compares two tokens; an empty one is nobody's.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// barView is the line on top of every page: who is logged in, and the way out.
type barView struct {
	Email, Token string
	Role         access.Role
}

func (g *guard) bar(r *http.Request) barView {
	operator := operatorOf(r)
	return barView{Email: operator.Email, Role: operator.Role, Token: g.plain.GetString(r.Context(), sessionToken)}
}

type homeView struct {
	Bar  barView
	Acts bool
	Raw  bool

	Warnings []string
}

// home answers GET /console/.
func (g *guard) home(w http.ResponseWriter, r *http.Request) {
	role := operatorOf(r).Role
	g.show(w, r, http.StatusOK, "home.html", homeView{
		Bar: g.bar(r), Acts: role.May(access.ManageQueues), Raw: role.May(access.ReadCallbacks),
		Warnings: g.warnings(),
	})
}
