# The image of roomring: one static binary, the certificates of public authorities, an empty folder for data, and
# nothing else: no shell, no package manager, no /etc/machine-id that would tie a data volume to an image.
#
#   docker build --build-arg VERSION=v1.2.3 -t roomring:v1.2.3 .
#   docker run -p 7777:7777 -v roomring:/data --stop-timeout 120 roomring:v1.2.3
#
# `make image-test` builds and runs it without a registry.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
# GOPROXY and GOFLAGS are for machines that fetch modules in a way of their own; unset they are Go's defaults.
ARG GOPROXY
ARG GOFLAGS
# What `roomring version` says. Without it the binary calls itself devel: the build sees no repository.
ARG VERSION
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/roomring/roomring/internal/node.release=${VERSION}" -o /out/roomring ./cmd/roomring && \
    mkdir /out/data

FROM scratch
ARG VERSION
LABEL org.opencontainers.image.title="roomring" \
      org.opencontainers.image.description="A stateful WebSocket game and room server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# For --jwks-url, and for PostgreSQL over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/roomring /roomring
COPY --from=build --chown=10001:10001 --chmod=0700 /out/data /data

# A number, so that Kubernetes can see for itself that it is not root.
USER 10001:10001
# SQLite's temporary files go to the working folder when there is no /tmp.
WORKDIR /data
ENV ROOMRING_DATA_DIR=/data
VOLUME ["/data"]
# Players; admin API and metrics; links between nodes; gossip.
EXPOSE 7777 7778 7779 7946/tcp 7946/udp
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/roomring", "healthcheck"]
ENTRYPOINT ["/roomring"]
CMD ["serve"]
