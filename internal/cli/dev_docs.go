package cli

import (
	"net/http"
	"sync"

	"github.com/roomring/roomring/docs"
	"github.com/roomring/roomring/internal/docsite"
)

// withDocs serves the documentation beneath /docs/, and everything else by next.
func withDocs(next http.Handler) http.Handler {
	site := sync.OnceValues(func() (docsite.Site, error) { return docsite.Build(docs.Pages) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs/", func(w http.ResponseWriter, r *http.Request) {
		pages, err := site()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.StripPrefix("/docs", pages).ServeHTTP(w, r)
	})
	mux.Handle("/", next)
	return mux
}
