# The image holds the service and nothing else: no compiler, no package index settings, no root.
FROM python:3.11-slim

WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY cds_service cds_service
COPY hooks hooks
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && useradd --system --no-create-home --uid 10001 bonecds
USER 10001

EXPOSE 8080
# Inside the container loopback would be unreachable. The service refuses other addresses while it cannot authenticate
# callers, unless BONECDS_INSECURE_PUBLIC_BIND=true: docker-compose.yml sets it and publishes the port on loopback only.
CMD ["bonecds", "serve", "--host", "0.0.0.0", "--port", "8080"]
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
