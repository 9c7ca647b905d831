# The image of repoledger: docs/deploy.md says how to build and run it.
#
# It needs nothing but the classic instructions, so that every builder can build it, and no network
# but for the one step that downloads.

# Named once for both stages, because a virtual environment works only with the interpreter that it
# was made with. The tag stays with one minor version of Python and one release of Debian, and moves
# with their security fixes. To pin one image instead, append the digest that
# `docker buildx imagetools inspect python:3.13-slim-trixie` prints:
#   FROM python:3.13-slim-trixie@sha256:... AS base
FROM python:3.13-slim-trixie AS base


FROM base AS builder

# What is downloaded is used once; this stage has no other user than root, and is thrown away.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# First and alone: this layer is rebuilt only when a locked version changes. Wheels only, because an
# sdist would be built with tools that no hash vouches for. From then on pip may use nothing but the
# files whose hashes were right. The build tools stay in this stage's Python.
COPY constraints.txt constraints-all.txt ./
RUN pip download --require-hashes --only-binary :all: --dest wheels \
        --requirement constraints-all.txt \
 && pip install --no-compile --no-index --find-links wheels \
        --require-hashes --requirement constraints.txt

COPY pyproject.toml README.md LICENSE config.toml ./
COPY migrations migrations
COPY sync sync

# Extras of repoledger's that the image has; `all` adds keyrings, charts and OAuth 1.
ARG EXTRAS=postgresql,mysql,app

# Resolved from the dependencies of repoledger and these extras alone, so no build tool comes along.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && python -m venv --without-pip /opt/repoledger \
 && pip --python /opt/repoledger/bin/python install --no-compile --no-index --find-links wheels \
        "$(echo wheels/repoledger-*.whl)[$EXTRAS]"

# The base image comes without compiled modules, and the user of the final stage may not write any:
# each start, each health check too, would compile them anew (0.3 s of processor time for the
# standard library alone). compileall does the packages, unchecked because files of an image never
# change; the demo does the part of the standard library that is used, and fails the build of an
# image that would not work.
ENV PYTHONPYCACHEPREFIX=/opt/repoledger/cache
RUN /opt/repoledger/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        /opt/repoledger/lib \
 && /opt/repoledger/bin/repoledger demo --directory demo


FROM base

LABEL org.opencontainers.image.title="repoledger" \
      org.opencontainers.image.description="Keeps a SQL database of your GitHub repositories" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"

# Unbuffered, so that what a command prints is in the container's log at once, also if it is killed.
ENV PATH=/opt/repoledger/bin:$PATH \
    PYTHONPYCACHEPREFIX=/opt/repoledger/cache \
    PYTHONUNBUFFERED=1

# Owned by root: the program cannot change itself.
COPY --from=builder /opt/repoledger /opt/repoledger

# The one place that is written to. A new named volume takes owner and mode from here.
RUN install -d -o 10001 -g 10001 -m 0750 /data

# A number, because Kubernetes can tell only of a number that it is not root; above those that
# distributions give to people and services. It needs no name.
USER 10001:10001

# The working folder, so that the default database, and a config.toml if there is one, are in it.
WORKDIR /data
VOLUME /data

# Of use once `http.listen` is an address that others reach; by default it is 127.0.0.1:8787, which
# is enough for the health check.
EXPOSE 8787

# Long before it counts: the daemon listens after it has migrated the schema of a large ledger.
HEALTHCHECK --interval=30s --timeout=10s --start-period=5m --retries=3 \
    CMD ["repoledger", "health"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["repoledger"]
CMD ["daemon"]
