# Two images from one recipe:
#   docker build --target phonework -t phonework .        router, gateway, init, enroll
#   docker build --target host -t phonework-host .        the same with Node.js, git and claude, for hosts
# The broker is nats-server's own image; docker-compose.yml puts them together.

ARG RUST_VERSION=1.95
ARG NODE_VERSION=24

FROM rust:${RUST_VERSION}-slim-bookworm AS build
WORKDIR /build
COPY . .
# What cargo fetched and built is kept by the builder, so that the next build is a short one.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin phonework \
    && install -D target/release/phonework /out/phonework

FROM node:${NODE_VERSION}-bookworm-slim AS claude
# The version that the tests run with, as in tests/setup.
ARG CLAUDE_VERSION=2.1.330
RUN npm install --global --no-audit --no-fund --allow-scripts=@anthropic-ai/claude-code \
        "@anthropic-ai/claude-code@${CLAUDE_VERSION}" \
    && rm -f /usr/local/bin/yarn /usr/local/bin/yarnpkg /usr/local/bin/docker-entrypoint.sh \
    && claude --version

FROM debian:bookworm-slim AS base
# Of the person whose keyring.yaml is mounted: only its owner may read it.
ARG UID=1000
ARG GID=1000
# curl asks /health.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/*
# An empty named volume takes owner and mode of the folder it is mounted on, so all of these exist:
# /var/lib/phonework is DATA_DIR, /carry is where `init` leaves what other parts need.
RUN groupadd --non-unique --gid "$GID" phonework \
    && useradd --non-unique --uid "$UID" --gid "$GID" --create-home --shell /bin/bash phonework \
    && install -d -o "$UID" -g "$GID" -m 0700 /var/lib/phonework /carry /carry/gateway /carry/demo /carry/leaf /carry/lab \
    && install -d -o "$UID" -g "$GID" -m 0755 /projects
COPY --from=build /out/phonework /usr/local/bin/phonework
ENV PHONEWORK_DATA_DIR=/var/lib/phonework
WORKDIR /home/phonework
USER phonework
ENTRYPOINT ["phonework"]

FROM base AS host
USER root
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client procps \
    && rm -rf /var/lib/apt/lists/*
COPY --from=claude /usr/local/bin/ /usr/local/bin/
COPY --from=claude /usr/local/lib/node_modules/ /usr/local/lib/node_modules/
ENV PHONEWORK_WORKING_DIR=/projects \
    DISABLE_AUTOUPDATER=1
USER phonework
CMD ["host"]

# The last one is what a build without --target makes.
FROM base AS phonework
