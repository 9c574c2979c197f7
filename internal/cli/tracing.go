package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/internal/node"
)

// tracesWanted reports whether the OTEL_… variables ask for traces. Nothing is traced unless one of them says where to.
func tracesWanted() (bool, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "":
		if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER %q: give otlp or none", exporter)
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	if protocol != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL %q: traces go by http/protobuf, which collectors take on port 4318", protocol)
	}
	return true, nil
}

// startTracing makes what the OTEL_… variables ask for; nil: nothing. The caller must call end, which sends what is left.
func startTracing(ctx context.Context, cfg *node.Config, log *slog.Logger) (provider trace.TracerProvider, end func(), err error) {
	wanted, err := tracesWanted()
	if err != nil || !wanted {
		return nil, func() {}, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("traces: %w", withoutURL(err))
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces could not be sent", "err", withoutURL(err)) }))
	about, err := resource.Merge(resource.NewSchemaless(
		attribute.String("service.name", "roomring"), attribute.String("service.version", node.Version()), attribute.String("service.instance.id", cfg.Name()),
	), resource.Environment())
	if err != nil {
		return nil, nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	traces := sdk.NewTracerProvider(sdk.WithBatcher(discreet{exporter}), sdk.WithResource(about)) // the sampler is that of OTEL_TRACES_SAMPLER
	log.Info("traces are sent", "sampler", cmp.Or(os.Getenv("OTEL_TRACES_SAMPLER"), "parentbased_always_on"))
	return traces, func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := traces.Shutdown(limited); err != nil {
			log.Warn("the last traces could not be sent", "err", withoutURL(err))
		}
	}, nil
}

// withoutURL is an error without the URL that it is about, which may hold a password.
func withoutURL(err error) error {
	if of, ok := errors.AsType[*url.Error](err); ok {
		return of.Err
	}
	return err
}

// told are the attributes of spans that leave the process. Others, which libraries may add, could name players: addresses, paths.
var told = []string{"http.request.method", "http.route", "http.response.status_code", "error.type"}

// discreet exports spans without what they should not tell.
type discreet struct{ sdk.SpanExporter }

// ExportSpans implements sdk.SpanExporter.
func (d discreet) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	out := make([]sdk.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = discreetSpan{s}
	}
	return d.SpanExporter.ExportSpans(ctx, out)
}

type discreetSpan struct{ sdk.ReadOnlySpan }

func (s discreetSpan) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(s.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool {
		key := string(a.Key)
		return !slices.Contains(told, key) && !strings.HasPrefix(key, "roomring.") && !strings.HasPrefix(key, "rpc.")
	})
}

// Status leaves out the text of errors.
func (s discreetSpan) Status() sdk.Status { return sdk.Status{Code: s.ReadOnlySpan.Status().Code} }

func (s discreetSpan) Events() []sdk.Event { return nil }
func (s discreetSpan) Links() []sdk.Link   { return nil }
