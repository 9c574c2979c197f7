package rest

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

// ReadJSON decodes a request's body strictly: one JSON object, no unknown fields. An empty body is an empty object.
func ReadJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return NewProblem(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("The body is longer than %d bytes.", large.Limit))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return NewProblem(http.StatusRequestTimeout, "too-slow", "The body did not arrive in time: send it at once.")
	}
	if err != nil {
		return NewProblem(http.StatusBadRequest, "bad-body", "The body could not be read.")
	}
	if len(body) == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return NewProblem(http.StatusUnsupportedMediaType, "not-json", "Send the body as Content-Type: application/json.")
	}
	if string(bytes.TrimSpace(body)) == "null" { // encoding/json would take it for an empty object
		return errNoObject
	}
	if err := strict.Decode(body, into); err != nil {
		return jsonProblem(err)
	}
	return nil
}

var errNoObject = NewProblem(http.StatusBadRequest, "bad-json", "The body must be a JSON object.")

// jsonProblem names the field that a decoding error is about, where it is about one.
func jsonProblem(err error) *Problem {
	if unknown, ok := errors.AsType[*strict.UnknownFieldError](err); ok {
		if unknown.Meant != "" {
			return BadField(unknown.Name, fmt.Sprintf("There is no such field: it is spelt %q.", unknown.Meant))
		}
		return BadField(unknown.Name, "There is no such field.")
	}
	switch wrong, ok := errors.AsType[*strict.Error](err); {
	case ok && wrong.Syntax():
		return NewProblem(http.StatusBadRequest, "bad-json", "The body is not valid JSON: "+wrong.Reason+".")
	case ok && wrong.Field != "":
		return BadField(wrong.Field, "It "+wrong.Reason+".")
	case ok:
		return errNoObject
	}
	return NewProblem(http.StatusBadRequest, "bad-json", "The body is not valid JSON.")
}

// Query reads the parameters of a request and remembers the first that is wrong.
type Query struct {
	Values url.Values
	Err    error // of the first that is wrong
}

// QueryOf begins to read the parameters of a request.
func QueryOf(r *http.Request) *Query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &Query{Values: values}
	if err != nil {
		q.Err = NewProblem(http.StatusBadRequest, "bad-query", "The query string is malformed.")
	}
	return q
}

// Fail notes that a parameter is wrong.
func (q *Query) Fail(field, detail string) {
	if q.Err == nil {
		q.Err = BadField(field, detail)
	}
}

// Text is a parameter as it stands; absent it is empty.
func (q *Query) Text(name string) string { return q.Values.Get(name) }

// Number is a parameter between least and most; absent it is 0.
func (q *Query) Number(name string, least, most int) int {
	raw := q.Values.Get(name)
	if raw == "" {
		return 0
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < least || n > most {
		q.Fail(name, fmt.Sprintf("Give a whole number from %d to %d.", least, most))
		return 0
	}
	return n
}

// Flag is a parameter that is true or false; absent it is false.
func (q *Query) Flag(name string) bool {
	raw := q.Values.Get(name)
	if raw != "" && raw != "true" && raw != "false" {
		q.Fail(name, "Give true or false.")
	}
	return raw == "true"
}

// checkText refuses a path or query that a store cannot hold as text. Package strict refuses bodies that are not UTF-8, and
// handlers hold what they store of a body to package text.
func checkText(r *http.Request) error {
	holds := func(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
	if !holds(r.URL.Path) {
		return NewProblem(http.StatusBadRequest, "bad-path", "The path is not text: it holds NUL or bytes that are not UTF-8.")
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil // a handler that reads it reports that
	}
	for name, all := range values {
		if !holds(name) {
			return NewProblem(http.StatusBadRequest, "bad-query", "The query string is not text: it holds NUL or bytes that are not UTF-8.")
		}
		if slices.ContainsFunc(all, func(v string) bool { return !holds(v) }) {
			return BadField(name, "It is not text: it holds NUL or bytes that are not UTF-8.")
		}
	}
	return nil
}
