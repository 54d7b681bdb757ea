FROM medyk-test/base
COPY --chmod=755 postgres.sh /usr/local/bin/start-postgres
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["start-postgres"]
