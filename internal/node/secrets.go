package node

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
)

// secrets are a cluster's, the one in use first.
type secrets []string

// minSecret is the length of the shortest secret that is taken, in bytes.
const minSecret = 16

// readSecrets reads one secret a line. Empty lines and those that begin with # are left out. No error repeats a secret.
func readSecrets(path string) (secrets, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--cluster-secret-file: %w", err)
	}
	var found secrets
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if len(line) < minSecret {
			return nil, fmt.Errorf("--cluster-secret-file %s: a secret has at least %d characters, such as from: openssl rand -hex 32", path, minSecret)
		}
		found = append(found, line)
	}
	if len(found) == 0 {
		return nil, errors.New("--cluster-secret-file " + path + " holds no secret: write one a line, such as from: openssl rand -hex 32")
	}
	return found, nil
}

// keys derives a key of 32 bytes from each secret for one purpose (HKDF, RFC 5869), so that what one purpose
// gives away says nothing of another's.
func (s secrets) keys(purpose string) [][]byte {
	keys := make([][]byte, len(s))
	for i, secret := range s {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "roomring "+purpose, sha256.Size)
		if err != nil {
			panic(err) // only lengths beyond 255 hashes fail
		}
		keys[i] = key
	}
	return keys
}
