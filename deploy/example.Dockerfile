# The services of the example pipeline: one image, and the command says which one.
FROM node:24-bookworm-slim AS tree
WORKDIR /src
COPY . .
RUN node deploy/tree.mjs examples/detektor /out && cp -r examples/detektor/clip /out/node_modules/detektor-example/

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="detektor example" org.opencontainers.image.licenses="MIT"
# The health checks of compose.yaml call it.
RUN command -v curl >/dev/null \
  || (apt-get update && apt-get install --yes --no-install-recommends curl && rm -rf /var/lib/apt/lists/*)
RUN mkdir /data && chown 10001:10001 /data
COPY --from=tree /out /app
USER 10001:10001
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app/node_modules/detektor-example
CMD ["node", "dist/services/rtsp-capture.js"]
