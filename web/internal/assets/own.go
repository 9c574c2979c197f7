package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
)

// own are files that somebody else wrote. They are read when they are asked for, so a change is seen at once, and none is kept in
// memory.
type own struct {
	from fs.FS    // nil: there are none
	sums sync.Map // name to tag, of files that have no time of change, because they are part of the program
}

// servable reports whether a name may be asked for: below the folder, and not hidden.
func servable(name string) bool {
	hidden := func(part string) bool { return strings.HasPrefix(part, ".") }
	return fs.ValidPath(name) && !slices.ContainsFunc(strings.Split(name, "/"), hidden)
}

// has reports whether there is a file of this name.
func (o *own) has(name string) bool {
	info := o.stat(name)
	return info != nil && info.Mode().IsRegular()
}

// stat is what there is of this name; nil: nothing that is served. It looks before anything is opened, since to open a pipe may block.
func (o *own) stat(name string) fs.FileInfo {
	if o.from == nil || !servable(name) {
		return nil
	}
	info, err := fs.Stat(o.from, name)
	if err != nil {
		return nil
	}
	return info
}

// serve answers with a file that [own.has], or with what this part of it is. Browsers may keep it, and ask each time whether it has
// changed.
func (o *own) serve(w http.ResponseWriter, r *http.Request, name string) error {
	file, err := o.from.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return noFile
	}
	if err != nil {
		return fmt.Errorf("a file of the pages: %w", err)
	}
	defer file.Close()
	content, err := seekable(file)
	if err != nil {
		return fmt.Errorf("a file of the pages: %w", err)
	}
	tag, err := o.tag(name, file, content)
	if err != nil {
		return fmt.Errorf("a file of the pages: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", kindOf(name))
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// seekable is the content of a file. Only those of unusual file systems are read into memory for that.
func seekable(file fs.File) (io.ReadSeeker, error) {
	if s, ok := file.(io.ReadSeeker); ok {
		return s, nil
	}
	data, err := io.ReadAll(file)
	return bytes.NewReader(data), err
}

// tag is another one when the file has another content.
func (o *own) tag(name string, file fs.File, content io.ReadSeeker) (string, error) {
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if changed := info.ModTime(); !changed.IsZero() {
		return `"` + strconv.FormatInt(changed.UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + `"`, nil
	}
	if known, ok := o.sums.Load(name); ok {
		return known.(string), nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return "", err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag := `"` + hex.EncodeToString(sum.Sum(nil)[:8]) + `"`
	o.sums.Store(name, tag)
	return tag, nil
}

// read is the whole of a short file, such as a page that is changed before it is sent; false: there is none.
func (o *own) read(name string) ([]byte, bool) {
	info := o.stat(name)
	if info == nil || !info.Mode().IsRegular() || info.Size() > maxRead {
		return nil, false
	}
	data, err := fs.ReadFile(o.from, name)
	return data, err == nil
}

const maxRead = 1 << 20 // bytes

var noFile = rest.NotFound("There is no such file.")
