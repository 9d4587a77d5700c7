# Any Debian-based image with python3 (3.11 or newer) and its venv module. glibc, not musl: deep YAML needs the stack.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
# Two optional build secrets, for a package index of one's own: `pip` is a pip.conf, `ca` a bundle that it may name.
ENV PIP_CONFIG_FILE=/run/secrets/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt requirements-dev.txt ./
# The backend that makes the wheel is locked too, and stays in this stage, as pip does.
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \
    python3 -m venv tools \
    && python3 -m venv --without-pip /opt/reconciler \
    && awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } wanted' \
        requirements-dev.txt > requirements-build.txt \
    && tools/bin/pip install --no-deps --require-hashes -r requirements-build.txt \
    && tools/bin/pip --python /opt/reconciler/bin/python install --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY reconciler reconciler
RUN tools/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/pip --python /opt/reconciler/bin/python install --no-index --no-deps dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="reconciler" \
      org.opencontainers.image.description="A declarative GitOps reconciler daemon for immutable EC2 fleets" \
      org.opencontainers.image.licenses="Apache-2.0"
# Versions of Debian packages are not pinned: the archive keeps only the newest, which has the security fixes.
# ssh ends at once for a user without an entry in passwd, so this one has a name; USER is numeric, so that
# Kubernetes can tell that it is not root.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/cache/reconciler \
        --shell /usr/sbin/nologin reconciler \
    && install -d -o 10001 -g 10001 /var/cache/reconciler
COPY --from=build /opt/reconciler /opt/reconciler
# The mirror of the repository is all that is written; the root file system may be read-only.
# XDG_CACHE_HOME and not RECONCILER_CACHE: where the folder can't be written, the program then takes /tmp.
ENV PATH=/opt/reconciler/bin:$PATH \
    HOME=/var/cache/reconciler \
    XDG_CACHE_HOME=/var/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RECONCILER_LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /srv
VOLUME /var/cache/reconciler
EXPOSE 8080
STOPSIGNAL SIGTERM
# No urllib: it would go through a proxy of the environment. HTTPConnection reads host:port as RECONCILER_LISTEN is.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python3", "-c", "import os, sys, http.client as h; c = h.HTTPConnection(os.environ['RECONCILER_LISTEN'], timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["reconciler"]
CMD ["run"]
