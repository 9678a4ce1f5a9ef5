/*
 * Why a statement failed in a transaction, if it need not fail in another one or in none. Pure.
 *
 * The SQLSTATE alone does not say: 25001 is raised by REINDEX of a partitioned table, which may run alone, by
 * a SET TRANSACTION that comes too late, and by a VACUUM inside a function, which nothing helps.
 */
#ifndef EXECUTION_OBSTACLE_H
#define EXECUTION_OBSTACLE_H

#include <stddef.h>

#include "sql/script.h"

enum obstacle {
    OBSTACLE_NONE,    /* another transaction would not help */
    OBSTACLE_REFUSED, /* it commits by itself, or refuses a transaction block: it can run alone … */
    OBSTACLE_REFUSED_IN_BLOCK, /* … but the script has begun a transaction around it */
    OBSTACLE_VALUE,            /* it uses a value that the same transaction has added to an enum … */
    OBSTACLE_VALUE_IN_BLOCK,   /* … which the script itself has begun */
    OBSTACLE_VALUE_HIDDEN, /* the same, and the script's text does not show what added the value, or relies
                              on being one transaction */
    OBSTACLE_LATE_SETTING, /* SET TRANSACTION after a query */
    OBSTACLES
};

/* Statement number `number` (from 0) of `script` failed with `sqlstate`. */
enum obstacle obstacle_of(struct script_reader script, size_t number, const char *sqlstate);

#endif
