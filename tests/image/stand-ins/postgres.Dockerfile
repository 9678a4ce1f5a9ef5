# The official image's way of speaking, with the distribution's PostgreSQL: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, ready on port 5432.
ARG DEBIAN
FROM $DEBIAN
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null
COPY postgres-entrypoint /usr/local/bin/
USER postgres
ENTRYPOINT ["/usr/local/bin/postgres-entrypoint"]
