#include "strangers.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

#define DEPLOY "What applies migrations here: tidelock deploy"
#define STATUS "What compares folder and database here: tidelock status"
#define BACK "What undoes migrations by the inverses that were written for them: tidelock rollback"
#define REHEARSE "To check what is pending, and list it: tidelock deploy --dry-run"
#define STAYS(words) "This stays with Prisma: npx prisma " words
#define BY_HAND "A migration is a directory with a migration.sql: make one, and write the SQL into it."

/* By Prisma, Flyway, Liquibase, golang-migrate, dbmate, goose, sqlx and others; a group's own commands first.
 */
static const struct {
    const char *before; /* the group that it is typed behind; NULL = none */
    const char *word;
    const char *says;
} STRANGERS[] = {
    { "migrate", "dev", STAYS("migrate dev. ") DEPLOY },
    { "migrate", "reset", STAYS("migrate reset, for a database of your own. tidelock never drops one.") },
    { "migrate", "run", DEPLOY },
    { "db", "push", STAYS("db push. ") DEPLOY },
    { "db", "pull", STAYS("db pull.") },
    { "db", "seed", STAYS("db seed.") },
    { "db", "execute", STAYS("db execute. Or: psql --file FILE") },
    { NULL, "db", "Prisma's db commands stay with Prisma: npx prisma db COMMAND. " DEPLOY },
    { NULL, "migrate", DEPLOY },
    { NULL, "up", DEPLOY },
    { NULL, "apply", DEPLOY },
    { NULL, "update", DEPLOY },
    { NULL, "upgrade", DEPLOY },
    { NULL, "latest", DEPLOY },
    { NULL, "migration", DEPLOY },
    { NULL, "prisma", "Leave that word out: tidelock migrate deploy" },
    { NULL, "lint", "To see what pending statements would do: tidelock plan" },
    { NULL, "dev", STAYS("migrate dev. ") DEPLOY },
    { NULL, "push", STAYS("db push. ") DEPLOY },
    { NULL, "pull", STAYS("db pull.") },
    { NULL, "seed", STAYS("db seed.") },
    { NULL, "execute", STAYS("db execute. Or: psql --file FILE") },
    { NULL, "generate", STAYS("generate.") },
    { NULL, "studio", STAYS("studio.") },
    { NULL, "format", STAYS("format.") },
    { NULL, "down", BACK },
    { NULL, "undo", BACK },
    { NULL, "redo", "tidelock rollback, then tidelock deploy" },
    { NULL, "revert", BACK },
    { NULL, "downgrade", BACK },
    { NULL, "goto",
      "To go up to a migration: tidelock deploy --to NAME; back to one: tidelock rollback --to NAME" },
    { NULL, "reset",
      "To undo every migration by its inverse: tidelock rollback --all. tidelock drops no database" },
    { NULL, "clean", "tidelock never drops anything. For a database of your own: dropdb and createdb" },
    { NULL, "drop", "tidelock never drops anything. For a database of your own: dropdb and createdb" },
    { NULL, "info", STATUS },
    { NULL, "history", STATUS },
    { NULL, "list", STATUS },
    { NULL, "pending", STATUS },
    { NULL, "validate", STATUS " --exit-code. " REHEARSE },
    { NULL, "check", STATUS " --exit-code. " REHEARSE },
    { NULL, "repair",
      "To settle a migration that failed half-way: tidelock resolve. To accept an edited script as it is: "
      "tidelock resolve --accept-edit NAME" },
    { NULL, "force", "To settle a migration that failed half-way: tidelock resolve" },
    { NULL, "fix", "To settle a migration that failed half-way: tidelock resolve" },
    { NULL, "new", BY_HAND },
    { NULL, "create", BY_HAND },
    { NULL, "add", BY_HAND },
    { NULL, "init", BY_HAND },
    { NULL, "dump", "What dumps a schema: pg_dump --schema-only. To compare it: tidelock snapshot" },
};

const char *stranger_advice(const char *before, const char *word)
{
    for (size_t i = 0; i < array_length(STRANGERS); i++) {
        const char *group = STRANGERS[i].before;

        if ((group == NULL || (before != NULL && strcmp(group, before) == 0)) &&
            strcmp(STRANGERS[i].word, word) == 0)
            return STRANGERS[i].says;
    }
    return NULL;
}
