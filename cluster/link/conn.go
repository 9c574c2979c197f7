package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// conn is a connection that remembers why it broke. gRPC does not always tell, and with TLS 1.3 a client learns only when
// it reads why the peer refused it.
type conn struct {
	net.Conn
	via string // the node that carries it; "": it is direct

	mu          sync.Mutex
	read, wrote error // the first of each kind
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.remember(&c.read, err)
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		c.remember(&c.wrote, err)
	}
	return n, err
}

func (c *conn) remember(first *error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *first == nil {
		*first = err
	}
}

// explain returns what the connection knows better than err.
func (c *conn) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if better := explain(c.read); better != c.read { //nolint:errorlint // explain returns err itself when it knows nothing better
		return better
	}
	return err
}

// hungUp reports whether the peer's process or kernel has closed or reset the connection. It has not if this node closed
// it, or the kernel here gave it up.
func (c *conn) hungUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(c.read, err) || errors.Is(c.wrote, err) {
			return true
		}
	}
	return false
}

var errLost = errors.New("the connection is lost")

// client makes a gRPC client on one connection. It never dials another, because every connection needs a new greeting.
func client(raw *conn, largest int, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	only := make(chan net.Conn, 1)
	only <- raw
	return grpc.NewClient("passthrough:///peer", append(options,
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-only:
				return c, nil
			default:
				return nil, errLost
			}
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the connection has its own
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(batchCodec), grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithIdleTimeout(0),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithWriteBufferSize(bufferSize), grpc.WithReadBufferSize(bufferSize),
	)...)
}
