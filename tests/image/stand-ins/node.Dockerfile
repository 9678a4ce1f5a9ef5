# Node.js and npm, and the CA certificates of the machine that the test runs on.
ARG DEBIAN
FROM $DEBIAN
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null && useradd node
COPY ca-certificates.crt /usr/local/share/
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates.crt
