# The same application with tidelock. In this folder:
#
#   docker build -f after.Dockerfile -t guestbook .
ARG NODE=node:22-slim
ARG TIDELOCK=registry.example.com/tidelock/tidelock:0.2.0
FROM $TIDELOCK AS tidelock

FROM $NODE
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev
COPY prisma/migrations prisma/migrations
COPY server.js ./
COPY --from=tidelock /tidelock /tidelock
USER node
ENTRYPOINT ["/tidelock", "run", "--"]
CMD ["node", "server.js"]
