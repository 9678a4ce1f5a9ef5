// A guestbook: every request is a visit. It needs the schema of prisma/migrations, and checks nothing itself.
const fs = require("node:fs");
const http = require("node:http");
const { Pool } = require("pg");

const { DATABASE_URL, DATABASE_URL_FILE } = process.env;
const pool = new Pool({ connectionString: DATABASE_URL || fs.readFileSync(DATABASE_URL_FILE, "utf8").trim() });

const server = http.createServer(async (request, response) => {
  try {
    await pool.query('INSERT INTO "Visit" ("guest") VALUES ($1)', [request.url.slice(1) || "somebody"]);
    const { rows } = await pool.query('SELECT "guest", "seenAt" FROM "Visit" ORDER BY "id"');
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(rows));
  } catch (error) {
    response.statusCode = 500;
    response.end(error.message);
  }
});

server.listen(Number(process.env.PORT || 3000));
process.on("SIGTERM", () => server.close(() => pool.end()));
