/*
 * How fast scripts are split: MB/s of script_summarize() over about 100 MB of what migrations are made of.
 *
 * Usage: scanner [FILE]; with a file, that file is read instead.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "sql/directive.h"
#include "sql/script.h"

enum { WANTED = 100 * 1000 * 1000, ROUNDS = 5 };

/* Each takes one number, twice. */
static const char *const PIECES[] = {
    "-- CreateTable\nCREATE TABLE \"Account%1$zu\" (\n    \"id\" SERIAL NOT NULL,\n    \"email\" TEXT NOT "
    "NULL,\n"
    "    \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    \"ownerId\" INTEGER,\n"
    "    \"settings\" JSONB NOT NULL DEFAULT '{}',\n\n    CONSTRAINT \"Account%2$zu_pkey\" PRIMARY KEY "
    "(\"id\")\n);\n\n",
    "-- CreateIndex\nCREATE UNIQUE INDEX \"Account_email_%1$zu_key\" ON \"Account%2$zu\"(\"email\");\n\n",
    "-- AddForeignKey\nALTER TABLE \"Account%1$zu\" ADD CONSTRAINT \"Account%2$zu_ownerId_fkey\" FOREIGN KEY "
    "(\"ownerId\") "
    "REFERENCES \"User\"(\"id\") ON DELETE SET NULL ON UPDATE CASCADE;\n\n",
    "INSERT INTO countries (id, code, name, note) VALUES (%1$zu, 'c%2$zu', 'Côte d''Ivoire', "
    "E'line\\nline'),\n"
    "  (1, 'aa', 'A country of some length', NULL), (2, 'bb', 'Another one', 'it''s fine');\n",
    "/* what follows keeps the search column up to date */\nCREATE OR REPLACE FUNCTION touch_%1$zu() RETURNS "
    "trigger AS $$\n"
    "BEGIN\n  NEW.updated_at := now();\n  IF NEW.name IS DISTINCT FROM OLD.name THEN\n"
    "    NEW.search := to_tsvector('simple', NEW.name || ' ' || coalesce(NEW.note, ''));\n  END IF;\n"
    "  RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql; -- %2$zu\n",
    "UPDATE accounts SET balance = balance * 1.05 - %1$zu WHERE id = %2$zu AND settings->>'plan' = 'pro';\n",
    "alter table accounts_%1$zu alter column settings set not null, add column if not exists note_%2$zu "
    "text;\n",
};

static void generate(struct text *out)
{
    for (size_t i = 0; out->length < WANTED; i++)
        text_add_format(out, PIECES[i % array_length(PIECES)], i, i);
}

static int fail(const struct error *err)
{
    (void)fprintf(stderr, "%s (line %zu)\n", err->message, err->place.line);
    return EXIT_FAILURE;
}

int main(int count, char **arguments)
{
    auto_text struct text text = text_init((size_t)1 << 32);
    struct slice bytes;
    struct error err = { .class = ERROR_NONE };
    struct directives directives;
    struct script_summary summary;
    int64_t least_us = INT64_MAX;

    if (count < 2)
        generate(&text);
    else if (!file_read(arguments[1], &text, &err))
        return fail(&err);
    bytes = (struct slice) { .at = text.at, .length = text.length };
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_now_us();
        int64_t took;

        if (!directive_parse("bench.sql", bytes, &directives, &err) ||
            !script_summarize(script_reader_of("bench.sql", bytes, 150004, true), &summary, &err))
            return fail(&err);
        took = clock_now_us() - start;
        least_us = took < least_us ? took : least_us;
    }
    (void)printf("scanner: %zu bytes, %zu statements, %.0f MB/s\n", bytes.length, summary.statements,
                 (double)bytes.length / (double)least_us);
    return EXIT_SUCCESS;
}
