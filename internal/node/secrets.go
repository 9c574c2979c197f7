package node

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
)

// secrets are a cluster's secrets. The first is used, all are accepted.
type secrets []string

// minSecret is the least length of a secret, in bytes.
const minSecret = 16

// readSecrets reads a file with one secret on each line. It skips empty lines and those that begin with #. No error repeats
// a secret.
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

// keys derives from each secret a key of 32 bytes for one purpose (HKDF, RFC 5869). A key that leaks reveals nothing of the
// keys for other purposes.
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
