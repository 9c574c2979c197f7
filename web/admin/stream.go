package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
)

// stream is an answer that may take as long as it needs, while each write is taken in time. The server's own time limits are for
// answers that end soon.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
}

// writeTimeout is how long one write may take before the reader is given up.
const writeTimeout = 30 * time.Second

// newStream begins an answer to a request that has been read.
func newStream(w http.ResponseWriter) stream {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // where it cannot be set there is none
	return stream{w, control}
}

func (s stream) Write(b []byte) (int, error) {
	s.extend()
	return s.ResponseWriter.Write(b)
}

// extend gives the next write its time.
func (s stream) extend() { _ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) }

// openStream takes one of the streams that may be open at once. Close gives it back.
func (a *handler) openStream() (close func(), err error) {
	select {
	case a.streams <- struct{}{}:
		return func() { <-a.streams }, nil
	default:
		return nil, rest.RetryLater("too-many-streams", fmt.Sprintf("%d streams are open at this node, which is all it has: close one.", cap(a.streams)), time.Second)
	}
}
