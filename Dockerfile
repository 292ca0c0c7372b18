# The image holds Python, the service and what it needs to run: no shell, no package manager, no pip, no build tools, no root.
# What was tried without a container engine, and what never was: docs/decisions/0021-container.md.
#
# Tags move. A release is built from digests, which stay (docs/operator.md, "In a container"):
#   docker build --build-arg BUILD_IMAGE=debian:trixie-slim@sha256:... --build-arg RUNTIME_IMAGE=...@sha256:... .
ARG BUILD_IMAGE=debian:trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/python3-debian13:nonroot

# ---- build: the Python of Debian 13, which is also the Python of the runtime image, so that the environment fits both
FROM ${BUILD_IMAGE} AS build
# Versions come with the digest of the image and the day of the build; Debian keeps no older ones that could be pinned.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-venv \
 && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /src
COPY requirements.lock ./
# Two environments: /opt/build has pip and makes the other one, /opt/bonecds goes into the image and never has pip.
RUN python3.13 -m venv /opt/build \
 && python3.13 -m venv --without-pip /opt/bonecds \
 && /opt/build/bin/pip install --no-deps --require-hashes --requirement requirements.lock \
 && /opt/build/bin/pip --python /opt/bonecds/bin/python install --no-deps --require-hashes --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY cds_service cds_service
COPY hooks hooks
COPY fixtures/scenarios fixtures/scenarios
# What only builds goes again; `pip check` says whether anything was needed after all.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
 && /opt/build/bin/pip --python /opt/bonecds/bin/python install --no-deps --no-index --find-links /opt/wheel bonecds \
 && /opt/build/bin/pip --python /opt/bonecds/bin/python uninstall --yes \
      editables hatchling packaging pathspec pluggy tomlkit trove-classifiers \
 && /opt/build/bin/pip --python /opt/bonecds/bin/python check \
 && mkdir /opt/state

# ---- what is shipped
FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="Bone Health CDS" \
      org.opencontainers.image.description="CDS Hooks service for bone health in adults with multiple sclerosis or on glucocorticoids" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/bonecds /opt/bonecds
# The two folders a site may mount a volume on. A new volume takes owner and mode from here.
COPY --from=build --chown=65532:65532 --chmod=0700 /opt/state /var/lib/bonecds
COPY --from=build --chown=65532:65532 --chmod=0755 /opt/state /var/lib/bonecds-database
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# nonroot of the runtime image; by number, so that Kubernetes can see that it is not root
USER 65532:65532
WORKDIR /var/lib/bonecds

EXPOSE 8080
# gunicorn finishes the calls under way, for 10 seconds at most
STOPSIGNAL SIGTERM
# Alive, not ready: whoever restarts unhealthy containers must not do so because a database is down.
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s --retries=3 \
  CMD ["/opt/bonecds/bin/python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=2); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["/opt/bonecds/bin/bonecds"]
# Inside the container loopback would be unreachable. The service refuses other addresses while it cannot authenticate
# callers, unless BONECDS_INSECURE_PUBLIC_BIND=true: docker-compose.yml sets it and publishes the port on loopback only.
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
