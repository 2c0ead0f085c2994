# One image for every role: `docker run evens api`, `worker`, `cron`, `migrate`, …

FROM golang:1.26.8-alpine3.22 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=unknown
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath \
    -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" \
    -o /evens ./cmd/evens

# Alpine, not an image without a shell: health checks use its wget.
FROM alpine:3.22.1
RUN apk add --no-cache ca-certificates && adduser -D -H -u 10001 evens && \
    install -d -o 10001 -g 10001 -m 0700 /var/lib/evens
COPY --from=build /evens /usr/local/bin/evens
USER 10001:10001
# Inside a container, its own network is what 127.0.0.1 is outside.
ENV EVENS_LISTEN=0.0.0.0:8080 EVENS_OPS_LISTEN=0.0.0.0:8081 EVENS_LOG_FORMAT=json \
    EVENS_DATA_DIR=/var/lib/evens
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# Does the process live? Whether it is ready is for load balancers and alerts: a container that is ended for Redis's sake
# takes no results and no coupons.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD wget -q -O /dev/null http://127.0.0.1:8081/healthz || exit 1
ENTRYPOINT ["evens"]
CMD ["up"]
