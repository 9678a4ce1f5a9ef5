#include "execution/failure_blockers.h"

void failure_name_blockers(const struct blockers *blockers, struct failure_names *names)
{
    auto_text struct text sessions = text_init(sizeof names->blocking_sessions);
    auto_text struct text remedy = text_init(sizeof names->blocker_remedy);

    blockers_name(blockers, &sessions);
    blockers_add_remedy(blockers, &remedy);
    text_copy_cut(names->blocking_sessions, sizeof names->blocking_sessions, sessions.at);
    text_copy_cut(names->blocker_remedy, sizeof names->blocker_remedy, remedy.at);
    names->blockers = blockers->count;
}

void failure_add_blockers(const char *again, const struct failure_names *names, struct text *out)
{
    const bool is_one = names->blockers == 1;

    if (names->blocking_sessions[0] == '\0')
        text_add_format(out, "%s when the prepared transaction%s ended; to end %s%s", again,
                        is_one ? " has" : "s have", is_one ? "it" : "them", names->blocker_remedy);
    else
        text_add_format(out, "%s when %s %s done (to end %s%s), or allow more time with %s.", again,
                        names->blocking_sessions, is_one ? "is" : "are", is_one ? "it" : "them",
                        names->blocker_remedy, names->more_time);
}
