package webtest

import (
	"regexp"
)

// Asset finds the files that a page loads.
var Asset = regexp.MustCompile(`/assets/[A-Za-z0-9._-]+`)

// Loads are the files that pages and what they load name, each fetched once.
func Loads(a *Site, pages ...string) map[string]Answer {
	out := map[string]Answer{}
	todo := pages
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, known := out[path]; known {
			continue
		}
		got := a.Want(200, "GET", path, "")
		out[path] = got
		todo = append(todo, Asset.FindAllString(got.Text, -1)...)
		for _, chunk := range regexp.MustCompile(`\./(chunk-[A-Z0-9]+\.js)`).FindAllStringSubmatch(got.Text, -1) {
			todo = append(todo, "/assets/"+chunk[1])
		}
	}
	return out
}
