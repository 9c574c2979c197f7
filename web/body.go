package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// readJSON decodes a request's body strictly: one JSON object, no unknown fields. An empty body is an empty object.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("The body is longer than %d bytes.", large.Limit))
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
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return jsonProblem(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return problem(http.StatusBadRequest, "bad-json", "The body goes on after the JSON object.")
	}
	return nil
}

var errNoObject = problem(http.StatusBadRequest, "bad-json", "The body must be a JSON object.")

// jsonProblem names the field that a decoding error is about, where it is about one.
func jsonProblem(err error) *Problem {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return errNoObject
		}
		return badField(wrong.Field, fmt.Sprintf("A JSON %s does not fit here.", wrong.Value))
	}
	// encoding/json has no type for this error, but its text is covered by Go's compatibility tests.
	if quoted, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		field, err := strconv.Unquote(quoted)
		if err != nil {
			field = quoted
		}
		return badField(field, "There is no such field.")
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
