// Package docsite makes a web site of the documentation.
package docsite

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

//go:embed page.html site.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Site is the files of a site by their slashed names.
type Site map[string][]byte

// entry is one page in the list beside each page.
type entry struct {
	Path, Title string
	Here        bool
}

// section is a heading of that list.
type section struct {
	Title   string
	Entries []entry
}

// order is that of the pages that a reader begins with; others follow by name.
var order = []string{"GAMES.html", "SDK.html", "PLAY.html", "OPERATIONS.html", "CONFIG.html", "METRICS.html", "SECURITY.html", "RELIABILITY.html", "PERFORMANCE.html", "PROTOCOL.html", "VERSIONS.html", "ARCHITECTURE.html"}

// Build makes a site of a folder of pages in Markdown. A page README.md or, at the top, llms.txt is also the index of its folder. Files of
// other kinds are as they are. The error is that of reading a page.
func Build(pages fs.FS) (Site, error) {
	site := Site{}
	titles := map[string]string{} // of pages, by their new names
	sources := map[string][]byte{}
	err := fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(pages, name)
		if err != nil {
			return err
		}
		switch {
		case path.Ext(name) == ".go":
		case path.Ext(name) == ".md":
			sources[name] = data
			titles[htmlName(name)] = titleOf(data, name)
		default:
			site[name] = data
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if index, ok := site["llms.txt"]; ok {
		sources["README.md"], titles["index.html"] = index, titleOf(index, "llms.txt")
		site["llms-full.txt"] = full(index, sources)
	}
	for name, source := range sources {
		if site[htmlName(name)], err = render(name, source, titles); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	site["site.css"], err = files.ReadFile("site.css")
	return site, err
}

func htmlName(name string) string {
	if path.Base(name) == "README.md" {
		return path.Join(path.Dir(name), "index.html")
	}
	return strings.TrimSuffix(name, ".md") + ".html"
}

// titleOf is the first heading of a page.
func titleOf(source []byte, name string) string {
	for line := range strings.SplitSeq(string(source), "\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			return strings.ReplaceAll(title, "`", "")
		}
	}
	return name
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))

// render makes one page.
func render(name string, source []byte, titles map[string]string) ([]byte, error) {
	doc := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(&ids{seen: map[string]int{}}))))
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := n.(*ast.Link); ok && entering {
			link.Destination = []byte(target(name, string(link.Destination)))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	var body, out bytes.Buffer
	if err := markdown.Renderer().Render(&body, source, doc); err != nil {
		return nil, err
	}
	here := htmlName(name)
	err = page.Execute(&out, map[string]any{
		"Title": titles[here], "Up": strings.Repeat("../", strings.Count(here, "/")), "Sections": sections(titles, here),
		"Body": template.HTML(body.String()), // of our own pages; goldmark leaves raw HTML out
	})
	return out.Bytes(), err
}

// repository is where links lead that leave the pages.
const repository = "https://github.com/roomring/roomring/blob/main/"

// target is where a link of a page leads on the site.
func target(page, link string) string {
	to, anchor, _ := strings.Cut(link, "#")
	if to == "" || strings.Contains(to, ":") {
		return link
	}
	if anchor != "" {
		anchor = "#" + anchor
	}
	full := path.Join("docs", path.Dir(page), to)
	if inside, ok := strings.CutPrefix(full, "docs/"); !ok {
		return repository + full + anchor
	} else if path.Ext(inside) != ".md" {
		return link
	}
	return strings.TrimSuffix(to, path.Base(to)) + path.Base(htmlName(path.Base(to))) + anchor
}

func sections(titles map[string]string, here string) []section {
	up := strings.Repeat("../", strings.Count(here, "/"))
	all := map[string][]entry{}
	for name, title := range titles {
		if path.Base(name) == "index.html" && path.Dir(name) != "." {
			continue // its section's title leads to the others
		}
		dir := path.Dir(name)
		all[dir] = append(all[dir], entry{up + name, title, name == here})
	}
	var out []section
	for _, dir := range []string{".", "games", "decisions"} {
		entries := all[dir]
		slices.SortFunc(entries, func(a, b entry) int {
			return cmp.Or(place(a.Path)-place(b.Path), strings.Compare(a.Path, b.Path))
		})
		out = append(out, section{map[string]string{".": "", "games": "Games", "decisions": "Decisions"}[dir], entries})
	}
	return out
}

func place(name string) int {
	if path.Base(name) == "index.html" {
		return -1
	}
	if i := slices.Index(order, path.Base(name)); i >= 0 {
		return i
	}
	return len(order)
}

// ids makes the ids of headings as GitHub does, so that links work in both places.
type ids struct{ seen map[string]int }

func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(string(value)) {
		switch {
		case r == ' ' || r == '-':
			b.WriteByte('-')
		case r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
			b.WriteRune(r)
		}
	}
	id := b.String()
	if i.seen[id]++; i.seen[id] > 1 {
		id = fmt.Sprintf("%s-%d", id, i.seen[id]-1)
	}
	return []byte(id)
}

func (i *ids) Put(value []byte) { i.seen[string(value)]++ }

// full joins the pages that an index names into one text, for programs that read all of it.
func full(index []byte, sources map[string][]byte) []byte {
	var b bytes.Buffer
	b.Write(index)
	for line := range strings.SplitSeq(string(index), "\n") {
		_, rest, _ := strings.Cut(line, "](")
		name, _, _ := strings.Cut(rest, ")")
		if source, ok := sources[name]; ok {
			fmt.Fprintf(&b, "\n\n<!-- %s -->\n\n%s", name, source)
		}
	}
	return b.Bytes()
}

// Write writes the site into a folder, which it makes if it is not there.
func (s Site) Write(dir string) error {
	for name, data := range s {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// policy lets a page load its style and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var kinds = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".yaml": "text/yaml; charset=utf-8", ".txt": "text/plain; charset=utf-8"}

// ServeHTTP serves the site from the root of the request's path.
func (s Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	data, ok := s[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kinds[path.Ext(name)])
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data) // the client has gone if this fails
}
