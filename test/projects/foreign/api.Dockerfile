FROM medyk-test/base
COPY web.py /app/
ENV PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --retries=3 CMD curl -fsS http://localhost:${PORT}/health || exit 1
CMD ["python3", "/app/web.py"]
