#include "deploy/floor_check.h"

#include <string.h>

#include "base/log.h"

/* The ledger says no more than how far it is; the folder of an older image lacks what is beyond. */
static bool is_behind_marker(const struct ledger *ledger, const char *key)
{
    const struct dialect *dialect = ledger->dialect;
    const struct order_key order = dialect->order_key_of(key);
    size_t at = 0;

    /* Before its own row are those that were made from it; behind it, attempts. */
    while (at < ledger->count && ledger->rows[at].key == NULL)
        at++;
    if (at == ledger->count)
        return false;
    const struct order_key mark = dialect->order_key_of(ledger->rows[at].key);
    int compared = dialect->compare_keys(&order, &mark);

    return compared < 0 || (compared == 0 && ledger->rows[at].is_finished);
}

static bool is_of_marker(const struct ledger *ledger, const struct floor *floor)
{
    char id[UUID_SIZE];

    ledger_make_id(ledger, floor->key, id);
    return strcmp(id, floor->ledger_id) == 0 && is_behind_marker(ledger, floor->key);
}

static bool is_applied(const struct ledger *ledger, const struct floor *floor)
{
    if (ledger->dialect->is_marker)
        return is_of_marker(ledger, floor);
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];

        if (row->is_finished && !row->is_rolled_back && row->id != NULL &&
            strcmp(row->id, floor->ledger_id) == 0)
            return true;
    }
    return false;
}

const struct floor *floor_highest(const struct ledger *ledger)
{
    const struct floor *highest = NULL;

    for (size_t i = 0; i < ledger->floors.count; i++) {
        const struct floor *floor = &ledger->floors.items[i];

        if (is_applied(ledger, floor) &&
            (highest == NULL || release_is_older(highest->release, floor->release)))
            highest = floor;
    }
    return highest;
}

static bool warn_of_hidden(const struct ledger *ledger)
{
    static bool has_warned;
    const char *hidden = ledger->floors.hidden;

    if (hidden != NULL && !has_warned)
        log_warn(
            "it is not known whether this release may run: the role may not read the floors. Let it, as their "
            "owner: GRANT USAGE ON SCHEMA \"%s\" TO \"%s\"; GRANT SELECT ON \"%s\"." FLOOR_TABLE
            " TO \"%s\";",
            hidden, ledger->role, hidden, ledger->role);
    has_warned |= hidden != NULL;
    return true;
}

bool floor_check(const struct config *config, const struct ledger *ledger, struct error *err)
{
    const struct floor *floor;

    if (config->release == NULL)
        return true;
    floor = floor_highest(ledger);
    if (floor == NULL || !release_is_older(config->release, floor->release))
        return warn_of_hidden(ledger);
    error_set(
        err, ERROR_REFUSED,
        "release %s is too old for this database: migration \"%s\" is applied, after which only release %s "
        "or a newer one can run",
        config->release, floor->key, floor->release);
    error_cause(err, CAUSE_FLOOR);
    error_holds(err, "Nothing was changed.");
    return error_hint(
        err,
        "Start release %s or a newer one; or first take that migration back, with an image that "
        "has it: tidelock rollback",
        floor->release);
}

bool floor_check_script(const struct config *config, struct execution *execution, struct error *err)
{
    const char *release = execution->floor.release;

    if (release[0] == '\0' || execution->migration->is_inverse)
        return true;
    if (config->release == NULL || !release_is_older(config->release, release)) {
        const struct journal journal = { .conn = execution->conn,
                                         .ledger_schema = execution->ledger->schema };

        return journal_check(&journal, JOURNAL_USE_ORIGINS, err) ||
               error_message(err, "the floor of migration \"%s\" cannot be recorded: %s",
                             execution->migration->name, err->message);
    }
    error_set(err, ERROR_REFUSED,
              "migration \"%s\" lets only release %s or a newer one run, and this image is release %s",
              execution->migration->name, release, config->release);
    error_cause(err, CAUSE_FLOOR);
    error_holds(err, "Nothing was changed.");
    return error_hint(err, "Deploy it with the image of release %s, or correct --release.", release);
}
