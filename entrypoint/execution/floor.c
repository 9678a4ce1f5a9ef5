#include "execution/floor.h"

#include "base/text.h"

/* Under the id of the row that says that it is applied, which an attempt's is not. */
static void find_id(const struct execution *execution, char out[UUID_SIZE])
{
    const char *id = execution->migration->is_inverse ? execution->applied->id : execution->id;

    if (!execution->ledger->dialect->keeps_attempts)
        ledger_make_id(execution->ledger, execution->migration->key, out);
    else
        text_copy_cut(out, UUID_SIZE, id);
}

void execution_take_floor(struct execution *execution)
{
    struct slice floor = execution->directives.floor;
    auto_text struct text release = text_init(RELEASE_SIZE);

    if (!execution->is_replay && !execution->migration->is_inverse && floor.length > 0)
        text_add(&release, floor.at, floor.length);
    text_copy_cut(execution->floor.release, sizeof execution->floor.release, release.at);
}

bool execution_has_floor(const struct execution *execution)
{
    char id[UUID_SIZE];

    if (execution->directives.floor.length > 0)
        return true;
    if (execution->ledger->dialect->keeps_attempts)
        return false;
    ledger_make_id(execution->ledger, execution->migration->key, id);
    return floors_find(&execution->ledger->floors, id) != NULL;
}

bool execution_prepare_floor(struct execution *execution, struct error *err)
{
    const struct journal journal = execution_journal(execution);

    return floor_prepare(&journal, &execution->floor, err) ||
           error_context(err, "looking for the place of the floor");
}

size_t execution_add_floor(struct execution *execution, struct batch_item items[FLOOR_ITEMS_MOST])
{
    char id[UUID_SIZE];

    find_id(execution, id);
    return floor_add_items(&execution->floor, &execution->ledger->floors, id, execution->migration->key,
                           items);
}
