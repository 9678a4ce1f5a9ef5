#include "execution/failure_inverse.h"

#include "execution/failure_blockers.h"

void failure_inverse_add_holds(enum failure_holds holds, const struct failure_names *names, struct text *out)
{
    if (holds == HOLDS_COMMIT)
        text_add_format(out, "It is not known yet whether %s was rolled back.", names->migration);
    else if (holds == HOLDS_ESCAPED)
        text_add_format(out,
                        "What the inverse did before that may persist; the ledger says that %s is applied.",
                        names->migration);
    else
        text_add_format(out, "%s is still applied.", names->migration);
    if (names->before > 0)
        text_add_format(out, " Already rolled back by this run: %zu migration%s.", names->before,
                        text_plural(names->before));
}

static void add_correct(const struct failure_names *names, struct text *out)
{
    if (names->advice[0] != '\0')
        text_add_format(out, "%s Then type the same again.", names->advice);
    else
        text_add_format(out, "Correct %s and type the same again.", names->script);
}

void failure_inverse_add_next(enum failure_next next, const struct failure_names *names, struct text *out)
{
    switch (next) {
    case NEXT_FIND_OUT:
        text_add_string(out, "To see what the database holds: tidelock status.");
        break;
    case NEXT_ESCAPED:
        text_add_string(out,
                        "Look for COMMIT in the functions that it calls, and put back what it has undone.");
        break;
    case NEXT_BEGIN_AGAIN:
    case NEXT_GO_ON:
        text_add_string(out, "Type the same again.");
        break;
    case NEXT_BLOCKER:
        failure_add_blockers("Type the same again", names, out);
        break;
    case NEXT_TABLE:
        text_add_format(out, "Type the same again when the table is free, or allow more time with %s.",
                        names->more_time);
        break;
    default:
        add_correct(names, out);
        break;
    }
}
