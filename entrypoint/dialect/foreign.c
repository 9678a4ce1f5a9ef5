#include "dialect/foreign.h"

#include <fnmatch.h>
#include <string.h>

#include "base/memory.h"
#include "sql/scan.h"

/* clang-format off */

/* From the documentation of each. */
static const struct foreign_tool TOOLS[] = {
    { .name = "goose", .format = FORMAT_GOOSE, .mark = "+goose up", .back_mark = "+goose down" },
    { .name = "dbmate", .format = FORMAT_DBMATE, .mark = "migrate:up", .back_mark = "migrate:down" },
    { .name = "sql-migrate", .command = "sql-migrate up", .mark = "+migrate up", .back_mark = "+migrate down" },
    { .name = "rambler", .command = "rambler apply", .mark = "rambler up", .back_mark = "rambler down" },
    { .name = "micrate", .command = "micrate up", .mark = "+micrate up", .back_mark = "+micrate down" },
    { .name = "node-pg-migrate", .command = "node-pg-migrate up", .mark = "up migration", .back_mark = "down migration" },
    { .name = "Play", .command = "play.evolutions.autoApply=true", .mark = "!ups", .back_mark = "!downs" },
    { .name = "shmig", .command = "shmig migrate", .mark = "==== up ====", .back_mark = "==== down ====" },
    { .name = "tern", .command = "tern migrate", .mark = "create above / drop below",
      .back_mark = "create above / drop below" },
    { .name = "MyBatis Migrations", .command = "migrate up", .back_mark = "//@undo" },
    { .name = "MyBatis Migrations", .command = "migrate up", .back_mark = "// @undo" },
    { .name = "MyBatis Migrations", .command = "migrate up", .back_mark = "@undo" },
    { .name = "node-sqlite", .back_mark = "down", .back_is_behind = "up" },
    { .name = "graphile-migrate", .command = "graphile-migrate migrate", .mark = "! previous:" },
    { .name = "Liquibase", .command = "liquibase update", .mark = "liquibase formatted sql" },
    { .name = "Drizzle", .format = FORMAT_DRIZZLE, .mark = "> statement-breakpoint" },
    { .name = "Atlas", .command = "atlas migrate apply", .own_file = "atlas.sum" },
    { .name = "Supabase", .command = "supabase db push", .own_folder = "supabase" },
    { .name = "Flyway", .format = FORMAT_FLYWAY, .files = "[VU][0-9]*__*.sql" },
    { .name = "Flyway", .format = FORMAT_FLYWAY, .files = "R__*.sql" },
    { .name = "golang-migrate", .format = FORMAT_GOLANG_MIGRATE, .files = "*.up.sql" },
    { .name = "golang-migrate", .format = FORMAT_GOLANG_MIGRATE, .files = "*.down.sql" },
    { .name = "sqlx, Drizzle or Supabase", .format = FORMAT_SQLX, .files = "[0-9]*_*.sql" },
};

/* The first that fits. */
static const struct foreign_tool PROGRAMS[] = {
    { .name = "Alembic", .command = "alembic upgrade head", .files = "*.py", .word = "alembic" },
    { .name = "Django", .command = "python manage.py migrate", .files = "*.py", .word = "django" },
    { .name = "Rails", .command = "bin/rails db:migrate", .files = "[0-9]*_*.rb" },
    { .name = "Knex", .command = "knex migrate:latest", .files = "*.[cmjt]*s", .word = "knex" },
    { .name = "TypeORM", .command = "typeorm migration:run", .files = "*.[cmjt]*s", .word = "queryRunner" },
    { .name = "Sequelize", .command = "sequelize db:migrate", .files = "*.[cmjt]*s", .word = "queryInterface" },
    { .name = "node-pg-migrate", .command = "node-pg-migrate up", .files = "*.[cmjt]*s", .word = "pgm" },
    { .name = "Entity Framework", .command = "dotnet ef database update", .files = "*.cs" },
    { .name = "Liquibase", .command = "liquibase update", .files = "*.xml", .word = "databaseChangeLog" },
    { .name = "Liquibase", .command = "liquibase update", .files = "*.yaml", .word = "databaseChangeLog" },
    { .name = "Liquibase", .command = "liquibase update", .files = "*.yml", .word = "databaseChangeLog" },
    { .name = "Liquibase", .command = "liquibase update", .files = "*changelog*.json", .word = "databaseChangeLog" },
    { .name = "Laravel", .command = "php artisan migrate", .files = "[0-9]*_*.php", .word = "Illuminate" },
    { .name = "Ecto", .command = "mix ecto.migrate", .files = "[0-9]*_*.exs" },
    { .name = "goose", .format = FORMAT_GOOSE, .files = "[0-9]*_*.go", .word = "goose" },
};

/* clang-format on */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

static struct slice without_blanks(struct slice text)
{
    while (text.length > 0 && is_blank(text.at[0])) {
        text.at++;
        text.length--;
    }
    return text;
}

static bool is_of_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || (unsigned char)byte >= 0x80;
}

/* Some tools allow more dashes than the two of a comment. */
static struct slice without_dashes(struct slice text)
{
    while (text.length > 0 && (text.at[0] == '-' || text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.length--;
    }
    return text;
}

/* Whether a comment ("-- …") begins with the words of a mark. */
static bool has_words(struct slice comment, const char *mark)
{
    struct slice rest;

    if (mark == NULL || comment.length < 2 || comment.at[0] != '-')
        return false;
    rest = without_dashes(comment);
    for (; *mark != '\0' && rest.length > 0; mark++) {
        if (*mark == ' ' ? !is_blank(rest.at[0]) : lower(rest.at[0]) != *mark)
            return false;
        rest.at++;
        rest.length--;
        if (*mark == ' ')
            rest = without_blanks(rest);
    }
    return *mark == '\0' && (rest.length == 0 || !is_of_word(rest.at[0]));
}

/* The tool whose mark is the first in a comment of the text, or NULL. */
static const struct foreign_tool *find_mark(struct slice text)
{
    struct scanner scanner = scanner_of(text, true);
    struct token token;

    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        for (size_t i = 0; token.kind == TOKEN_COMMENT && i < array_length(TOOLS); i++) {
            if (has_words(scanner_text(&scanner, token), TOOLS[i].mark))
                return &TOOLS[i];
        }
    }
    return NULL;
}

static bool has_name(const struct foreign_tool *tool, const char *file)
{
    return tool->files != NULL && fnmatch(tool->files, file, 0) == 0;
}

const struct foreign_tool *foreign_tool_of(const char *file, struct slice text)
{
    const struct foreign_tool *said = find_mark(text);

    for (size_t i = 0; said == NULL && i < array_length(TOOLS); i++) {
        if (has_name(&TOOLS[i], file))
            said = &TOOLS[i];
    }
    return said;
}

const struct foreign_tool *foreign_program_of(const char *file, struct slice text)
{
    for (size_t i = 0; i < array_length(PROGRAMS); i++) {
        const char *word = PROGRAMS[i].word;

        if (has_name(&PROGRAMS[i], file) &&
            (word == NULL || memmem(text.at, text.length, word, strlen(word)) != NULL))
            return &PROGRAMS[i];
    }
    return NULL;
}

bool foreign_is_program(const char *file)
{
    static const char *const ends[] = { ".ts",  ".js",  ".mjs", ".cjs",  ".mts", ".cts", ".py",
                                        ".rb",  ".go",  ".php", ".java", ".cs",  ".exs", ".ex",
                                        ".xml", ".yml", ".kt",  ".rs",   ".yaml" };

    for (size_t i = 0; i < array_length(ends); i++) {
        if (text_ends_with(file, ends[i]) && strcmp(file, ends[i]) != 0)
            return true;
    }
    return fnmatch("*changelog*.json", file, 0) == 0;
}

const struct foreign_tool *foreign_owner_of(const char *file)
{
    for (size_t i = 0; i < array_length(TOOLS); i++) {
        if (TOOLS[i].own_file != NULL && strcmp(TOOLS[i].own_file, file) == 0)
            return &TOOLS[i];
    }
    return NULL;
}

const struct foreign_tool *foreign_owner_of_folder(const char *folder)
{
    for (size_t i = 0; i < array_length(TOOLS); i++) {
        if (TOOLS[i].own_folder != NULL && strcmp(TOOLS[i].own_folder, folder) == 0)
            return &TOOLS[i];
    }
    return NULL;
}

void foreign_add_remedy(const struct foreign_tool *tool, struct text *out)
{
    if (tool->format != FORMAT_AUTO)
        text_add_format(out, "If the folder is one of %s: --format %s.", tool->name,
                        FORMAT_NAMES[tool->format]);
    else
        text_add_format(out, "Only %s can apply its own migrations: %s.", tool->name, tool->command);
}

/* Saves reading most scripts token by token. */
static bool may_have_mark(struct slice script)
{
    const char *end = script.at + script.length;

    for (const char *at = script.at; (at = memchr(at, '-', (size_t)(end - at))) != NULL;) {
        const struct slice comment = { .at = at, .length = (size_t)(end - at) };
        const char *words = at;

        while (words < end && *words == '-')
            words++;
        for (size_t i = 0; i < array_length(TOOLS) && words - at > 1; i++) {
            if (has_words(comment, TOOLS[i].back_mark))
                return true;
        }
        at = words;
    }
    return false;
}

/* Whether it has no others, whatever frames them: "-- Down:", "-- DOWN --". */
static bool is_just(struct slice comment, const char *mark)
{
    const size_t length = mark == NULL ? 0 : strlen(mark);
    struct slice said = without_dashes(comment);

    while (said.length > length && !is_of_word(said.at[said.length - 1]))
        said.length--;
    return length > 0 && said.length == length && has_words(comment, mark);
}

/* Whether the way there begins with this comment, to a tool that has a mark for the way back. */
static bool is_way_there(struct slice comment)
{
    for (size_t i = 0; i < array_length(TOOLS); i++) {
        if (TOOLS[i].back_mark != NULL &&
            (has_words(comment, TOOLS[i].mark) || is_just(comment, TOOLS[i].back_is_behind)))
            return true;
    }
    return false;
}

/* The tool whose way back begins with this comment, or NULL. */
static const struct foreign_tool *back_begins(struct slice comment, bool is_behind_way_there)
{
    for (size_t i = 0; i < array_length(TOOLS); i++) {
        const char *mark = TOOLS[i].back_mark;

        if (TOOLS[i].back_is_behind == NULL ? has_words(comment, mark)
                                            : is_behind_way_there && is_just(comment, mark))
            return &TOOLS[i];
    }
    return NULL;
}

/* Where nothing is run behind the mark, as in a template that nobody has filled in, nothing is undone; nor
 * where nothing comes before it: that is a heading, or prose. */
static const struct foreign_tool *find_way_back(struct slice script, size_t *offset)
{
    const struct foreign_tool *found = NULL;
    struct scanner scanner = scanner_of(script, true);
    struct token token;
    bool has_way_there = false;
    bool has_run = false;

    scanner.gives_comments = true;
    while (token = scan_token(&scanner), token.kind != TOKEN_END) {
        const struct slice text = scanner_text(&scanner, token);

        if (token.kind == TOKEN_SEMICOLON || (token.kind == TOKEN_COMMENT && found != NULL))
            continue;
        if (found != NULL)
            return found;
        has_run = has_run || token.kind != TOKEN_COMMENT;
        if (token.kind != TOKEN_COMMENT)
            continue;
        has_way_there = has_way_there || is_way_there(text);
        found = has_run || has_way_there ? back_begins(text, has_way_there) : NULL;
        *offset = token.start;
    }
    return NULL;
}

const struct foreign_tool *foreign_find_way_back(struct slice script, size_t *offset)
{
    return may_have_mark(script) ? find_way_back(script, offset) : NULL;
}
