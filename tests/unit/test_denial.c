#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "postgres/denial.h"

static void the_messages_are_read(void **state)
{
    static const struct {
        const char *message;
        bool is_known;
        enum denial_kind kind;
        const char *name;
    } cases[] = {
        { "permission denied for table users", true, DENIAL_RELATION, "users" },
        { "migration \"a\" failed: permission denied for schema public", true, DENIAL_SCHEMA, "public" },
        { "permission denied for view a b", true, DENIAL_RELATION, "a b" },
        { "permission denied for sequence s", true, DENIAL_SEQUENCE, "s" },
        { "permission denied for database d", true, DENIAL_DATABASE, "d" },
        { "permission denied for function f", true, DENIAL_ROUTINE, "f" },
        { "permission denied for foreign-data wrapper w", true, DENIAL_WRAPPER, "w" },
        { "permission denied to create extension \"postgres_fdw\"", true, DENIAL_EXTENSION, "postgres_fdw" },
        { "permission denied to create role", true, DENIAL_CREATE_ROLE, "" },
        { "must be owner of table t", true, DENIAL_OWNER, "t" },
        { "must be owner of schema s", true, DENIAL_OWNER_OF_SCHEMA, "s" },
        { "must be owner of extension e", true, DENIAL_SUPERUSER, "e" },
        { "permission denied to create event trigger \"e\"", true, DENIAL_SUPERUSER, "e" },
        { "must be owner of function f", true, DENIAL_OWNER_OF_OTHER, "function f" },
        { "must be able to SET ROLE \"r\"", true, DENIAL_MEMBER, "r" },
        { "must be superuser to alter superuser roles", true, DENIAL_SUPERUSER, " to alter superuser roles" },
        { "droit refusé pour la table t", false, DENIALS, "" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        enum denial_kind kind = DENIALS;
        char name[DENIAL_NAME_SIZE] = "";

        assert_int_equal(denial_parse(cases[i].message, &kind, name), cases[i].is_known);
        assert_int_equal(kind, cases[i].kind);
        assert_string_equal(name, cases[i].name);
    }
}

static void a_statement_needs_what_its_words_do(void **state)
{
    static const struct {
        enum denial_kind kind;
        const char *statement;
        const char *privileges;
    } cases[] = {
        { DENIAL_RELATION, "INSERT INTO t VALUES ('select')", "{INSERT}" },
        { DENIAL_RELATION, "UPDATE t SET a = 1", "{SELECT,UPDATE}" },
        { DENIAL_RELATION, "DELETE FROM t", "{SELECT,DELETE}" },
        { DENIAL_RELATION, "CREATE VIEW v AS SELECT * FROM t", "{SELECT}" },
        { DENIAL_RELATION, "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", "{INSERT,TRIGGER}" },
        { DENIAL_RELATION, "COPY t TO '/x'", "{}" },
        { DENIAL_RELATION, "", "{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}" },
        { DENIAL_SCHEMA, "CREATE TABLE s.t ()", "{USAGE,CREATE}" },
        { DENIAL_SCHEMA, "SELECT * FROM s.t", "{USAGE}" },
        { DENIAL_DATABASE, "CREATE SCHEMA s", "{CREATE}" },
        { DENIAL_DATABASE, "CREATE TEMP TABLE t ()", "{TEMPORARY}" },
        { DENIAL_TYPE, "SELECT 1", "{}" },
    };

    (void)state;
    for (size_t i = 0; i < array_length(cases); i++) {
        auto_text struct text privileges = text_init(256);

        denial_add_privileges(cases[i].kind, slice_of(cases[i].statement), &privileges);
        assert_string_equal(privileges.at, cases[i].privileges);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_are_read),
        cmocka_unit_test(a_statement_needs_what_its_words_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
