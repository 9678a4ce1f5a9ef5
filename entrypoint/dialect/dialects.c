#include "base/memory.h"
#include "dialect/dialect.h"

const struct dialect *const DIALECTS[] = { &DIALECT_PRISMA,        &DIALECT_GOLANG_MIGRATE, &DIALECT_GOOSE,
                                           &DIALECT_DBMATE,        &DIALECT_SQLX,           &DIALECT_DRIZZLE,
                                           &DIALECT_DRIZZLE_NAMED, &DIALECT_FLYWAY,         NULL };

const char *const FORMAT_NAMES[] = {
    [FORMAT_AUTO] = "auto",   [FORMAT_PRISMA] = "prisma",   [FORMAT_GOLANG_MIGRATE] = "golang-migrate",
    [FORMAT_GOOSE] = "goose", [FORMAT_DBMATE] = "dbmate",   [FORMAT_FLYWAY] = "flyway",
    [FORMAT_SQLX] = "sqlx",   [FORMAT_DRIZZLE] = "drizzle",
};
_Static_assert(sizeof FORMAT_NAMES / sizeof *FORMAT_NAMES == FORMATS, "name every format");

bool dialect_repeats(const struct dialect *dialect, const char *name)
{
    return dialect->repeats != NULL && dialect->repeats(name);
}
