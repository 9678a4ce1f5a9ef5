#include "repair/leftover.h"

#include <stdio.h>

#include "base/text.h"

bool leftover_unknown(struct leftover *left, const struct intent *intent, const struct error *err)
{
    *left = (struct leftover) { .is_ours = intent->is_known };
    (void)snprintf(left->what, sizeof left->what, "possibly something, which could not be checked (%.256s)",
                   err->message);
    text_copy_cut(left->remedy, sizeof left->remedy, "Check what the statement left behind");
    return false;
}
