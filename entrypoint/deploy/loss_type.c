#include "deploy/loss_type.h"

#include <string.h>

#include "base/memory.h"
#include "postgres/query.h"
#include "sql/scan.h"

enum { SQL_MOST = 64 * 1024 };

/* Takes the definition apart; without USING, the expression is the column. */
static void read_definition(const struct retyping *retyping, struct slice *type, struct slice *expression)
{
    struct slice whole = retyping->definition;
    struct scanner scanner = scanner_of(whole, true);
    size_t end = 0;
    struct token token;

    *expression = slice_of(retyping->column);
    *type = whole;
    while (token = scan_token(&scanner), token.kind != TOKEN_END && token.kind < TOKEN_UNTERMINATED_STRING) {
        bool is_using = scanner_is_word(&scanner, token, "using");

        if (end == 0 && (is_using || scanner_is_word(&scanner, token, "collate")))
            type->length = end = token.start;
        if (is_using) {
            *expression = (struct slice) { whole.at + token.end, whole.length - token.end };
            return;
        }
    }
}

/* As the server says of values that do not fit, of domains, of types that do not go together, and as
 * functions say. */
static bool is_about_values(const struct error *err)
{
    static const char *const classes[] = { "22", "23", "42", "P0" };

    for (size_t i = 0; i < array_length(classes); i++) {
        if (strncmp(err->sqlstate, classes[i], 2) == 0)
            return true;
    }
    return false;
}

bool loss_count_retyped(struct connection *conn, const struct retyping *retyping, int64_t most,
                        int64_t *count, struct error *err)
{
    static const struct query back = {
        .name = "loss_back",
        .sql = "ROLLBACK TO SAVEPOINT tidelock_loss; RELEASE SAVEPOINT tidelock_loss",
    };
    auto_text struct text sql = text_init(SQL_MOST);
    auto_result struct result *row = NULL;
    struct slice expression;
    struct slice type;

    read_definition(retyping, &type, &expression);
    text_add_format(
        &sql,
        "SAVEPOINT tidelock_loss; SELECT pg_catalog.count(*) FROM (SELECT FROM %s"
        " WHERE pg_catalog.num_nulls(%s) OPERATOR(pg_catalog.=) 0 AND COALESCE(CAST(CAST(CAST(CAST((",
        retyping->table, retyping->column);
    text_add(&sql, expression.at, expression.length);
    text_add_string(&sql, "\n) AS ");
    text_add(&sql, type.at, type.length);
    text_add_format(&sql,
                    "\n) AS pg_catalog.text) AS %s) AS pg_catalog.text) OPERATOR(pg_catalog.<>)"
                    " CAST(%s AS pg_catalog.text), true) LIMIT %lld) AS s",
                    retyping->old_type, retyping->column, (long long)most + 1);
    if (query_several(conn, &(const struct query) { .name = "loss_retyped", .sql = sql.at }, &row, 1, err)) {
        *count = result_number(row, 0, 0);
    } else if (is_about_values(err)) {
        *count = -1;
    } else {
        return false;
    }
    return query_several(conn, &back, NULL, 0, err);
}
