package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evens/internal/testbed"
)

// certify writes a certificate for loopback and its key, and returns a client that trusts it.
func certify(t *testing.T) (certFile, keyFile string, client *http.Client) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "evens"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	roots := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return certFile, keyFile, &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}
}

// Behind a proxy on this machine, with TLS of our own: only whom the proxy saw may post results, and the
// first page and /readyz say what was allowed.
func TestBehindAProxyTheCallerCounts(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	certFile, keyFile, client := certify(t)
	public, ops := freeAddress(t), freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+public, "EVENS_OPS_LISTEN="+ops, "EVENS_TRUSTED_PROXIES=127.0.0.0/8,10.0.0.0/8",
		"EVENS_BET_RESULT_ALLOW=192.0.2.7", "EVENS_ALLOW_UNSIGNED=true", "EVENS_TLS_CERT_FILE="+certFile, "EVENS_TLS_KEY_FILE="+keyFile,
		"EVENS_OPS_TLS_CERT_FILE="+certFile, "EVENS_OPS_TLS_KEY_FILE="+keyFile)
	ready := func() (answer struct{ Warnings []string }) {
		if response, err := client.Get("https://" + ops + "/readyz"); err == nil {
			defer response.Body.Close()
			_ = json.NewDecoder(response.Body).Decode(&answer)
		}
		return answer
	}
	eventually(t, time.Minute, "/readyz warns over TLS", func() bool { return len(ready().Warnings) == 1 })
	eventually(t, time.Minute, "the API answers", func() bool {
		response, err := client.Get("https://" + public + "/v1/openapi.json")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
	if warning := ready().Warnings[0]; !strings.Contains(warning, "EVENS_ALLOW_UNSIGNED") {
		t.Errorf("/readyz warns %q", warning)
	}
	for forwarded, want := range map[string]int{
		"192.0.2.7":                  http.StatusOK,
		"198.51.100.1, 192.0.2.7":    http.StatusOK, // the caller lied to the proxy, to no use
		"192.0.2.7, 10.1.1.1":        http.StatusOK,
		"192.0.2.7, 198.51.100.1":    http.StatusForbidden,
		"192.0.2.7, nonsense":        http.StatusForbidden,
		"":                           http.StatusForbidden, // the proxy itself
		"::ffff:192.0.2.7, 10.0.0.3": http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+public+"/api/bet/result", strings.NewReader(`{"Heads":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("X-Forwarded-For %q: %d %s, want %d", forwarded, response.StatusCode, text, want)
		}
	}
}

// Hundreds of connections that send half a header, or nothing, or read nothing: each is let go, and
// honest calls are answered all the while.
func TestSlowConnectionsAreLetGo(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	public := freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+public, "EVENS_CONNECTIONS_PER_SOURCE=400")
	eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+public+"/v1/openapi.json", 200) })
	var held []net.Conn
	hold := func(say string) {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", public)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, say) // one that is refused is refused
		held = append(held, conn)
	}
	for range 150 {
		hold("")
		hold("GET /v1/openapi.json HTTP/1.1\r\nHost: evens\r\nX-Slow: ")
	}
	hold("GET / HTTP/1.1\r\nHost: evens\r\nX-Large: " + strings.Repeat("x", 64<<10) + "\r\n\r\n")
	if !answers("http://"+public+"/v1/openapi.json", 200) {
		t.Error("an honest call is not answered beside 300 slow ones")
	}
	for range 200 {
		hold("") // beyond what one source may have
	}
	deadline := time.Now().Add(3 * headerTimeout)
	for n, conn := range held {
		_ = conn.SetReadDeadline(deadline)
		if _, err := io.Copy(io.Discard, conn); err != nil && time.Now().After(deadline) {
			t.Fatalf("connection %d of %d is held for more than %s", n, len(held), 3*headerTimeout)
		}
	}
	if !answers("http://"+public+"/v1/openapi.json", 200) {
		t.Error("an honest call is not answered after them")
	}
}
