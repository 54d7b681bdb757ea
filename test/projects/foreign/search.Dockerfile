FROM medyk-test/base
COPY web.py /app/
ENV PORT=8000 BODY=ready HEALTH_PATH=/ready
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/ready', timeout=3)"]
CMD ["python3", "/app/web.py"]
