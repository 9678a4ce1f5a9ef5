# For building a Dockerfile whose packages are not to be fetched.
ARG DEBIAN
FROM $DEBIAN
RUN useradd node && ln -s /bin/true /usr/local/bin/npm
