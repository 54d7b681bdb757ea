FROM medyk-test/base
# As in a slim image: the check below was written for a bigger one.
RUN rm /usr/bin/curl
COPY web.py /app/
ENV PORT=9000 BODY=checks SIGTERM=ignored
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=3s CMD curl --fail http://localhost:9000/health
CMD ["python3", "/app/web.py"]
