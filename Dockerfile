# One image for workers, sink, entrances, migrations and replay: `gridwatch` with its pinned packages, its hot
# path compiled, not as root.
FROM python:3.12.11-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/gridwatch && python -m venv /opt/compiler
WORKDIR /src
# Packages first: they change seldom, and their layer is kept.
COPY setup.cfg setup.py pyproject.toml constraints.txt README.md LICENSE ./
COPY gridwatch/__init__.py gridwatch/
RUN /opt/gridwatch/bin/pip install -c constraints.txt '.[entrances]' \
 && /opt/compiler/bin/pip install -c constraints.txt setuptools mypy
COPY gridwatch gridwatch
COPY sinks sinks
COPY replay replay
RUN GRIDWATCH_COMPILE=1 /opt/compiler/bin/pip wheel --no-build-isolation --no-deps -w /wheels . \
 && /opt/gridwatch/bin/pip install --no-deps --force-reinstall /wheels/*.whl

FROM python:3.12.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin gridwatch \
 && install -d -o gridwatch -g gridwatch /data
COPY --from=build /opt/gridwatch /opt/gridwatch
ENV PATH=/opt/gridwatch/bin:$PATH PYTHONUNBUFFERED=1 GRIDWATCH_DATADIR=/data GRIDWATCH_WEB_HOST=0.0.0.0 \
    HEALTH_PORT=6066
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 6066 6067 6069 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['HEALTH_PORT'] + '/live/', timeout=4)"]
ENTRYPOINT ["gridwatch"]
CMD ["worker", "-l", "info"]
