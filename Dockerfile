# The operator's own image. Convex's images are neither built nor copied here: an instance refers to them where they are.
#
#   docker build -t convex-operator:dev .

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY statemachine statemachine
COPY tests tests
RUN cargo build --release --locked --package convex-operator --bin convex-operator

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="convex-operator" \
      org.opencontainers.image.description="Kubernetes operator for self-hosted Convex" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build/target/release/convex-operator /usr/local/bin/convex-operator
# As numbers, so that runAsNonRoot can be checked.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/convex-operator"]
CMD ["run"]
