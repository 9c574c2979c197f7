package link

import (
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/roomring/roomring/cluster/link/linkpb"
)

// traced makes spans of questions alone: the streams last as long as the nodes do, and a beat tells nobody anything.
func (o *Options) traced() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(o.Tracing), otelgrpc.WithMeterProvider(noop.NewMeterProvider()), otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithFilter(func(call *stats.RPCTagInfo) bool { return call.FullMethodName == linkpb.Peer_Call_FullMethodName }),
	}
}

func (o *Options) dialTraced() []grpc.DialOption {
	if o.Tracing == nil {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(o.traced()...))}
}

func (o *Options) serveTraced() []grpc.ServerOption {
	if o.Tracing == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(o.traced()...))}
}
