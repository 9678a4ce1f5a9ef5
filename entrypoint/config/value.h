/*
 * From text to value: one parser per type, the same for flag, environment and file.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/error.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/options.h"

/* How a duration is written, for help and for errors. */
extern const char DURATION_FORM[];

/* Parses `text` into the option's field; a name is added to it. `origin` is where it was set, for the error:
 * "--lock-timeout", "TIDELOCK_STRICT", "tidelock.yaml:3". ERROR_USAGE names it and what is allowed; a
 * secret's text is never quoted. */
must_use bool value_set(const struct option *option, const char *text, const char *origin,
                        struct config *config, struct error *err);

#endif
