#include "sql/kind.h"

#include <string.h>

#include "base/memory.h"
#include "sql/pattern.h"

const char *const STATEMENT_KIND_NAMES[STATEMENT_KINDS] = {
    [KIND_PLAIN] = "plain",
    [KIND_BEGIN] = "begin",
    [KIND_COMMIT] = "commit",
    [KIND_COMMIT_CHAIN] = "commit-chain",
    [KIND_ROLLBACK] = "rollback",
    [KIND_ROLLBACK_CHAIN] = "rollback-chain",
    [KIND_SAVEPOINT] = "savepoint",
    [KIND_PREPARE_TRANSACTION] = "prepare-transaction",
    [KIND_NONTRANSACTIONAL] = "nontransactional",
    [KIND_PSQL] = "psql",
    [KIND_COPY_STDIN] = "copy-stdin",
    [KIND_COPY_STDOUT] = "copy-stdout",
};

/* What a statement says about an option. */
struct condition {
    const char *option; /* NULL: no condition */
    enum option_state state;
};

/* How a statement begins that cannot run in a transaction block. Every pattern here and below begins with one
 * plain word. */
struct nontransactional_rule {
    const char *pattern;
    enum nontransactional nontransactional;
    int since;                  /* server version; 0 = every supported one */
    struct condition when;      /* only if this holds … */
    struct condition unless[2]; /* … and none of these */
};

static const struct nontransactional_rule NONTRANSACTIONAL_RULES[] = {
    { .pattern = "CREATE [UNIQUE] INDEX CONCURRENTLY", .nontransactional = NONTRANSACTIONAL_CREATE_INDEX },
    { .pattern = "DROP INDEX CONCURRENTLY", .nontransactional = NONTRANSACTIONAL_DROP_INDEX },
    { .pattern = "REINDEX [()] SCHEMA|DATABASE|SYSTEM", .nontransactional = NONTRANSACTIONAL_REINDEX },
    { .pattern = "REINDEX [()] INDEX|TABLE CONCURRENTLY",
      .nontransactional = NONTRANSACTIONAL_REINDEX_CONCURRENTLY },
    { .pattern = "REINDEX () INDEX|TABLE",
      .nontransactional = NONTRANSACTIONAL_REINDEX_CONCURRENTLY,
      .since = 140000,
      .when = { "concurrently", OPTION_ON } },
    { .pattern = "VACUUM", .nontransactional = NONTRANSACTIONAL_VACUUM },
    { .pattern = "CLUSTER [VERBOSE] [()] $", .nontransactional = NONTRANSACTIONAL_CLUSTER },
    { .pattern = "CREATE DATABASE", .nontransactional = NONTRANSACTIONAL_DATABASE },
    { .pattern = "DROP DATABASE", .nontransactional = NONTRANSACTIONAL_DATABASE },
    { .pattern = "ALTER DATABASE <name> [SET|WITH] TABLESPACE",
      .nontransactional = NONTRANSACTIONAL_DATABASE },
    { .pattern = "CREATE TABLESPACE", .nontransactional = NONTRANSACTIONAL_TABLESPACE },
    { .pattern = "DROP TABLESPACE", .nontransactional = NONTRANSACTIONAL_TABLESPACE },
    { .pattern = "ALTER SYSTEM", .nontransactional = NONTRANSACTIONAL_SYSTEM },
    { .pattern = "DISCARD ALL", .nontransactional = NONTRANSACTIONAL_DISCARD },
    { .pattern = "ALTER TABLE [IF EXISTS] [ONLY] <name> [*] DETACH PARTITION <name> CONCURRENTLY",
      .nontransactional = NONTRANSACTIONAL_DETACH,
      .since = 140000 },
    { .pattern = "CREATE SUBSCRIPTION",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .unless = { { "connect", OPTION_OFF }, { "create_slot", OPTION_OFF } } },
    { .pattern = "ALTER SUBSCRIPTION <name> REFRESH",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .since = 140000 },
    { .pattern = "ALTER SUBSCRIPTION <name> SET|ADD|DROP PUBLICATION",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .since = 140000,
      .unless = { { "refresh", OPTION_OFF } } },
    { .pattern = "ALTER SUBSCRIPTION <name> SET ()",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .since = 170000,
      .when = { "failover", OPTION_ON } },
    { .pattern = "ALTER SUBSCRIPTION <name> SET ()",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .since = 170000,
      .when = { "failover", OPTION_OFF } },
    { .pattern = "ALTER SUBSCRIPTION <name> SET ()",
      .nontransactional = NONTRANSACTIONAL_SUBSCRIPTION,
      .since = 180000,
      .when = { "two_phase", OPTION_OFF } },
    { .pattern = "COMMIT PREPARED", .nontransactional = NONTRANSACTIONAL_PREPARED },
    { .pattern = "ROLLBACK PREPARED", .nontransactional = NONTRANSACTIONAL_PREPARED },
};

/* How the others begin; the first match decides, so longer patterns come before shorter ones. */
static const struct kind_rule {
    const char *pattern;
    enum statement_kind kind;
} KIND_RULES[] = {
    { "BEGIN", KIND_BEGIN },
    { "START TRANSACTION", KIND_BEGIN },
    { "COMMIT [WORK|TRANSACTION] AND CHAIN", KIND_COMMIT_CHAIN },
    { "COMMIT", KIND_COMMIT },
    { "END [WORK|TRANSACTION] AND CHAIN", KIND_COMMIT_CHAIN },
    { "END", KIND_COMMIT },
    { "ROLLBACK [WORK|TRANSACTION] TO", KIND_SAVEPOINT },
    { "ROLLBACK [WORK|TRANSACTION] AND CHAIN", KIND_ROLLBACK_CHAIN },
    { "ROLLBACK", KIND_ROLLBACK },
    { "ABORT [WORK|TRANSACTION] AND CHAIN", KIND_ROLLBACK_CHAIN },
    { "ABORT", KIND_ROLLBACK },
    { "SAVEPOINT", KIND_SAVEPOINT },
    { "RELEASE", KIND_SAVEPOINT },
    { "PREPARE TRANSACTION <string>",
      KIND_PREPARE_TRANSACTION }, /* without the string, "transaction" is a prepared statement's name */
    { "COPY [BINARY] <name> [()] FROM STDIN|STDOUT", KIND_COPY_STDIN },
    { "COPY [BINARY] <name> [()] TO STDIN|STDOUT", KIND_COPY_STDOUT },
    { "COPY () TO STDIN|STDOUT", KIND_COPY_STDOUT },
};

static bool holds(struct condition condition, struct scanner scanner)
{
    return option_find(condition.option, scanner) == condition.state;
}

static bool conditions_hold(const struct nontransactional_rule *rule, struct scanner scanner)
{
    if (rule->when.option != NULL && !holds(rule->when, scanner))
        return false;
    for (size_t i = 0; i < array_length(rule->unless) && rule->unless[i].option != NULL; i++) {
        if (holds(rule->unless[i], scanner))
            return false;
    }
    return true;
}

static enum nontransactional nontransactional_kind_of(struct scanner scanner, const struct head *head,
                                                      char first, int server_version)
{
    for (size_t i = 0; i < array_length(NONTRANSACTIONAL_RULES); i++) {
        const struct nontransactional_rule *rule = &NONTRANSACTIONAL_RULES[i];

        if (rule->pattern[0] == first && server_version >= rule->since &&
            pattern_matches(rule->pattern, head) && conditions_hold(rule, scanner))
            return rule->nontransactional;
    }
    return NONTRANSACTIONAL_NO;
}

/* The letters that rules begin with, a bit each: most statements begin with none of them and need only this
 * check. */
static unsigned initials(void)
{
    static unsigned known;

    if (known != 0)
        return known;
    for (size_t i = 0; i < array_length(NONTRANSACTIONAL_RULES); i++)
        known |= 1u << (NONTRANSACTIONAL_RULES[i].pattern[0] - 'A');
    for (size_t i = 0; i < array_length(KIND_RULES); i++)
        known |= 1u << (KIND_RULES[i].pattern[0] - 'A');
    return known;
}

enum statement_kind statement_kind_of(struct scanner scanner, int server_version,
                                      enum nontransactional *nontransactional)
{
    struct head head;
    char first;

    *nontransactional = NONTRANSACTIONAL_NO;
    if (scanner.offset >= scanner.length)
        return KIND_PLAIN;
    first = (char)(scanner.at[scanner.offset] & ~0x20);
    if (first < 'A' || first > 'Z' || (initials() & 1u << (first - 'A')) == 0)
        return KIND_PLAIN;
    head = head_of(scanner);
    *nontransactional = nontransactional_kind_of(scanner, &head, first, server_version);
    if (*nontransactional != NONTRANSACTIONAL_NO)
        return KIND_NONTRANSACTIONAL;
    for (size_t i = 0; i < array_length(KIND_RULES); i++) {
        if (KIND_RULES[i].pattern[0] == first && pattern_matches(KIND_RULES[i].pattern, &head))
            return KIND_RULES[i].kind;
    }
    return KIND_PLAIN;
}

/* Whether it begins as one of the patterns says, which all begin with the letter `initial`. */
static bool begins_as(struct scanner scanner, char initial, const char *const *patterns, size_t count)
{
    struct head head;

    if (scanner.offset >= scanner.length || (scanner.at[scanner.offset] & ~0x20) != initial)
        return false;
    head = head_of(scanner);
    for (size_t i = 0; i < count; i++) {
        if (pattern_matches(patterns[i], &head))
            return true;
    }
    return false;
}

enum nontransactional refused_kind_of(struct scanner scanner)
{
    static const struct {
        const char *pattern;
        enum nontransactional nontransactional;
    } refused[] = {
        { "REINDEX", NONTRANSACTIONAL_REINDEX },
        { "CLUSTER", NONTRANSACTIONAL_CLUSTER },
        { "DROP SUBSCRIPTION", NONTRANSACTIONAL_SUBSCRIPTION },
        { "ALTER SUBSCRIPTION", NONTRANSACTIONAL_SUBSCRIPTION },
    };
    struct head head = head_of(scanner);

    for (size_t i = 0; i < array_length(refused); i++) {
        if (pattern_matches(refused[i].pattern, &head))
            return refused[i].nontransactional;
    }
    return NONTRANSACTIONAL_COMMITTING;
}

bool statement_may_commit(struct scanner scanner)
{
    static const char *const call[] = { "CALL" };
    static const char *const block[] = { "DO" };

    return begins_as(scanner, 'C', call, array_length(call)) ||
           begins_as(scanner, 'D', block, array_length(block));
}

bool statement_adds_value(struct scanner scanner)
{
    static const char *const patterns[] = { "ALTER TYPE <name> ADD VALUE" };

    return begins_as(scanner, 'A', patterns, array_length(patterns));
}

bool statement_sets_transaction(struct scanner scanner)
{
    static const char *const patterns[] = {
        "SET [LOCAL|SESSION] TRANSACTION",
        "SET [LOCAL|SESSION] TRANSACTION_ISOLATION|TRANSACTION_READ_ONLY|TRANSACTION_DEFERRABLE",
    };

    return begins_as(scanner, 'S', patterns, array_length(patterns));
}

bool statement_is_before_queries(struct scanner scanner)
{
    static const char *const words[] = { "set", "reset", "show", "lock" };
    struct token token = scan_token(&scanner);

    for (size_t i = 0; i < array_length(words); i++) {
        if (scanner_is_word(&scanner, token, words[i]))
            return true;
    }
    return false;
}

/* Whether it begins with one of these words. */
static bool begins_with(struct scanner scanner, const char *const *words, size_t count)
{
    struct token token = scan_token(&scanner);

    for (size_t i = 0; token.kind == TOKEN_WORD && i < count; i++) {
        if (slice_equals_ignoring_case(scanner_text(&scanner, token), words[i]))
            return true;
    }
    return false;
}

bool statement_is_data(struct scanner scanner)
{
    static const char *const words[] = { "insert", "update", "delete", "merge", "copy" };

    return begins_with(scanner, words, array_length(words));
}

bool statement_is_query(struct scanner scanner)
{
    static const char *const words[] = { "select", "values", "table", "with" };

    return statement_is_data(scanner) || begins_with(scanner, words, array_length(words));
}

bool statement_is_guarded_index(struct scanner scanner)
{
    static const char *const patterns[] = { "CREATE [UNIQUE] INDEX [CONCURRENTLY] IF NOT EXISTS" };

    return begins_as(scanner, 'C', patterns, array_length(patterns));
}
