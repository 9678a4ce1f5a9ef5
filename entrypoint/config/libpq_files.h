/*
 * The files that libpq reads by itself, because the environment names them or by their usual names.
 */
#ifndef CONFIG_LIBPQ_FILES_H
#define CONFIG_LIBPQ_FILES_H

#include "base/error.h"
#include "config/url.h"

/* Refuses (ERROR_USAGE) what is no file there: libpq would wait for the writer of a pipe, deaf to signals.
 * With `is_service`, it also reads the service file, and takes the names of TLS files from the environment.
 */
must_use bool libpq_files_check(const struct endpoint *endpoint, bool is_service, struct error *err);

#endif
