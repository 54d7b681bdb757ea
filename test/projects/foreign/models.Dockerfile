FROM medyk-test/base
COPY web.py /app/
ENV PORT=8500 BODY=status HEALTH_PATH=/healthz BOOT_SECONDS=90
EXPOSE 8500
HEALTHCHECK --interval=10s --timeout=3s --retries=3 CMD curl -f http://localhost:8500/healthz
CMD ["python3", "/app/web.py"]
