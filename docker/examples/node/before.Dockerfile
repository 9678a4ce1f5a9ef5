# A Prisma application that migrates with the Prisma command line. "-" marks what after.Dockerfile no longer has.
ARG NODE=node:22-slim
FROM $NODE

# - OpenSSL and CA certificates, which Prisma's schema engine links to
RUN apt-get update && apt-get install -y --no-install-recommends openssl ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json ./
# - the development dependencies: without them there is no prisma in the image
RUN npm install
COPY prisma prisma
COPY server.js ./
USER node
# - a shell as PID 1 that passes no signal on; a Node.js process and an engine process before every start; ten seconds for the
#   lock, then an error
CMD ["sh", "-c", "npx prisma migrate deploy && node server.js"]
