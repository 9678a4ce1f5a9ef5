/*
 * CSV (RFC 4180), one record after the other. Pure.
 *
 * Beyond the RFC: lines may end in a line feed alone, lines of blanks count for nothing, and blanks around a
 * value do not belong to it unless it is quoted.
 */
#ifndef TENANTS_CSV_H
#define TENANTS_CSV_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "tenants/row.h"

enum { CSV_FIELDS_MOST = 32 };

struct csv_record {
    const char *values[CSV_FIELDS_MOST]; /* in the arena */
    struct spot spots[CSV_FIELDS_MOST];
    size_t count;
};

/* A text that is read: valid UTF-8 without NUL bytes. Begin with path and text alone. */
struct csv {
    const char *path;
    struct slice text;
    size_t at;
    size_t lines_before;
    size_t line_begin;
};

/* CSV_BAD: ERROR_USAGE with the place. */
enum csv_answer { CSV_RECORD, CSV_END, CSV_BAD };
must_use enum csv_answer csv_next(struct csv *csv, struct arena *arena, struct csv_record *out,
                                  struct error *err);

#endif
