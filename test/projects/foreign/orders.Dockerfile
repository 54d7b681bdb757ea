FROM node:24-bookworm-slim
COPY orders.mjs /app/
ENV SERVER_PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s CMD wget -q --tries=1 -O /dev/null http://127.0.0.1:3000/actuator/health
CMD ["node", "/app/orders.mjs"]
