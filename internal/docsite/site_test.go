package docsite_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"github.com/roomring/roomring/docs"
	"github.com/roomring/roomring/internal/docsite"
)

// parts are the links and the ids of a page.
func parts(t *testing.T, page []byte) (links []string, ids map[string]bool) {
	t.Helper()
	ids = map[string]bool{}
	for z := html.NewTokenizer(bytes.NewReader(page)); z.Next() != html.ErrorToken; {
		for _, a := range z.Token().Attr {
			switch a.Key {
			case "href":
				links = append(links, a.Val)
			case "id":
				if ids[a.Val] {
					t.Errorf("two parts have the id %s", a.Val)
				}
				ids[a.Val] = true
			}
		}
	}
	return links, ids
}

// Every link of the site leads to a page, and to a heading there if it names one.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	site, err := docsite.Build(docs.Pages)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for name, page := range site {
		if path.Ext(name) != ".html" {
			continue
		}
		links, _ := parts(t, page)
		for _, link := range links {
			to, anchor, _ := strings.Cut(link, "#")
			if strings.Contains(to, ":") {
				continue
			}
			full := name
			if to != "" {
				full = path.Join(path.Dir(name), to)
			}
			target, ok := site[full]
			if !ok {
				t.Errorf("%s leads to %s, which is not there", name, link)
				continue
			}
			if _, ids := parts(t, target); anchor != "" && !ids[anchor] {
				t.Errorf("%s leads to %s, and %s has no such heading", name, link, full)
			}
			checked++
		}
	}
	if checked < 100 {
		t.Errorf("only %d links were found", checked)
	}
	for _, name := range []string{"index.html", "GAMES.html", "games/chess.html", "decisions/index.html", "openapi.yaml", "llms.txt", "llms-full.txt", "site.css"} {
		if len(site[name]) == 0 {
			t.Errorf("the site has no %s", name)
		}
	}
	if !bytes.Contains(site["llms-full.txt"], []byte("# The SDK")) {
		t.Error("llms-full.txt leaves pages out")
	}
}

func TestAPageIsRendered(t *testing.T) {
	site, err := docsite.Build(fstest.MapFS{
		"a.md":          {Data: []byte("# A `page`\n\n[b](sub/b.md#two-words) [out](../cmd/x.go) <script>alert(1)</script>\n\n| x |\n|---|\n| 1 |\n")},
		"sub/b.md":      {Data: []byte("# B\n\n## Two words\n\n[back](../a.md) [list](README.md)\n")},
		"sub/README.md": {Data: []byte("# List\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for page, wants := range map[string][]string{
		"a.html":     {"<title>A page · Roomring", `href="sub/b.html#two-words"`, `href="https://github.com/roomring/roomring/blob/main/cmd/x.go"`, "<td>1</td>", `href="site.css"`},
		"sub/b.html": {`href="../a.html"`, `href="index.html"`, `id="two-words"`, `href="../site.css"`},
	} {
		for _, want := range wants {
			if !bytes.Contains(site[page], []byte(want)) {
				t.Errorf("%s lacks %s:\n%s", page, want, site[page])
			}
		}
	}
	if bytes.Contains(site["a.html"], []byte("<script")) {
		t.Error("raw HTML is let through")
	}
}

func TestItIsServed(t *testing.T) {
	site, err := docsite.Build(docs.Pages)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.StripPrefix("/docs", site))
	defer s.Close()
	for at, want := range map[string]int{"/docs/": 200, "/docs/GAMES.html": 200, "/docs/decisions/": 200, "/docs/llms.txt": 200, "/docs/embed.go": 404, "/docs/../go.mod": 404} {
		res, err := http.Get(s.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want || want == 200 && !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", at, res.StatusCode, res.Header)
		}
	}
}
