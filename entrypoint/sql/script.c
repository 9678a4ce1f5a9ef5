#include "sql/script.h"

#include <string.h>

#include "base/memory.h"
#include "sql/pattern.h"

static const char BOM[] = "\xEF\xBB\xBF";

struct slice script_without_bom(struct slice bytes)
{
    if (!slice_starts_with(bytes, BOM))
        return bytes;
    return (struct slice) { .at = bytes.at + (sizeof BOM - 1), .length = bytes.length - (sizeof BOM - 1) };
}

struct script_reader script_reader_of(const char *file, struct slice bytes, int server_version,
                                      bool has_standard_strings)
{
    const char *nul = bytes.length == 0 ? NULL : memchr(bytes.at, '\0', bytes.length);
    struct slice readable = { .at = bytes.at,
                              .length = nul == NULL ? bytes.length : (size_t)(nul - bytes.at) };
    struct script_reader reader = { .file = file,
                                    .bytes = bytes,
                                    .scanner = scanner_of(readable, has_standard_strings),
                                    .server_version = server_version,
                                    .line = 1 };

    reader.scanner.offset = bytes.length - script_without_bom(bytes).length;
    return reader;
}

/* Points at an offset in the script; a byte order mark does not count as a character of the first line. */
static void point(const struct script_reader *reader, size_t offset, struct error *err)
{
    struct slice shown = script_without_bom(reader->bytes);
    size_t hidden = reader->bytes.length - shown.length;

    error_point(err, reader->file, shown.at, shown.length, offset - hidden);
}

static enum script_answer refuse_unterminated(const struct script_reader *reader, struct token token,
                                              struct error *err)
{
    static const struct {
        const char *what;
        const char *hint;
    } UNTERMINATED[TOKEN_KINDS] = {
        [TOKEN_UNTERMINATED_STRING] = { "string",
                                        "End it with a quote; a quote inside a string is written twice "
                                        "('')." },
        [TOKEN_UNTERMINATED_DOLLAR_QUOTE] = { "dollar-quoted string",
                                              "End it with exactly the tag that it begins with; case "
                                              "matters." },
        [TOKEN_UNTERMINATED_NAME] = { "quoted identifier",
                                      "End it with a double quote; a double quote inside a name is "
                                      "written twice (\"\")." },
        [TOKEN_UNTERMINATED_COMMENT] = { "comment",
                                         "End it with */; comments nest, so each /* inside needs its own." },
    };

    error_set(err, ERROR_CLEAN, "cannot read the script: the %s that begins here never ends",
              UNTERMINATED[token.kind].what);
    error_hint(err, "%s", UNTERMINATED[token.kind].hint);
    point(reader, token.start, err);
    return SCRIPT_ERROR;
}

static enum script_answer refuse_nul(const struct script_reader *reader, struct error *err)
{
    error_set(err, ERROR_CLEAN, "cannot read the script: it contains a NUL byte");
    error_hint(err, "Save the file as UTF-8; it may be UTF-16.");
    point(reader, reader->scanner.length, err);
    return SCRIPT_ERROR;
}

/* What only psql can do. */
static enum script_answer refuse_kind(const struct script_reader *reader, enum statement_kind kind,
                                      size_t offset, struct error *err)
{
    if (kind == KIND_PSQL) {
        error_set(err, ERROR_CLEAN,
                  "cannot run a backslash command: only psql knows these, the server does not");
        error_hint(err, "Remove it, or write in SQL what it does.");
    } else {
        error_set(err, ERROR_CLEAN, "cannot run COPY FROM STDIN: a migration has no standard input");
        error_hint(err, "Write the rows as INSERT INTO … VALUES (…), (…);");
    }
    point(reader, offset, err);
    return SCRIPT_ERROR;
}

/* Why there is no further statement, from the token in its place. */
static enum script_answer stop(const struct script_reader *reader, struct token token, struct error *err)
{
    bool meets_nul = reader->scanner.length < reader->bytes.length;

    if (token.kind == TOKEN_BACKSLASH)
        return refuse_kind(reader, KIND_PSQL, token.start, err);
    if (meets_nul)
        return refuse_nul(reader, err);
    return token.kind == TOKEN_END ? SCRIPT_END : refuse_unterminated(reader, token, err);
}

/* Skips a statement and returns the token that ends it; *end becomes the end of its last token. */
static struct token pass_statement(struct scanner *scanner, size_t *end)
{
    size_t depth = 0;
    struct token token;

    while (token = scan_mark(scanner, end), token.kind == TOKEN_OPEN || token.kind == TOKEN_CLOSE ||
                                                (token.kind == TOKEN_SEMICOLON && depth > 0)) {
        *end = token.end;
        if (token.kind == TOKEN_OPEN)
            depth++;
        else if (token.kind == TOKEN_CLOSE && depth > 0)
            depth--;
    }
    return token;
}

/* Where we are in CREATE FUNCTION or CREATE PROCEDURE. */
struct routine {
    size_t depth; /* of parentheses */
    bool after_begin;
    bool in_body;
    bool at_start; /* of a statement in the body: only there is END the end; elsewhere it may be a label or a
                      CASE's */
};

static void routine_step(struct routine *routine, const struct scanner *scanner, struct token token)
{
    struct routine was = *routine;

    routine->after_begin = false;
    routine->at_start = was.in_body && was.depth == 0 && token.kind == TOKEN_SEMICOLON;
    if (token.kind == TOKEN_OPEN) {
        routine->depth++;
    } else if (token.kind == TOKEN_CLOSE && was.depth > 0) {
        routine->depth--;
    } else if (token.kind == TOKEN_WORD && was.depth == 0 && was.in_body) {
        routine->in_body = !(was.at_start && scanner_is_word(scanner, token, "end"));
    } else if (token.kind == TOKEN_WORD && was.depth == 0) {
        routine->in_body = routine->at_start = was.after_begin && scanner_is_word(scanner, token, "atomic");
        routine->after_begin = scanner_is_word(scanner, token, "begin");
    }
}

/* Like pass_statement(), for a statement that may have a body in SQL. */
static struct token pass_routine(struct scanner *scanner, size_t *end)
{
    struct routine routine = { .depth = 0 };
    struct token token;

    while (token = scan_token(scanner),
           token.kind < TOKEN_COMMENT && token.kind != TOKEN_END && token.kind != TOKEN_BACKSLASH) {
        if (token.kind == TOKEN_SEMICOLON && routine.depth == 0 && !routine.in_body)
            break;
        *end = token.end;
        routine_step(&routine, scanner, token);
    }
    return token;
}

static bool may_have_body(struct scanner scanner)
{
    struct head head;

    if ((scanner.at[scanner.offset] | 0x20) != 'c')
        return false;
    head = head_of(scanner);
    return pattern_matches("CREATE [OR REPLACE] FUNCTION|PROCEDURE", &head);
}

static size_t count_line(struct script_reader *reader, size_t offset)
{
    const char *at = reader->bytes.at + reader->counted;
    const char *end = reader->bytes.at + offset;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        reader->line++;
        at++;
    }
    reader->counted = offset;
    return reader->line;
}

static void classify(const struct script_reader *reader, struct statement *statement)
{
    struct scanner within = reader->scanner;

    within.offset = statement->start;
    within.length = statement->end;
    statement->kind = statement_kind_of(within, reader->server_version, &statement->nontransactional);
    statement->is_data = statement_is_data(within);
    statement->is_guarded_index = statement_is_guarded_index(within);
}

enum script_answer script_next(struct script_reader *reader, struct statement *out, struct error *err)
{
    struct scanner *scanner = &reader->scanner;
    struct statement found;
    struct token token;

    while (token = scan_token(scanner), token.kind == TOKEN_SEMICOLON)
        continue;
    if (token.kind == TOKEN_END || token.kind == TOKEN_BACKSLASH || token.kind > TOKEN_COMMENT)
        return stop(reader, token, err);
    scanner->offset = token.start;
    found = (struct statement) { .start = token.start, .line = count_line(reader, token.start) };
    token = may_have_body(*scanner) ? pass_routine(scanner, &found.end) : pass_statement(scanner, &found.end);
    if (token.kind == TOKEN_BACKSLASH || token.kind > TOKEN_COMMENT)
        return stop(reader, token, err);
    if (token.kind == TOKEN_END && scanner->length < reader->bytes.length)
        return refuse_nul(reader, err);
    classify(reader, &found);
    if (found.kind == KIND_COPY_STDIN)
        return refuse_kind(reader, found.kind, found.start, err);
    *out = found;
    return SCRIPT_STATEMENT;
}

/* What a kind of statement does to the transaction, and where the summary counts it. */
static const struct effect {
    bool begins;
    bool ends;
    size_t counter; /* of struct script_summary, by offset; 0, the offset of `statements`, for none */
} EFFECTS[STATEMENT_KINDS] = {
    [KIND_BEGIN] = { .begins = true, .counter = offsetof(struct script_summary, begins) },
    [KIND_COMMIT] = { .ends = true, .counter = offsetof(struct script_summary, commits) },
    [KIND_COMMIT_CHAIN] = { .begins = true,
                            .ends = true,
                            .counter = offsetof(struct script_summary, chains) },
    [KIND_ROLLBACK] = { .ends = true, .counter = offsetof(struct script_summary, rollbacks) },
    [KIND_ROLLBACK_CHAIN] = { .begins = true,
                              .ends = true,
                              .counter = offsetof(struct script_summary, chains) },
    [KIND_SAVEPOINT] = { .counter = offsetof(struct script_summary, savepoints) },
    [KIND_PREPARE_TRANSACTION] = { .ends = true, .counter = offsetof(struct script_summary, prepares) },
    [KIND_NONTRANSACTIONAL] = { .counter = offsetof(struct script_summary, nontransactional) },
};

/* What only means something inside a transaction, and is not inside one that the script has begun. */
static void note_strays(struct script_summary *summary, const struct statement *statement)
{
    if (summary->ends_inside_transaction)
        return;
    if (statement->kind == KIND_ROLLBACK && !summary->has_stray_rollback) {
        summary->has_stray_rollback = true;
        summary->stray_rollback = statement->start;
    }
    if (statement->kind == KIND_SAVEPOINT && !summary->has_stray_savepoint) {
        summary->has_stray_savepoint = true;
        summary->stray_savepoint = statement->start;
    }
}

static void summarize_statement(struct script_summary *summary, const struct statement *statement)
{
    const struct effect *effect = &EFFECTS[statement->kind];
    bool is_first_control =
        summary->begins + summary->commits + summary->rollbacks + summary->chains + summary->prepares == 0;

    if (statement->kind == KIND_NONTRANSACTIONAL) {
        summary->has_nontransactional_in_block |= summary->ends_inside_transaction;
        if (summary->nontransactional == 0)
            summary->first_nontransactional = *statement;
    }
    if ((effect->begins || effect->ends) && is_first_control)
        summary->first_control = *statement;
    note_strays(summary, statement);
    if (effect->ends)
        summary->ends_inside_transaction = false;
    if (effect->begins && !summary->ends_inside_transaction) {
        summary->ends_inside_transaction = true;
        summary->open_begin_offset = statement->start;
    }
    summary->statements++;
    summary->data += statement->is_data;
    summary->guarded_indexes += statement->is_guarded_index;
    if (effect->counter != 0)
        (*(size_t *)(void *)((char *)summary + effect->counter))++;
}

struct slice statement_text(struct slice script, const struct statement *statement)
{
    return (struct slice) { .at = script.at + statement->start, .length = statement->end - statement->start };
}

bool script_summarize(struct script_reader reader, struct script_summary *out, struct error *err)
{
    struct script_summary summary = { .statements = 0 };
    struct statement statement;
    enum script_answer answer;

    while ((answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT)
        summarize_statement(&summary, &statement);
    if (answer == SCRIPT_ERROR)
        return false;
    *out = summary;
    return true;
}
