# The operator's image: what `hydatis run` needs and nothing else. tests/integration/test_runtime_install.py runs these steps.
#
#   docker build -t hydatis:0.1.0 .

FROM python:3.11-slim AS build
COPY . /source
RUN python -m venv /opt/hydatis \
    && /opt/hydatis/bin/pip install --no-cache-dir --require-hashes -r /source/requirements/runtime.txt \
    && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source \
    && /opt/hydatis/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
COPY --from=build /opt/hydatis /opt/hydatis
USER 65532:65532
ENTRYPOINT ["/opt/hydatis/bin/hydatis"]
CMD ["run"]
