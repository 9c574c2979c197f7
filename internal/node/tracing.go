package node

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// tracer makes the spans of acts. Nil: nothing is traced.
func (n *Node) tracer() trace.Tracer {
	if n.tracing == nil {
		return nil
	}
	return n.tracing.Tracer("github.com/roomring/roomring")
}

// traced makes a span of each request of the API. A stranger's own trace is not gone on with: it would say what is sampled.
func (n *Node) traced(next http.Handler) http.Handler {
	if n.tracing == nil {
		return next
	}
	return otelhttp.NewHandler(next, "http",
		otelhttp.WithTracerProvider(n.tracing), otelhttp.WithMeterProvider(noop.NewMeterProvider()), otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }), otelhttp.WithFilter(answersAtOnce))
}

// answersAtOnce leaves out sockets and streams, which last for as long as somebody listens, and files.
func answersAtOnce(r *http.Request) bool {
	_, path, api := strings.Cut(r.URL.Path, "/v1/")
	return api && !strings.HasSuffix(path, "/ws") && !strings.HasSuffix(path, "/events")
}
