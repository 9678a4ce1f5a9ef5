/*
 * A list of tenants in a file: CSV or YAML, and JSON, which is YAML.
 */
#ifndef TENANTS_FILE_H
#define TENANTS_FILE_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "tenants/row.h"

/* Reads the file at `path`, or standard input for "-". ERROR_USAGE with file, line and column; no value is
 * quoted. */
must_use bool tenant_file_read(struct arena *arena, const char *path, struct tenant_rows *out,
                               struct error *err);

/* The same for the text of a file that is called `path`: .csv, .yaml, .yml and .json say what is in it, else
 * its beginning does. */
must_use bool tenant_file_parse(struct arena *arena, const char *path, struct slice text,
                                struct tenant_rows *out, struct error *err);

#endif
