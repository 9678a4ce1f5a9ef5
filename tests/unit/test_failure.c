#include <string.h>

#include "check.h"
#include "execution/failure_text.h"

/* Every combination of facts: what is counted here has a digit for each fact. */
enum { FLAGS = 11, COMBINATIONS = ERROR_CLASSES * MODES * LEFTOVERS * (1 << FLAGS) * OBSTACLES };

static struct failure_facts facts_of(unsigned number)
{
    unsigned flags = number % (1u << FLAGS);
    struct failure_facts facts = {
        .is_resuming = flags & 1,
        .has_begun = flags & 2,
        .has_effect = flags & 4,
        .has_escaped = flags & 8,
        .is_in_doubt = flags & 16,
        .is_connected = flags & 32,
        .has_hint = flags & 64,
        .has_blocker = flags & 128,
        .is_pooled = flags & 256,
        .insists_on_one = flags & 512,
        /* Each matters where the other does not: by what the database holds. */
        .is_stuck = flags & 1024,
        .is_unrecorded = flags & 1024,
        .sqlstate = "",
    };

    number /= 1u << FLAGS;
    facts.class = (enum error_class)(number % ERROR_CLASSES);
    number /= ERROR_CLASSES;
    facts.mode = (enum mode)(number % MODES);
    number /= MODES;
    facts.leftover = (enum failure_leftover)(number % LEFTOVERS);
    facts.obstacle = (enum obstacle)(number / LEFTOVERS);
    return facts;
}

static bool is_stopped(enum error_class class)
{
    return class == ERROR_INTERRUPTED || class == ERROR_LEADER || class == ERROR_UNREACHABLE ||
           class == ERROR_READ_ONLY;
}

/* Whether it is certain that nothing of the migration is in the database. */
static bool is_nothing_proven(const struct failure_facts *facts)
{
    if (facts->is_in_doubt || facts->has_escaped)
        return false;
    if (!facts->has_begun)
        return !facts->is_resuming;
    if (facts->mode == MODE_ATOMIC)
        return true;
    return facts->is_connected && !facts->has_effect && facts->leftover == LEFTOVER_NOTHING;
}

static void nothing_is_said_exactly_where_it_is_proven(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct failure_facts facts = facts_of(i);

        if (is_nothing_proven(&facts) != (failure_decide(&facts).holds == HOLDS_NOTHING))
            fail_msg("combination %u", i);
    }
}

static void a_clean_failure_is_one_that_left_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct failure_facts facts = facts_of(i);
        struct failure_verdict verdict = failure_decide(&facts);

        if (verdict.class == ERROR_CLEAN && verdict.holds != HOLDS_NOTHING)
            fail_msg("combination %u is clean, though it may hold something", i);
        if (facts.class == ERROR_CLEAN && is_nothing_proven(&facts) && verdict.class != ERROR_CLEAN)
            fail_msg("combination %u left nothing, and is not clean", i);
    }
}

static void who_was_stopped_or_cut_off_did_not_fail(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct failure_facts facts = facts_of(i);

        if ((is_stopped(facts.class) || facts.class == ERROR_LOST) &&
            failure_decide(&facts).class != facts.class)
            fail_msg("combination %u", i);
    }
}

/* Only a lock was missing, and nobody has to look or decide. */
static bool is_held_up(const struct failure_facts *facts)
{
    return (facts->class == ERROR_TABLE_LOCK || facts->class == ERROR_HELD_UP) && !facts->has_escaped &&
           !facts->is_stuck && facts->leftover != LEFTOVER_PERSON && facts->leftover != LEFTOVER_COMMITTED;
}

static void what_failed_and_left_something_is_partial(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct failure_facts facts = facts_of(i);
        struct failure_verdict verdict = failure_decide(&facts);
        bool is_left = verdict.holds == HOLDS_PERSISTS || verdict.holds == HOLDS_LEFTOVER ||
                       verdict.holds == HOLDS_ESCAPED;

        if (is_left && !is_stopped(facts.class) && facts.class != ERROR_LOST &&
            verdict.class != (is_held_up(&facts) ? ERROR_HELD_UP : ERROR_PARTIAL))
            fail_msg("combination %u", i);
    }
}

static void deciding_twice_is_deciding_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct failure_facts facts = facts_of(i);
        struct failure_verdict once = failure_decide(&facts);
        struct failure_verdict twice;

        facts.class = once.class;
        twice = failure_decide(&facts);
        if (twice.class != once.class || twice.holds != once.holds)
            fail_msg("combination %u", i);
    }
}

static void every_combination_has_both_sentences(void **state)
{
    struct failure failure = { .names = { .migration = "001_a",
                                          .script = "001_a/migration.sql",
                                          .tool = "Prisma",
                                          .done = 1,
                                          .lasting = 1,
                                          .statements = 2,
                                          .more_time = "--retry-for",
                                          .blockers = 1,
                                          .blocking_sessions = "pid 7",
                                          .persists = " line 1: SELECT 1",
                                          .stuck = "the cursor \"c\" ended with its session",
                                          .remains = "the INVALID index i",
                                          .remedy = "DROP INDEX CONCURRENTLY i" } };

    (void)state;
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct error err = { .class = ERROR_CLEAN };

        failure.facts = facts_of(i);
        failure_describe(&failure, &err);
        if (err.holds[0] == '\0' || err.holds[strlen(err.holds) - 1] != '.' ||
            strstr(err.holds, "..") != NULL)
            fail_msg("combination %u: \"%s\"", i, err.holds);
        if ((err.hint[0] == '\0') != failure.facts.has_hint)
            fail_msg("combination %u: \"%s\"", i, err.hint);
    }
}

/* What an operator reads, for the cases that happen. */
static void the_usual_cases_read_so(void **state)
{
    static const struct {
        struct failure_facts facts;
        enum error_class class;
        const char *holds;
        const char *next;
    } cases[] = {
        { { .class = ERROR_REFUSED, .mode = MODE_ATOMIC, .has_begun = true, .is_connected = true },
          ERROR_CLEAN,
          "Nothing of 001_a; already applied by this run: 3 migrations.",
          "Correct 001_a/migration.sql and deploy again; there is nothing to resolve. Databases that already "
          "have it will report the edit." },
        { { .class = ERROR_CLEAN,
            .obstacle = OBSTACLE_REFUSED,
            .mode = MODE_ATOMIC,
            .has_begun = true,
            .is_connected = true },
          ERROR_CLEAN,
          "Nothing of 001_a; already applied by this run: 3 migrations.",
          "Begin 001_a/migration.sql with the line \"-- tidelock: transaction=off\" and deploy again: each statement "
          "then commits on its own. Where the file was applied before, this edit counts (--strict refuses it, "
          "Prisma's development command asks for a reset); to leave it as it is: psql -f 001_a/migration.sql, "
          "then tidelock resolve --applied \"001_a\"." },
        { { .class = ERROR_CLEAN,
            .obstacle = OBSTACLE_VALUE,
            .mode = MODE_ATOMIC,
            .has_begun = true,
            .is_connected = true,
            .is_pooled = true },
          ERROR_CLEAN,
          "Nothing of 001_a; already applied by this run: 3 migrations.",
          "Set DIRECT_URL to the database's own address and deploy again." },
        { { .class = ERROR_CLEAN,
            .mode = MODE_STEPWISE,
            .has_begun = true,
            .has_effect = true,
            .is_connected = true,
            .leftover = LEFTOVER_COMMITTED },
          ERROR_PARTIAL,
          "2 of 5 statements persisted: line 1: A; line 2: B. Left over: the INVALID index i.",
          "Look at what it has done. If you complete the script by hand: tidelock resolve --applied \"001_a\". "
          "If all of the script may run again: tidelock resolve --rolled-back \"001_a\", then deploy again." },
        { { .class = ERROR_INTERRUPTED, .mode = MODE_ATOMIC, .has_begun = true, .is_in_doubt = true },
          ERROR_INTERRUPTED,
          "It is not known yet whether 001_a was committed; the next deployment finds out.",
          "Deploy again: tidelock finds out what was done and resumes from there." },
        { { .class = ERROR_INTERRUPTED, .mode = MODE_STEPWISE, .has_begun = true },
          ERROR_INTERRUPTED,
          "2 of 5 statements persisted: line 1: A; line 2: B. It is not known yet whether statement 3 was done.",
          "Deploy again: tidelock finds out what was done and resumes from there." },
        { { .class = ERROR_INTERRUPTED, .mode = MODE_STEPWISE, .has_begun = true, .is_unrecorded = true },
          ERROR_INTERRUPTED,
          "2 of 5 statements persisted: line 1: A; line 2: B. It is not known yet whether statement 3 was done.",
          "It could not be recorded that statement 2 is done, and a later run can't find out. Run by hand what "
          "follows it, if anything, then type: tidelock resolve --applied \"001_a\"" },
        { { .class = ERROR_CLEAN,
            .mode = MODE_STEPWISE,
            .has_begun = true,
            .has_effect = true,
            .is_connected = true,
            .leftover = LEFTOVER_PERSON },
          ERROR_PARTIAL,
          "2 of 5 statements persisted: line 1: A; line 2: B. Left over: the INVALID index i.",
          "DROP INDEX CONCURRENTLY i; then correct the cause and deploy again." },
        { { .class = ERROR_LEADER,
            .mode = MODE_STEPWISE,
            .has_begun = true,
            .has_effect = true,
            .is_connected = true },
          ERROR_LEADER,
          "2 of 5 statements persisted: line 1: A; line 2: B.",
          "Deploy again to resume at statement 3." },
        { { .class = ERROR_CLEAN, .mode = MODE_STEPWISE, .is_resuming = true, .is_connected = true },
          ERROR_PARTIAL,
          "The part of 001_a that an earlier run applied; this run has not changed it.",
          "Correct the cause, or the script from there on, and deploy again to resume at statement 3. Or "
          "finish it by hand and type: tidelock resolve --applied \"001_a\"" },
        { { .class = ERROR_TABLE_LOCK,
            .mode = MODE_ATOMIC,
            .has_begun = true,
            .is_connected = true,
            .has_blocker = true },
          ERROR_TABLE_LOCK,
          "Nothing of 001_a; already applied by this run: 3 migrations.",
          "Deploy again when pid 4711 is done (to end it: SELECT pg_terminate_backend(4711);), or allow more "
          "time with --retry-for." },
        { { .class = ERROR_PARTIAL, .mode = MODE_ATOMIC, .has_begun = true, .has_escaped = true },
          ERROR_PARTIAL,
          "2 of 5 statements persisted: line 1: A; line 2: B. What the script did before that may persist; the "
          "ledger has no row for it.",
          "Look for COMMIT in the functions that it calls. If all of it is there: tidelock resolve --applied "
          "\"001_a\"; otherwise undo what persists and deploy again." },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct failure failure = { .facts = cases[i].facts,
                                   .names = { .migration = "001_a",
                                              .script = "001_a/migration.sql",
                                              .tool = "Prisma",
                                              .before = 3,
                                              .done = 2,
                                              .lasting = 2,
                                              .statements = 5,
                                              .more_time = "--retry-for",
                                              .blockers = 1,
                                              .blocking_sessions = "pid 4711",
                                              .blocker_remedy = ": SELECT pg_terminate_backend(4711);",
                                              .persists = " line 1: A; line 2: B",
                                              .remains = "the INVALID index i",
                                              .remedy = "DROP INDEX CONCURRENTLY i" } };
        struct error err = { .class = ERROR_NONE };

        if (failure.facts.sqlstate == NULL)
            failure.facts.sqlstate = "";
        failure_describe(&failure, &err);
        assert_int_equal(err.class, cases[i].class);
        assert_string_equal(err.holds, cases[i].holds);
        assert_string_equal(err.hint, cases[i].next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_exactly_where_it_is_proven),
        cmocka_unit_test(a_clean_failure_is_one_that_left_nothing),
        cmocka_unit_test(who_was_stopped_or_cut_off_did_not_fail),
        cmocka_unit_test(what_failed_and_left_something_is_partial),
        cmocka_unit_test(deciding_twice_is_deciding_once),
        cmocka_unit_test(every_combination_has_both_sentences),
        cmocka_unit_test(the_usual_cases_read_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
