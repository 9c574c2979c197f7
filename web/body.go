package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/roomring/roomring/room/strict"
)

// readJSON decodes a request's body strictly: one JSON object, no unknown fields. An empty body is an empty object.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("The body is longer than %d bytes.", large.Limit))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return problem(http.StatusRequestTimeout, "too-slow", "The body did not arrive in time: send it at once.")
	}
	if err != nil {
		return problem(http.StatusBadRequest, "bad-body", "The body could not be read.")
	}
	if len(body) == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem(http.StatusUnsupportedMediaType, "not-json", "Send the body as Content-Type: application/json.")
	}
	return decodeStrict(body, into)
}

func decodeStrict(body []byte, into any) error {
	if string(bytes.TrimSpace(body)) == "null" { // encoding/json would take it for an empty object
		return errNoObject
	}
	if err := strict.Decode(body, into); err != nil {
		return jsonProblem(err)
	}
	return nil
}

var errNoObject = problem(http.StatusBadRequest, "bad-json", "The body must be a JSON object.")

// jsonProblem names the field that a decoding error is about, where it is about one.
func jsonProblem(err error) *Problem {
	if unknown, ok := errors.AsType[*strict.UnknownFieldError](err); ok {
		if unknown.Meant != "" {
			return badField(unknown.Name, fmt.Sprintf("There is no such field: it is spelt %q.", unknown.Meant))
		}
		return badField(unknown.Name, "There is no such field.")
	}
	switch wrong, ok := errors.AsType[*strict.Error](err); {
	case ok && wrong.Syntax():
		return problem(http.StatusBadRequest, "bad-json", "The body is not valid JSON: "+wrong.Reason+".")
	case ok && wrong.Field != "":
		return badField(wrong.Field, "It "+wrong.Reason+".")
	case ok:
		return errNoObject
	}
	return problem(http.StatusBadRequest, "bad-json", "The body is not valid JSON.")
}

// query reads the parameters of a request and remembers the first that is wrong.
type query struct {
	values url.Values
	err    error
}

func queryOf(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.err = problem(http.StatusBadRequest, "bad-query", "The query string is malformed.")
	}
	return q
}

func (q *query) fail(field, detail string) {
	if q.err == nil {
		q.err = badField(field, detail)
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

// number is between least and most; absent is zero.
func (q *query) number(name string, least, most int) int {
	raw := q.values.Get(name)
	if raw == "" {
		return 0
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < least || n > most {
		q.fail(name, fmt.Sprintf("Give a whole number from %d to %d.", least, most))
		return 0
	}
	return n
}

// flag is true or false; absent is false.
func (q *query) flag(name string) bool {
	raw := q.values.Get(name)
	if raw != "" && raw != "true" && raw != "false" {
		q.fail(name, "Give true or false.")
	}
	return raw == "true"
}

// storable refuses a path or query with text that a store cannot hold, before anybody asks one for it. Bodies are UTF-8
// or refused by package strict, and what of them reaches a store is held to validText.
func storable(r *http.Request) error {
	holds := func(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
	if !holds(r.URL.Path) {
		return problem(http.StatusBadRequest, "bad-path", "The path holds what is no text: NUL, or bytes that are not UTF-8.")
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil // whoever reads it says so
	}
	for name, all := range values {
		if !holds(name) {
			return problem(http.StatusBadRequest, "bad-query", "The query string holds what is no text: NUL, or bytes that are not UTF-8.")
		}
		if slices.ContainsFunc(all, func(v string) bool { return !holds(v) }) {
			return badField(name, "It holds what is no text: NUL, or bytes that are not UTF-8.")
		}
	}
	return nil
}
