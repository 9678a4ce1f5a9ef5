/*
 * The tables that documents, tests and other programs are made from, as JSON.
 */
#ifndef TABLES_H
#define TABLES_H

#include "base/json.h"

/* Commands, groups of options, options, directives, exit codes, variables and files. The caller's. */
struct json *tables_json(void);

#endif
