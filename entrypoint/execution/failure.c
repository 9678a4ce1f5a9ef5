#include "execution/failure.h"

#include "base/memory.h"

/* The facts as a set, so that a rule is a row. */
enum {
    RESUMING = 1 << 0,
    BEGUN = 1 << 1,
    EFFECT = 1 << 2,
    ESCAPED = 1 << 3,
    DOUBT = 1 << 4,
    CONNECTED = 1 << 5,
    ATOMIC = 1 << 6,
    LEFT = 1 << 7,   /* something was left over … */
    PERSON = 1 << 8, /* … that a person has to check */
    HINT = 1 << 9,
    BLOCKER = 1 << 10,
    STOPPED = 1 << 11, /* asked to stop, or no longer allowed to continue: not a mistake in the script */
    LOST = 1 << 12,
    TABLE_LOCK = 1 << 13,
    COMMITTED = 1 << 14, /* what a statement committed by itself was left over */
    POOLED = 1 << 15,
    ONE = 1 << 16,     /* the directive asks for one transaction */
    REFUSED = 1 << 17, /* as enum obstacle has it, like those that follow */
    REFUSED_IN_BLOCK = 1 << 18,
    VALUE = 1 << 19,
    VALUE_IN_BLOCK = 1 << 20,
    VALUE_HIDDEN = 1 << 21,
    LATE_SETTING = 1 << 22,
    STUCK = 1 << 23,
    UNRECORDED = 1 << 24,
};

static unsigned set_of(const struct failure_facts *facts)
{
    static const unsigned obstacles[OBSTACLES] = {
        [OBSTACLE_REFUSED] = REFUSED,
        [OBSTACLE_REFUSED_IN_BLOCK] = REFUSED_IN_BLOCK,
        [OBSTACLE_VALUE] = VALUE,
        [OBSTACLE_VALUE_IN_BLOCK] = VALUE_IN_BLOCK,
        [OBSTACLE_VALUE_HIDDEN] = VALUE_HIDDEN,
        [OBSTACLE_LATE_SETTING] = LATE_SETTING,
    };
    const struct {
        bool holds;
        unsigned fact;
    } all[] = {
        { facts->is_resuming, RESUMING },
        { facts->has_begun, BEGUN },
        { facts->has_effect, EFFECT },
        { facts->has_escaped, ESCAPED },
        { facts->is_in_doubt, DOUBT },
        { facts->is_connected, CONNECTED },
        { facts->mode == MODE_ATOMIC, ATOMIC },
        { facts->leftover != LEFTOVER_NOTHING, LEFT },
        { facts->leftover == LEFTOVER_PERSON, PERSON },
        { facts->has_hint, HINT },
        { facts->has_blocker, BLOCKER },
        { facts->class == ERROR_INTERRUPTED || facts->class == ERROR_LEADER ||
              facts->class == ERROR_UNREACHABLE || facts->class == ERROR_READ_ONLY,
          STOPPED },
        { facts->class == ERROR_LOST, LOST },
        { facts->class == ERROR_TABLE_LOCK || facts->class == ERROR_HELD_UP, TABLE_LOCK },
        { facts->leftover == LEFTOVER_COMMITTED, COMMITTED },
        { facts->is_stuck, STUCK },
        { facts->is_pooled, POOLED },
        { facts->insists_on_one, ONE },
        { facts->is_unrecorded, UNRECORDED },
    };
    unsigned set = obstacles[facts->obstacle];

    for (size_t i = 0; i < array_length(all); i++)
        set |= all[i].holds ? all[i].fact : 0;
    return set;
}

/* What the database holds: the first row applies whose facts all hold, and none of `without`. A transaction
 * that was not committed left nothing, connected or not. Without a connection it is not known whether the
 * last of several COMMITs succeeded, or what a statement outside a transaction left behind. */
static const struct {
    unsigned with;
    unsigned without;
    enum failure_holds holds;
} HOLDS[] = {
    { DOUBT, 0, HOLDS_COMMIT },    { ESCAPED, 0, HOLDS_ESCAPED }, { RESUMING, BEGUN, HOLDS_EARLIER },
    { 0, BEGUN, HOLDS_NOTHING },   { ATOMIC, 0, HOLDS_NOTHING },  { 0, CONNECTED, HOLDS_UNKNOWN },
    { EFFECT, 0, HOLDS_PERSISTS }, { LEFT, 0, HOLDS_LEFTOVER },   { 0, 0, HOLDS_NOTHING },
};

/* What to do next, by what the database holds (a bit each; 0 = anything) and the facts. */
static const struct {
    unsigned holds;
    unsigned with;
    unsigned without;
    enum failure_next next;
} NEXTS[] = {
    { 0, HINT, 0, NEXT_SAID },
    { 1u << HOLDS_COMMIT, 0, 0, NEXT_FIND_OUT },
    { 1u << HOLDS_ESCAPED, 0, 0, NEXT_ESCAPED },
    { 1u << HOLDS_UNKNOWN, UNRECORDED, 0, NEXT_BY_HAND },
    { 1u << HOLDS_UNKNOWN, 0, 0, NEXT_FIND_OUT },
    { 0, COMMITTED, 0, NEXT_LOOK },
    { 0, LEFT | PERSON, 0, NEXT_REMEDY },
    { 1u << HOLDS_PERSISTS | 1u << HOLDS_EARLIER, STUCK, 0, NEXT_FINISH },
    { 1u << HOLDS_PERSISTS | 1u << HOLDS_EARLIER, STOPPED, 0, NEXT_GO_ON },
    { 1u << HOLDS_PERSISTS | 1u << HOLDS_EARLIER, LOST, 0, NEXT_GO_ON },
    { 0, STOPPED, 0, NEXT_BEGIN_AGAIN },
    { 0, LOST, 0, NEXT_BEGIN_AGAIN },
    { 1u << HOLDS_PERSISTS | 1u << HOLDS_EARLIER | 1u << HOLDS_LEFTOVER, 0, 0, NEXT_GO_ON_CORRECTED },
    { 0, TABLE_LOCK | BLOCKER, 0, NEXT_BLOCKER },
    { 0, TABLE_LOCK, 0, NEXT_TABLE },
    { 0, LATE_SETTING, 0, NEXT_SET_FIRST },
    { 0, REFUSED_IN_BLOCK, 0, NEXT_OUT_OF_BLOCK },
    { 0, VALUE_IN_BLOCK, 0, NEXT_COMMIT_VALUE },
    { 0, VALUE_HIDDEN, 0, NEXT_OWN_MIGRATION },
    { 0, ONE | REFUSED, 0, NEXT_NOT_ONE },
    { 0, ONE | VALUE, 0, NEXT_NOT_ONE },
    { 0, POOLED | REFUSED, 0, NEXT_DIRECT },
    { 0, POOLED | VALUE, 0, NEXT_DIRECT },
    { 0, ATOMIC | REFUSED, 0, NEXT_NO_TRANSACTION },
    { 0, 0, 0, NEXT_CORRECT },
};

/* What began and left nothing behind. An inverse is refused for what it would lose. */
static enum error_class class_of_nothing(enum error_class class, bool is_inverse)
{
    if (class == ERROR_REFUSED && is_inverse)
        return class;
    if (class == ERROR_HELD_UP)
        return ERROR_TABLE_LOCK;
    return class == ERROR_REFUSED || class == ERROR_DENIED || class == ERROR_PARTIAL ? ERROR_CLEAN : class;
}

/* A failure that left something behind is partial, unless only a lock was missing and the next run resumes by
 * itself. */
static enum error_class class_of_rest(enum error_class class, unsigned set)
{
    if ((set & TABLE_LOCK) != 0 && (set & (PERSON | COMMITTED | STUCK)) == 0)
        return ERROR_HELD_UP;
    return (set & (STOPPED | LOST)) == 0 ? ERROR_PARTIAL : class;
}

/* Being stopped or disconnected is neither clean nor partial. */
static enum error_class class_of(const struct failure_facts *facts, enum failure_holds holds, unsigned set)
{
    enum error_class class = facts->class;
    bool is_failure = (set & (STOPPED | LOST)) == 0;

    switch (holds) {
    case HOLDS_ESCAPED:
        return is_failure ? ERROR_PARTIAL : class;
    case HOLDS_PERSISTS:
    case HOLDS_LEFTOVER:
        return class_of_rest(class, set);
    case HOLDS_UNKNOWN:
        return is_failure ? ERROR_LOST : class;
    case HOLDS_COMMIT:
        return class == ERROR_CLEAN ? ERROR_LOST : class;
    case HOLDS_EARLIER: /* a refusal before the start remains a refusal */
        return class == ERROR_CLEAN ? ERROR_PARTIAL : class;
    default: /* HOLDS_NOTHING */
        return (set & BEGUN) != 0 ? class_of_nothing(class, facts->is_inverse) : class;
    }
}

struct failure_verdict failure_decide(const struct failure_facts *facts)
{
    unsigned set = set_of(facts);
    struct failure_verdict verdict = { .class = facts->class };
    size_t i = 0;

    while ((set & HOLDS[i].with) != HOLDS[i].with || (set & HOLDS[i].without) != 0)
        i++;
    verdict.holds = HOLDS[i].holds;
    i = 0;
    while ((NEXTS[i].holds != 0 && (NEXTS[i].holds & 1u << verdict.holds) == 0) ||
           (set & NEXTS[i].with) != NEXTS[i].with || (set & NEXTS[i].without) != 0)
        i++;
    verdict.next = NEXTS[i].next;
    verdict.class = class_of(facts, verdict.holds, set);
    return verdict;
}
