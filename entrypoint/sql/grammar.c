#include "sql/scan.h"
/* Last, as it says. */
#include "sql/grammar_tree.h"

extern MemoryContext pg_query_enter_memory_context(void);
extern void pg_query_exit_memory_context(MemoryContext context);

struct change *reading_add(struct reading *reading, enum action action)
{
    struct changes *changes = reading->changes;
    struct change *change;

    changes->items = memory_grow(changes->items, changes->count, &changes->capacity, sizeof *changes->items);
    change = &changes->items[changes->count++];
    *change = (struct change) { .action = action };
    return change;
}

void identifier_copy(char target[IDENTIFIER_SIZE], const char *name)
{
    size_t length = name == NULL ? 0 : strnlen(name, IDENTIFIER_SIZE - 1);

    if (length > 0)
        memcpy(target, name, length);
    target[length] = '\0';
}

bool relation_is_same(const struct relation *one, const struct relation *other)
{
    return strcmp(one->schema, other->schema) == 0 && strcmp(one->name, other->name) == 0;
}

struct relation relation_of_range(const RangeVar *range)
{
    struct relation relation = { .schema = "" };

    if (range == NULL)
        return relation;
    identifier_copy(relation.schema, range->schemaname);
    identifier_copy(relation.name, range->relname);
    return relation;
}

/* Of the first `count` of the names. */
static struct relation relation_of_first(const List *names, int count)
{
    struct relation relation = { .schema = "" };

    if (count > 0)
        identifier_copy(relation.name, strVal(list_nth(names, count - 1)));
    if (count > 1)
        identifier_copy(relation.schema, strVal(list_nth(names, count - 2)));
    return relation;
}

struct relation relation_of_names(const List *names)
{
    return relation_of_first(names, list_length(names));
}

struct relation relation_before_last(const List *names)
{
    return relation_of_first(names, list_length(names) - 1);
}

struct key key_of_names(const List *names)
{
    struct key key = { .count = 0 };
    ListCell *cell;

    if (list_length(names) > KEY_COLUMNS_MOST)
        return key;
    foreach (cell, names)
        identifier_copy(key.columns[key.count++], strVal(lfirst(cell)));
    return key;
}

/* What an element of an array, or an argument, is in. */
static int nesting(const struct scanner *scanner, struct token token)
{
    char byte = scanner->at[token.start];

    if (token.kind == TOKEN_OPEN || (token.kind == TOKEN_OTHER && byte == '['))
        return 1;
    return token.kind == TOKEN_CLOSE || (token.kind == TOKEN_OTHER && byte == ']') ? -1 : 0;
}

void change_locate(const struct reading *reading, struct change *change, int location)
{
    struct scanner scanner = scanner_of(reading->statement, true);
    int depth = 0;
    struct token token;

    if (location < 0 || (size_t)location >= reading->statement.length)
        return;
    change->start = scanner.offset = (size_t)location;
    while (token = scan_token(&scanner), token.kind < TOKEN_UNTERMINATED_STRING && token.kind != TOKEN_END) {
        bool is_comma = token.kind == TOKEN_OTHER && reading->statement.at[token.start] == ',';

        if ((is_comma && depth == 0) || (token.kind == TOKEN_CLOSE && depth == 0))
            return;
        depth += nesting(&scanner, token);
        change->end = token.end;
    }
}

/* Reads the statement in the parser's own memory; an error comes back here. */
static List *parse(MemoryContext context, const char *statement, char *problem, size_t size)
{
    List *volatile trees = NIL;

    PG_TRY();
    {
        trees = raw_parser(statement, RAW_PARSE_DEFAULT);
    }
    PG_CATCH();
    {
        ErrorData *data;

        MemoryContextSwitchTo(context);
        data = CopyErrorData();
        FlushErrorState();
        text_copy_cut(problem, size, data->message == NULL ? "" : data->message);
    }
    PG_END_TRY();
    return trees;
}

bool grammar_read(struct slice statement, struct changes *out)
{
    auto_free char *text = memory_copy(statement.at, statement.length);
    struct reading reading = { .statement = statement, .changes = out };
    MemoryContext context;
    List *trees;
    bool is_read;

    out->count = 0;
    out->problem[0] = '\0';
    context = pg_query_enter_memory_context();
    trees = parse(context, text, out->problem, sizeof out->problem);
    is_read = list_length(trees) == 1;
    if (is_read)
        read_statement(&reading, linitial_node(RawStmt, trees)->stmt);
    pg_query_exit_memory_context(context);
    return is_read;
}

void changes_clear(struct changes *changes)
{
    memory_free(changes->items);
    *changes = (struct changes) { .items = NULL };
}
