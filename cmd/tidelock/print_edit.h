/*
 * What "resolve --accept-edit" says of an edit.
 */
#ifndef PRINT_EDIT_H
#define PRINT_EDIT_H

#include "history/edit.h"
#include "history/migration.h"

/* How the script differs from what was applied with that checksum. */
void print_edit(const struct migration *migration, enum edit edit, const char *checksum);

#endif
