# llm-proxy in a container:
#   docker build -t llm-proxy --build-arg COMMIT=$(git rev-parse HEAD) .
#   docker run -p 8080:8080 -v ./llm-proxy.yaml:/etc/llm-proxy.yaml:ro \
#     llm-proxy serve --host 0.0.0.0 --config /etc/llm-proxy.yaml
# A container is reachable from outside, so there must be client keys
# (-e PROXY_API_KEY=..., or server.client_keys in the file); without them the
# program refuses to start unless it is given --allow-anonymous.
# docs/deploy/deployment.md has the rest.
FROM debian:12 AS build
WORKDIR /src
ARG COMMIT=unknown
ENV LLMPROXY_COMMIT=$COMMIT
COPY .ci/install .ci/install
RUN .ci/install run
COPY CMakeLists.txt CMakePresets.json ./
COPY include include
COPY lib lib
COPY server server
RUN cmake --preset release -DLLMPROXY_BUILD_TESTS=OFF \
      -DLLMPROXY_BUILD_EXAMPLES=OFF \
    && cmake --build --preset release --target llm-proxy \
    && strip build/release/server/llm-proxy

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
      libcpp-httplib0.11 libcurl4 libfmt9 libmimalloc2.0 libsimdjson14 \
      libbrotli1 libspdlog1.10 libyaml-cpp0.7 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin llm-proxy
COPY --from=build /src/build/release/server/llm-proxy /usr/local/bin/
USER llm-proxy
EXPOSE 8080
# There is no curl in here; bash can ask by itself.
HEALTHCHECK --interval=30s --timeout=5s CMD ["bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/${PORT:-8080} && \
   printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ' 200 ' <&3"]
# The demo and the providers whose keys are in the environment.
ENTRYPOINT ["llm-proxy"]
CMD ["serve", "--host", "0.0.0.0"]
