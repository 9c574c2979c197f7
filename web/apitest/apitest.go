// Package apitest holds HTTP traffic to docs/openapi.yaml, in the tests of any package.
package apitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is the API as docs/openapi.yaml has it.
type Description struct {
	Doc     *openapi3.T
	router  routers.Router
	schemas sync.Map // *openapi3.Schema to *jsonschema.Schema: those of answers, compiled
}

// load reads the file once a process: it is the same for all.
var load = sync.OnceValues(func() (*Description, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(openapi3.NewLoader().Context); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	router, err := gorillamux.NewRouter(doc)
	return &Description{Doc: doc, router: router}, err
})

// find looks for the description from the test's folder upwards: go test runs a test in its package's folder.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "docs", "openapi.yaml")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no docs/openapi.yaml here or above")
}

// Load reads the description; one that is not valid OpenAPI ends the test.
func Load(tb testing.TB) *Description {
	tb.Helper()
	d, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// Transport checks all that passes through next, and reports to tb what is not as described. Nil is http.DefaultTransport.
func Transport(tb testing.TB, next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return transport{tb, Load(tb), next}
}

// Client is a client whose traffic is checked, and which follows no redirects.
func Client(tb testing.TB) *http.Client {
	return &http.Client{
		Transport:     Transport(tb, nil),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type transport struct {
	tb   testing.TB
	desc *Description
	next http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := drain(&r.Body)
	if err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	answer, err := drain(&resp.Body)
	if err != nil {
		return nil, err
	}
	if err := t.desc.Check(r, body, resp.StatusCode, resp.Header, answer); err != nil {
		t.tb.Errorf("%s %s: %v\nanswer: %d %s", r.Method, r.URL.Path, err, resp.StatusCode, answer)
	}
	return resp, nil
}

// drain reads a body and puts it back.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(*body)
	(*body).Close()
	*body = io.NopCloser(bytes.NewReader(data))
	return data, err
}

// Check holds one exchange to the description:
//   - a path or method that is not described is answered by a 404 or 405 problem document, or a browser by a page with 404;
//   - a request that is not as described is refused by a 4xx;
//   - every answer is one of those described, its headers and body as described;
//   - and none is a 500, which is never meant.
func (d *Description) Check(r *http.Request, body []byte, status int, header http.Header, answer []byte) error {
	if status == http.StatusInternalServerError {
		return errors.New("the server failed")
	}
	if r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	at := *r.URL
	at.Scheme, at.Host = "", ""
	probe := r.Clone(r.Context())
	probe.URL, probe.Host = &at, ""
	probe.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := d.router.FindRoute(probe)
	if err != nil {
		return undescribed(r, err, status, header)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: probe, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			SkipSettingDefaults:   true,
		},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && status < 400 {
		return fmt.Errorf("a request that is not as described was taken: %w", err)
	}
	return d.checkAnswer(in, status, header, answer)
}

func undescribed(r *http.Request, err error, status int, header http.Header) error {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if status == http.StatusNotFound && kind == "text/html" && strings.Contains(r.Header.Get("Accept"), kind) {
		return nil
	}
	if (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) && kind == "application/problem+json" {
		return nil
	}
	if status == http.StatusForbidden || status == http.StatusMisdirectedRequest || status == http.StatusUnauthorized {
		return nil // turned away at the door, before the path was looked at
	}
	return fmt.Errorf("not described, and not refused by a 404 or 405 problem: %w", err)
}

func (d *Description) checkAnswer(in *openapi3filter.RequestValidationInput, status int, header http.Header, answer []byte) error {
	schema := jsonSchema(in.Route.Operation.Responses.Status(status), header.Get("Content-Type"))
	options := *in.Options
	options.ExcludeResponseBody = schema != nil // the filter would compile the schema for each answer
	err := openapi3filter.ValidateResponse(in.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header,
		Body: io.NopCloser(bytes.NewReader(answer)), Options: &options,
	})
	if err == nil && schema != nil {
		err = d.validate(schema, answer)
	}
	if err != nil {
		return fmt.Errorf("the answer is not as described: %w", err)
	}
	return nil
}

// jsonSchema is the schema of an answer that is described as JSON; nil of others.
func jsonSchema(response *openapi3.ResponseRef, contentType string) *openapi3.Schema {
	kind, _, _ := mime.ParseMediaType(contentType)
	if response == nil || kind != "application/json" && kind != "application/problem+json" {
		return nil
	}
	media := response.Value.Content.Get(contentType)
	if media == nil || media.Schema == nil {
		return nil
	}
	return media.Schema.Value
}

// validate holds JSON to a schema, which is compiled once.
func (d *Description) validate(schema *openapi3.Schema, data []byte) error {
	compiled, known := d.schemas.Load(schema)
	if !known {
		fresh, err := d.compile(schema)
		if err != nil {
			return err
		}
		compiled, _ = d.schemas.LoadOrStore(schema, fresh)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return compiled.(*jsonschema.Schema).Validate(value)
}

// compile makes a schema a document of its own, with the components that it refers to.
func (d *Description) compile(schema *openapi3.Schema) (*jsonschema.Schema, error) {
	own, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	components, err := json.Marshal(map[string]any{"components": d.Doc.Components})
	if err != nil {
		return nil, err
	}
	document := map[string]any{}
	for _, part := range [][]byte{own, components} {
		if err := json.Unmarshal(part, &document); err != nil {
			return nil, err
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("answer.json", document); err != nil {
		return nil, err
	}
	return compiler.Compile("answer.json")
}

// CompareRoutes reports what is served and not described, and what is described and not served. Served are methods and paths, such as
// "GET /livez"; owns tells which of the described paths are this server's.
func CompareRoutes(tb testing.TB, served []string, owns func(path string) bool) {
	tb.Helper()
	var described []string
	for path, item := range Load(tb).Doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
			if owns(path) && !slices.Contains(served, method+" "+path) {
				tb.Errorf("%s %s is described in docs/openapi.yaml and not served", method, path)
			}
		}
	}
	for _, route := range served {
		if !slices.Contains(described, route) {
			tb.Errorf("%s is served and not described in docs/openapi.yaml", route)
		}
	}
}
