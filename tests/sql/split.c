/*
 * Splits the script on standard input and prints, a statement a line, the byte offsets of its start and end.
 *
 * Usage: split ours|parser|scanner. `parser` and `scanner` are libpg_query's two ways. A script that cannot
 * be split ends the list with "error OFFSET MESSAGE"; libpg_query counts that offset in characters.
 */
#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sql/script.h"

enum { SCRIPT_MOST = 16 << 20, CHUNK = 65536 };

static void read_all(struct text *out)
{
    char chunk[CHUNK];
    ssize_t got;

    while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) > 0)
        text_add(out, chunk, (size_t)got);
}

static void print_ours(struct slice script)
{
    struct script_reader reader = script_reader_of("stdin", script, 150000, true);
    struct statement statement;
    struct error err;
    enum script_answer answer;

    while ((answer = script_next(&reader, &statement, &err)) == SCRIPT_STATEMENT)
        (void)printf("%zu %zu\n", statement.start, statement.end);
    if (answer == SCRIPT_ERROR)
        (void)printf("error %zu:%zu %s\n", err.place.line, err.place.column, err.message);
}

static void print_theirs(PgQuerySplitResult result, size_t length)
{
    for (int i = 0; i < result.n_stmts; i++) {
        size_t start = (size_t)result.stmts[i]->stmt_location;
        size_t size = (size_t)result.stmts[i]->stmt_len;

        (void)printf("%zu %zu\n", start, size == 0 ? length : start + size);
    }
    if (result.error != NULL)
        (void)printf("error %d %s\n", result.error->cursorpos, result.error->message);
    pg_query_free_split_result(result);
}

int main(int count, char **arguments)
{
    auto_text struct text script = text_init(SCRIPT_MOST);
    const char *mode = count == 2 ? arguments[1] : "";

    read_all(&script);
    if (strcmp(mode, "ours") == 0) {
        print_ours((struct slice) { .at = script.at, .length = script.length });
    } else if (strcmp(mode, "parser") == 0) {
        print_theirs(pg_query_split_with_parser(script.at), script.length);
    } else if (strcmp(mode, "scanner") == 0) {
        print_theirs(pg_query_split_with_scanner(script.at), script.length);
    } else {
        (void)fprintf(stderr, "usage: split ours|parser|scanner < SCRIPT\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
