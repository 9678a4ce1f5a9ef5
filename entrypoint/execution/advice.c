#include "execution/advice.h"

#include <string.h>

#include "base/memory.h"

/* Every code of an object that exists already. */
static const char ANY_THAT_EXISTS[] = "exists";
static const char *const EXISTING[] = { "42P07", "42701", "42710", "42P06", "42723", "42P04" };

/* Codes before the classes that contain them; the first row applies whose facts are all known. */
static const struct {
    const char *code; /* five characters, or the two of a class */
    unsigned with;
    const char *next;
} ADVICES[] = {
    { "42P07", ADVICE_INVALID,
      "\"{object}\" is an INVALID index, which an interrupted CREATE INDEX CONCURRENTLY left. If nobody is building "
      "it: {remedy}" },
    { "42P07", ADVICE_NONE_THERE, "{script} creates the same object twice: correct it." },
    { "42701", ADVICE_NONE_THERE, "{script} creates the same object twice: correct it." },
    { "42P06", ADVICE_NONE_THERE, "{script} creates the same object twice: correct it." },
    { ANY_THAT_EXISTS, ADVICE_ALL_THERE | ADVICE_LEDGER_EMPTY,
      "The ledger records nothing as applied, but the database holds what {name} creates. If the schema "
      "holds all of the folder's migrations: tidelock baseline; if the first ones only: tidelock baseline --to NAME, with the last of these. If not, rename what is in the way, or drop it if nobody needs it." },
    { ANY_THAT_EXISTS, ADVICE_ALL_THERE | ADVICE_MISSING,
      "{compared}, the database already holds all that {name} creates, and applied migrations are not in the folder. If it "
      "replaces them (squashed or renamed): tidelock resolve --applied \"{name}\". If not, rename what is in the way, or drop it if nobody needs it." },
    { ANY_THAT_EXISTS, ADVICE_ALL_THERE,
      "{compared}, the database already holds all that {name} creates; nothing else was compared. If that is its work: tidelock resolve --applied "
      "\"{name}\". If not, rename what is in the way, or drop it if nobody needs it." },
    { ANY_THAT_EXISTS, ADVICE_SOME_THERE,
      "The database holds part of what {name} creates, but not {absent}. Drop what is there, or create the rest by "
      "hand and type: tidelock resolve --applied \"{name}\"." },
    { ANY_THAT_EXISTS, 0,
      "If what the message names is the work of {name}: tidelock resolve --applied \"{name}\". If not, rename what is in the way, or "
      "correct {edit}." },
    { "42501", ADVICE_OTHER_ROLE,
      "The script changes its role: GRANT what the message says to the role that it has there, or correct {edit}." },
    { "42501", ADVICE_REMEDY, "{remedy}" },
    { "42501", 0,
      "GRANT \"{role}\" what the message says it lacks, or deploy as a role that has it "
      "(--set-role)." },
    { "0A000", ADVICE_EXTENSION,
      "Install the extension \"{object}\" on the database server (its package; a managed service lists what it "
      "offers)." },
    { "58P01", ADVICE_EXTENSION,
      "Install the extension \"{object}\" on the database server (its package; a managed service lists what it "
      "offers)." },
    { "42704", ADVICE_EXTENSION | ADVICE_AVAILABLE,
      "The server offers it as an extension. As a role that may: CREATE EXTENSION \"{object}\";" },
    { "42883", ADVICE_EXTENSION | ADVICE_AVAILABLE,
      "The server offers it as an extension. As a role that may: CREATE EXTENSION \"{object}\";" },
    { "42704", ADVICE_EXTENSION,
      "Install the extension \"{object}\" on the database server, and create it before this migration." },
    { "42883", ADVICE_EXTENSION,
      "Install the extension \"{object}\" on the database server, and create it before this migration." },
    { "57014", ADVICE_MIGRATION_LIMIT | ADVICE_REMEDY,
      "End what it waited for{remedy} Or allow more time: {time}." },
    { "57014", ADVICE_MIGRATION_LIMIT, "Allow it more time: {time}." },
    { "57014", ADVICE_LIMIT,
      "Allow the statement more time than {limit} ({setter}): --statement-timeout. Or begin {edit} with "
      "the line \"-- tidelock: statement-timeout=…\"." },
    { "57014", 0, "The script is not to blame: somebody cancelled it (pg_cancel_backend); find out why." },
    { "55P03", ADVICE_REMEDY, "End what held the lock{remedy} Or allow more time: {time}." },
    { "55P03", 0, "Wait until the table is free, or allow more time: {time}." },
    { "40", 0,
      "The script is not to blame: it competed with other sessions. Choose a quieter moment, or allow "
      "more time: {time}." },
    { "53200", ADVICE_LOCK_TABLE,
      "Raise max_locks_per_transaction on the server (now {value}): ALTER SYSTEM SET "
      "max_locks_per_transaction = …; and restart it." },
    { "53200", 0,
      "The server ran out of memory: give it more, or lower work_mem and maintenance_work_mem for "
      "\"{role}\"." },
    { "53100", 0, "The server's disk is full: free space, or enlarge it." },
    { "53400", 0, "Raise the limit that the message names: ALTER ROLE \"{role}\" SET … as a superuser." },
    { "53", 0, "The server lacks what the message names: give it more." },
    { "54001", 0, "Raise max_stack_depth on the server, or split the statement in {edit}." },
    { "54", 0,
      "The statement exceeds a limit of PostgreSQL: change the data that the message names, or the "
      "statement in {edit}." },
    { "XX001", 0,
      "The script is not to blame: the server's data is damaged. See its log; restore from a backup." },
    { "XX002", 0,
      "The script is not to blame: an index is damaged. REINDEX the one that the message names." },
    { "XX", 0,
      "The script is not to blame: this is an error inside the server or one of its extensions. See its "
      "log." },
    { "58", 0,
      "The script is not to blame: the server cannot use one of its own files. See its log and its disk." },
    { "23", ADVICE_BACKFILL,
      "Correct the rows that the message names. The statement of a backfill that is half done has to stay as it is." },
    { "22", ADVICE_BACKFILL,
      "Correct the data that the statement met. The statement of a backfill that is half done has to stay as it is." },
    { "23", 0,
      "The data does not allow it: correct the rows that the message names, or {edit}, if that wrote them." },
    { "22", 0, "Correct the data that the statement met, or the statement in {edit}." },
    { "2BP01", 0, "Drop or change first what depends on it, in an earlier migration; or correct {edit}." },
    { "25006", 0, "{script} makes its own transaction read-only: correct it." },
};

static void add_value(const struct advice_facts *facts, struct slice name, struct text *out)
{
    const struct {
        const char *name;
        const char *value;
    } values[] = {
        { "script", facts->script },  { "name", facts->name },         { "role", facts->role },
        { "remedy", facts->remedy },  { "limit", facts->limit },       { "setter", facts->setter },
        { "object", facts->object },  { "value", facts->value },       { "absent", facts->absent },
        { "time", facts->more_time }, { "compared", facts->compared },
    };

    /* What correcting it costs is said each time. */
    if (slice_equals(name, "edit"))
        text_add_format(out, "%s%s", facts->script,
                        (facts->known & ADVICE_UNSEEN) != 0
                            ? ""
                            : " (databases that already have it will report the edit)");
    for (size_t i = 0; i < array_length(values); i++) {
        if (slice_equals(name, values[i].name))
            text_add_string(out, values[i].value);
    }
}

static void fill(const char *sentence, const struct advice_facts *facts, struct text *out)
{
    while (*sentence != '\0') {
        size_t length = strcspn(sentence, "{");
        const char *name = sentence + length + 1;

        text_add(out, sentence, length);
        sentence += length;
        if (*sentence == '\0')
            break;
        length = strcspn(name, "}");
        add_value(facts, (struct slice) { .at = name, .length = length }, out);
        sentence = name + length + 1;
    }
}

static bool is_one_of(const char *sqlstate, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(codes[i], sqlstate) == 0)
            return true;
    }
    return false;
}

static bool matches(const char *code, const char *sqlstate)
{
    return code == ANY_THAT_EXISTS ? is_one_of(sqlstate, EXISTING, array_length(EXISTING))
                                   : strncmp(code, sqlstate, strlen(code)) == 0;
}

bool advice_add(const struct advice_facts *facts, struct text *out)
{
    for (size_t i = 0; i < array_length(ADVICES); i++) {
        if (!matches(ADVICES[i].code, facts->sqlstate) || (facts->known & ADVICES[i].with) != ADVICES[i].with)
            continue;
        fill(ADVICES[i].next, facts, out);
        return true;
    }
    return false;
}

bool advice_is_wrong_everywhere(const char *sqlstate)
{
    static const char *const codes[] = { "42601", "42602", "42622", "42P02", "25006" };

    return is_one_of(sqlstate, codes, array_length(codes));
}
