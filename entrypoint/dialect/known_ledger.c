#include "dialect/known_ledger.h"

#include <string.h>

/* clang-format off */

/* From the sources and the documentation of each. Categories: B boolean, D date or time, N number, S string,
 * U bytes. */
const struct known_ledger KNOWN_LEDGERS[] = {
    { .tool = "Prisma", .format = FORMAT_PRISMA, .table = "_prisma_migrations", .is_proven_by_reading = true,
      .has = "id:S checksum:S finished_at:D migration_name:S rolled_back_at:D started_at:D applied_steps_count:N" },
    { .tool = "golang-migrate", .format = FORMAT_GOLANG_MIGRATE, .table = "schema_migrations",
      .has = "version:N dirty:B" },
    { .tool = "goose", .format = FORMAT_GOOSE, .table = "goose_db_version", .own_rows = 1,
      .has = "id:N version_id:N is_applied:B tstamp:D" },
    { .tool = "dbmate", .format = FORMAT_DBMATE, .table = "schema_migrations",
      .has = "version:S", .lacks = "dirty statements name description", .beside = NOT_BESIDE_IT },
    { .tool = "Flyway", .format = FORMAT_FLYWAY, .table = "flyway_schema_history",
      .has = "installed_rank:N version:S description:S type:S script:S checksum:N success:B" },
    { .tool = "sqlx", .format = FORMAT_SQLX, .table = "_sqlx_migrations",
      .has = "version:N description:S installed_on:D success:B checksum:U execution_time:N" },
    { .tool = "Drizzle", .format = FORMAT_DRIZZLE, .schema = "drizzle", .table = "__drizzle_migrations",
      .has = "id:N hash:S created_at:N" },

    { .tool = "Rails", .table = "schema_migrations", .has = "version:S", .lacks = "dirty statements",
      .beside = BESIDE_IT, .programs = "Ruby" },
    { .tool = "Django", .table = "django_migrations", .has = "id:N app:S name:S applied:D", .programs = "Python" },
    { .tool = "Alembic", .table = "alembic_version", .has = "version_num:S", .programs = "Python" },
    { .tool = "Ecto", .table = "schema_migrations", .has = "version:N inserted_at:D", .programs = "Elixir" },
    { .tool = "Laravel", .table = "migrations", .has = "id:N migration:S batch:N", .programs = "PHP" },
    { .tool = "Knex", .table = "knex_migrations", .has = "id:N name:S batch:N migration_time:D",
      .programs = "JavaScript" },
    { .tool = "TypeORM", .table = "migrations", .has = "id:N timestamp:N name:S", .programs = "JavaScript" },
    { .tool = "Sequelize", .table = "SequelizeMeta", .has = "name:S", .programs = "JavaScript" },
    { .tool = "node-pg-migrate", .table = "pgmigrations", .has = "id:N name:S run_on:D",
      .programs = "JavaScript" },
    { .tool = "Entity Framework", .table = "__EFMigrationsHistory", .has = "MigrationId:S ProductVersion:S",
      .programs = "C#" },
    { .tool = "Entity Framework", .table = "__EFMigrationsHistory", .has = "migration_id:S product_version:S",
      .programs = "C#" },
    { .tool = "Liquibase", .table = "databasechangelog", .has = "id:S author:S filename:S md5sum:S" },
    { .tool = "Atlas", .schema = "atlas_schema_revisions", .table = "atlas_schema_revisions",
      .has = "version:S hash:S applied:N total:N" },
    { .tool = "Atlas", .table = "atlas_schema_revisions", .has = "version:S hash:S applied:N total:N" },
    { .tool = "Supabase", .schema = "supabase_migrations", .table = "schema_migrations", .has = "version:S",
      .lacks = "dirty" },
    { .tool = "graphile-migrate", .schema = "graphile_migrate", .table = "migrations",
      .has = "hash:S previous_hash:S filename:S" },
    { .tool = "refinery", .table = "refinery_schema_history", .has = "version:N name:S applied_on:S checksum:S" },
    { .tool = "tern", .table = "schema_version", .has = "version:N", .lacks = "success" },
    { .tool = NULL },
};

/* clang-format on */

/* Whether `word`, followed by `end` or the end of the list, is in a list of words. */
static bool has_word(const char *list, const char *word, size_t length, char end)
{
    for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, word, length) == 0 && (at[length] == end || at[length] == '\0'))
            return true;
    }
    return false;
}

static size_t word_length(const char *at)
{
    return strcspn(at, " ");
}

static bool has_all(const char *columns, const char *wanted)
{
    for (const char *at = wanted; *at != '\0'; at += word_length(at)) {
        at += *at == ' ';
        if (!has_word(columns, at, word_length(at), ' '))
            return false;
    }
    return true;
}

static bool has_any(const char *columns, const char *unwanted)
{
    for (const char *at = unwanted; at != NULL && *at != '\0'; at += word_length(at)) {
        at += *at == ' ';
        if (has_word(columns, at, word_length(at), ':'))
            return true;
    }
    return false;
}

bool known_ledger_fits(const struct known_ledger *ledger, const struct table_look *look)
{
    return has_all(look->columns, ledger->has) && !has_any(look->columns, ledger->lacks) &&
           (ledger->beside == BESIDE_OR_NOT || (ledger->beside == BESIDE_IT) == look->has_beside);
}

bool known_ledger_fits_format(enum format format, const struct table_look *look)
{
    bool is_known = false;

    for (const struct known_ledger *known = KNOWN_LEDGERS; known->tool != NULL; known++) {
        if (known->format != format)
            continue;
        is_known = true;
        if (known_ledger_fits(known, look))
            return true;
    }
    return !is_known;
}

bool known_ledger_is_checked(enum format format)
{
    for (const struct known_ledger *known = KNOWN_LEDGERS; known->tool != NULL; known++) {
        if (known->format == format && !known->is_proven_by_reading)
            return true;
    }
    return false;
}

const struct known_ledger *known_ledger_find(const struct table_look *look)
{
    for (const struct known_ledger *known = KNOWN_LEDGERS; known->tool != NULL; known++) {
        if (strcmp(known->table, look->table) == 0 &&
            (known->schema == NULL || strcmp(known->schema, look->schema) == 0) &&
            known_ledger_fits(known, look))
            return known;
    }
    return NULL;
}
