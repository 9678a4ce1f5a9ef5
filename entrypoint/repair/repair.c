#include "repair/repair.h"

#include "repair/index.h"
#include "repair/object.h"
#include "repair/reindex.h"
#include "sql/subject.h"

struct broken repair_broken(const struct execution *execution, const struct statement *statement)
{
    return (struct broken) { .conn = execution->conn,
                             .path = execution->migration->script_path,
                             .script = execution->script,
                             .statement = statement };
}

bool repair_may_be_needed(const struct broken *broken)
{
    const struct statement *statement = broken->statement;
    struct subject subject;

    switch (statement->nontransactional) {
    case NONTRANSACTIONAL_CREATE_INDEX:
    case NONTRANSACTIONAL_DROP_INDEX:
    case NONTRANSACTIONAL_REINDEX_CONCURRENTLY:
    case NONTRANSACTIONAL_DETACH:
    case NONTRANSACTIONAL_COMMITTING:
    case NONTRANSACTIONAL_SUBSCRIPTION: /* a slot on the other server */
        return true;
    case NONTRANSACTIONAL_REINDEX:
        return subject_parse(broken_text(broken), &subject) && subject.is_concurrent;
    default:
        return false;
    }
}

/* Nothing tells how much of it is done, so running it again would be a guess. A person who has changed it has
 * decided. */
static enum repair_answer committing_before(const struct broken *broken, const struct intent *intent,
                                            struct error *err)
{
    if (!intent->is_known || intent->sql == NULL || !slice_equals(broken_text(broken), intent->sql))
        return REPAIR_RUN;
    error_set(err, ERROR_CLEAN,
              "this statement commits by itself, and it is not known how far it came in an earlier run");
    broken_point(broken, err);
    return REPAIR_REFUSED;
}

enum repair_answer repair_before(const struct broken *broken, const struct intent *intent, struct error *err)
{
    struct index_statement index;
    struct subject subject;

    if (broken->statement->nontransactional == NONTRANSACTIONAL_COMMITTING)
        return committing_before(broken, intent, err);
    if (index_statement_parse(broken_text(broken), &index))
        return index.is_drop ? index_drop_before(broken, &index, intent, err)
                             : index_create_before(broken, &index, intent, err);
    if (!subject_parse(broken_text(broken), &subject))
        return REPAIR_RUN;
    if (subject.kind == SUBJECT_PARTITION)
        return detach_before(broken, &subject, intent, err);
    if (subject.is_create || subject.is_drop)
        return object_before(broken, &subject, intent, err);
    return subject.is_concurrent ? reindex_before(broken, &subject, intent, err) : REPAIR_RUN;
}

bool repair_after(const struct broken *broken, const struct intent *intent, struct leftover *left)
{
    struct index_statement index;
    struct subject subject;

    *left = (struct leftover) { .is_ours = false };
    if (index_statement_parse(broken_text(broken), &index))
        return index.is_drop ? index_drop_after(broken, &index, intent, left)
                             : index_create_after(broken, &index, intent, left);
    if (!subject_parse(broken_text(broken), &subject))
        return true;
    if (subject.kind == SUBJECT_PARTITION)
        return detach_after(broken, &subject, intent, left);
    return !subject.is_concurrent || reindex_after(broken, &subject, intent, left);
}

bool repair_verify(struct execution *execution, size_t start, size_t end, struct error *err)
{
    struct slice bytes = { .at = execution->script.at + start, .length = end - start };
    struct script_reader reader =
        script_reader_of(execution->migration->script_path, bytes, connection_server_version(execution->conn),
                         execution->ledger->has_standard_strings);
    struct statement statement;
    struct index_statement index;

    if (execution->summary.guarded_indexes + execution->summary.nontransactional == 0)
        return true;
    while (script_next(&reader, &statement, err) == SCRIPT_STATEMENT) {
        statement.start += start;
        statement.end += start;
        const struct broken broken = repair_broken(execution, &statement);
        if ((statement.is_guarded_index || statement.nontransactional == NONTRANSACTIONAL_CREATE_INDEX) &&
            index_statement_parse(execution_text(execution, &statement), &index) &&
            !index_verify(&broken, &index, err)) {
            if (!connection_is_in_transaction(execution->conn))
                execution_note_leftover(execution, LEFTOVER_PERSON, "", "");
            return false;
        }
    }
    return true;
}
