#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "execution/advice.h"

static void every_row_reads_so(void **state)
{
    static const struct {
        const char *sqlstate;
        unsigned known;
        const char *advice; /* NULL: the script is to be corrected */
    } cases[] = {
        { "42P07", ADVICE_ALL_THERE | ADVICE_LEDGER_EMPTY,
          "The ledger records nothing as applied, but the database holds what 001_a creates. If the schema "
          "holds all of the folder's migrations: tidelock baseline; if the first ones only: tidelock baseline --to NAME, with the last of these. If not, rename what is in the way, or drop it if nobody needs it." },
        { "42701", ADVICE_ALL_THERE,
          "By names, the database already holds all that 001_a creates; nothing else was compared. If that is its work: tidelock resolve --applied "
          "\"001_a\". If not, rename what is in the way, or drop it if nobody needs it." },
        { "42P06", ADVICE_ALL_THERE | ADVICE_MISSING,
          "By names, the database already holds all that 001_a creates, and applied migrations are not in the folder. If it "
          "replaces them (squashed or renamed): tidelock resolve --applied \"001_a\". If not, rename what is in the way, or drop it if nobody needs it." },
        { "42710", ADVICE_SOME_THERE,
          "The database holds part of what 001_a creates, but not \"b\". Drop what is there, or create the rest by "
          "hand and type: tidelock resolve --applied \"001_a\"." },
        { "42P07", ADVICE_NONE_THERE, "001_a/migration.sql creates the same object twice: correct it." },
        { "42701", ADVICE_NONE_THERE, "001_a/migration.sql creates the same object twice: correct it." },
        { "42P06", ADVICE_NONE_THERE, "001_a/migration.sql creates the same object twice: correct it." },
        { "42723", 0,
          "If what the message names is the work of 001_a: tidelock resolve --applied \"001_a\". If not, rename what is in the way, or "
          "correct 001_a/migration.sql (databases that already have it will report the edit)." },
        { "42P04", 0,
          "If what the message names is the work of 001_a: tidelock resolve --applied \"001_a\". If not, rename what is in the way, or "
          "correct 001_a/migration.sql (databases that already have it will report the edit)." },
        { "42501", ADVICE_REMEDY, ", as root: DO THIS;" },
        { "42501", 0,
          "GRANT \"app\" what the message says it lacks, or deploy as a role that has it (--set-role)." },
        { "0A000", ADVICE_EXTENSION,
          "Install the extension \"hstore\" on the database server (its package; a managed service lists what it "
          "offers)." },
        { "58P01", ADVICE_EXTENSION,
          "Install the extension \"hstore\" on the database server (its package; a managed service lists what it "
          "offers)." },
        { "42704", ADVICE_EXTENSION | ADVICE_AVAILABLE,
          "The server offers it as an extension. As a role that may: CREATE EXTENSION \"hstore\";" },
        { "42883", ADVICE_EXTENSION | ADVICE_AVAILABLE,
          "The server offers it as an extension. As a role that may: CREATE EXTENSION \"hstore\";" },
        { "42704", ADVICE_EXTENSION,
          "Install the extension \"hstore\" on the database server, and create it before this migration." },
        { "42883", ADVICE_EXTENSION,
          "Install the extension \"hstore\" on the database server, and create it before this migration." },
        { "57014", ADVICE_MIGRATION_LIMIT | ADVICE_REMEDY,
          "End what it waited for, as root: DO THIS; Or allow more time: --migration-timeout." },
        { "57014", ADVICE_MIGRATION_LIMIT, "Allow it more time: --migration-timeout." },
        { "57014", ADVICE_LIMIT,
          "Allow the statement more time than 1.0 s (set for the role): --statement-timeout. Or begin 001_a/migration.sql (databases that already have it will report the edit) with the line \"-- tidelock: statement-timeout=…\"." },
        { "57014", 0,
          "The script is not to blame: somebody cancelled it (pg_cancel_backend); find out why." },
        { "55P03", ADVICE_REMEDY,
          "End what held the lock, as root: DO THIS; Or allow more time: --retry-for." },
        { "55P03", 0, "Wait until the table is free, or allow more time: --retry-for." },
        { "40001", 0,
          "The script is not to blame: it competed with other sessions. Choose a quieter moment, or allow more time: "
          "--retry-for." },
        { "40P01", 0,
          "The script is not to blame: it competed with other sessions. Choose a quieter moment, or allow more time: "
          "--retry-for." },
        { "53200", ADVICE_LOCK_TABLE,
          "Raise max_locks_per_transaction on the server (now 64): ALTER SYSTEM SET max_locks_per_transaction = …; and "
          "restart it." },
        { "53200", 0,
          "The server ran out of memory: give it more, or lower work_mem and maintenance_work_mem for \"app\"." },
        { "53100", 0, "The server's disk is full: free space, or enlarge it." },
        { "53400", 0, "Raise the limit that the message names: ALTER ROLE \"app\" SET … as a superuser." },
        { "53000", 0, "The server lacks what the message names: give it more." },
        { "54001", 0,
          "Raise max_stack_depth on the server, or split the statement in 001_a/migration.sql (databases that already have it will report the edit)." },
        { "54000", 0,
          "The statement exceeds a limit of PostgreSQL: change the data that the message names, or the statement in "
          "001_a/migration.sql (databases that already have it will report the edit)." },
        { "XX001", 0,
          "The script is not to blame: the server's data is damaged. See its log; restore from a backup." },
        { "XX002", 0,
          "The script is not to blame: an index is damaged. REINDEX the one that the message names." },
        { "XX000", 0,
          "The script is not to blame: this is an error inside the server or one of its extensions. See its log." },
        { "58030", 0,
          "The script is not to blame: the server cannot use one of its own files. See its log and its disk." },
        { "58P01", 0,
          "The script is not to blame: the server cannot use one of its own files. See its log and its disk." },
        { "23505", 0,
          "The data does not allow it: correct the rows that the message names, or 001_a/migration.sql (databases that already have it will report the edit), if that wrote them." },
        { "22003", 0,
          "Correct the data that the statement met, or the statement in 001_a/migration.sql (databases that already have it will report the edit)." },
        { "2BP01", 0,
          "Drop or change first what depends on it, in an earlier migration; or correct 001_a/migration.sql (databases that already have it will report the edit)." },
        { "25006", 0, "001_a/migration.sql makes its own transaction read-only: correct it." },
        { "42601", 0, NULL },
        { "42P01", 0, NULL },
        { "0A000", 0, NULL },
        { "42704", 0, NULL },
        { "P0001", 0, NULL },
        { "", 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        const struct advice_facts facts = { .sqlstate = cases[i].sqlstate,
                                            .known = cases[i].known,
                                            .script = "001_a/migration.sql",
                                            .name = "001_a",
                                            .role = "app",
                                            .remedy = ", as root: DO THIS;",
                                            .limit = "1.0 s",
                                            .setter = "set for the role",
                                            .object = "hstore",
                                            .value = "64",
                                            .more_time = (cases[i].known & ADVICE_MIGRATION_LIMIT) != 0
                                                             ? "--migration-timeout"
                                                             : "--retry-for",
                                            .compared = "By names",
                                            .absent = "\"b\"" };
        auto_text struct text advice = text_init(1024);

        assert_int_equal(advice_add(&facts, &advice), cases[i].advice != NULL);
        assert_string_equal(advice.at, cases[i].advice == NULL ? "" : cases[i].advice);
    }
}

static void only_what_can_be_applied_nowhere_is_corrected_for_nothing(void **state)
{
    (void)state;
    assert_true(advice_is_wrong_everywhere("42601"));
    assert_false(advice_is_wrong_everywhere("42P01"));
    assert_false(advice_is_wrong_everywhere(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_reads_so),
        cmocka_unit_test(only_what_can_be_applied_nowhere_is_corrected_for_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
