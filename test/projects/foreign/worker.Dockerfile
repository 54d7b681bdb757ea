FROM medyk-test/base
COPY worker.py /app/
CMD ["python3", "-u", "/app/worker.py"]
