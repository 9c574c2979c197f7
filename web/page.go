package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"github.com/roomring/roomring/room"
)

//go:embed page.html
var pageSource string

var (
	pageTemplate = template.Must(template.New("page").Parse(pageSource))
	pagePolicy   = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src " + styleHash(pageSource)
)

// styleHash lets the page's own style through the content security policy and nothing else.
func styleHash(page string) string {
	_, after, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(after, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// getPage shows what games there are and how a program joins them.
func (s *Server) getPage(w http.ResponseWriter, r *http.Request) error {
	base := s.base(r)
	var page bytes.Buffer
	err := pageTemplate.Execute(&page, struct {
		Games  []room.Spec
		Base   string
		Guests bool
		Keyed  bool
	}{s.opts.Games, base.String(), s.opts.Auth.Guests(), s.opts.Auth.Keyed()})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes()) // the client has gone if this fails
	return nil
}
