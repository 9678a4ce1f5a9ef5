#include "repair/leftover.h"

#include <stdio.h>

#include "base/text.h"

struct slice broken_text(const struct broken *broken)
{
    return statement_text(broken->script, broken->statement);
}

bool broken_point(const struct broken *broken, struct error *err)
{
    return error_point(err, broken->path, broken->script.at, broken->script.length, broken->statement->start);
}

bool leftover_unknown(struct leftover *left, bool is_ours, const struct error *err)
{
    *left = (struct leftover) { .is_ours = is_ours };
    (void)snprintf(left->what, sizeof left->what, "possibly something, which could not be checked (%.256s)",
                   err->message);
    text_copy_cut(left->remedy, sizeof left->remedy, "Check what the statement left behind");
    return false;
}
