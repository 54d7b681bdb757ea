FROM medyk-test/base
COPY --chmod=755 database.sh /usr/local/bin/database
ENV PATH=$PATH:/usr/lib/postgresql/15/bin
VOLUME /var/lib/postgresql/data
EXPOSE 5432
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD pg_isready --host=127.0.0.1 --quiet
CMD ["database"]
