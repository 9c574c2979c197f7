package hook

import (
	"encoding/base64"
	"errors"
	"strings"
)

// secretPrefix begins every secret, so that people and scanners of leaked secrets know what it is.
const secretPrefix = "whsec_"

var errBadSecret = errors.New("a webhook's secret is whsec_ and 24 to 64 random bytes in base64, such as from: echo whsec_$(openssl rand -base64 32)")

// ParseSecrets reads the secrets in a file, one on each line; empty lines are left out. The first line's is to stay, the others are for
// the time in which a receiver changes: every event is signed with each. No error repeats the file's content.
func ParseSecrets(text string) (all []string, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		encoded, ok := strings.CutPrefix(line, secretPrefix)
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
			return nil, errBadSecret
		}
		all = append(all, line)
	}
	if len(all) == 0 {
		return nil, errBadSecret
	}
	return all, nil
}
