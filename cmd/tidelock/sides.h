/*
 * Two schemas that are compared: where each comes from, and how their differences are shown.
 */
#ifndef SIDES_H
#define SIDES_H

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "config/config.h"
#include "deploy/target.h"
#include "schema/diff.h"
#include "shadow/inverses.h"
#include "shadow/snapshot.h"

struct side {
    const char *name;   /* what it is called in a sentence */
    const char *schema; /* the one that a URL names, or NULL */
    bool is_replayed;   /* migrations made it in a shadow */
    struct facts facts;
};

/* Reads what a word names, without what --ignore takes out: a URL, "database", "migrations",
 * "migrations@NAME", a file that snapshot has written, or "empty". */
must_use bool side_read(struct arena *arena, const struct config *config, const char *word, struct side *out,
                        struct error *err);

/* Replays the folder, up to the migration of that name unless it is NULL. */
must_use bool side_replay(const struct config *config, const char *until, snapshot_note *note,
                          struct facts *out, struct error *err);

/* Tries the inverses of the folder in a shadow. */
must_use bool side_try_inverses(const struct config *config, inverses_note *note,
                                struct inverses_finding *out, struct error *err);

/* The same as side_replay() with a folder that was read, beside the database at the other end of `conn`. */
must_use bool side_replay_target(const struct config *config, const struct target *target,
                                 struct connection *conn, struct facts *out, struct error *err);

/* Whether --output is one that differences can be written in: ERROR_USAGE. */
must_use bool sides_check_format(const struct config *config, struct error *err);

/* Whether they are not two schemas of different names, which have nothing in common: ERROR_USAGE. */
must_use bool sides_check_schemas(const struct side *from, const struct side *to, struct error *err);

/* Where one of them was replayed, what belongs to a database as a whole is left out of both. Warns of two
 * versions of the server. */
void sides_prepare(struct side *from, struct side *to);

/* What is different, and how, without the definitions. The caller owns it. */
struct json *sides_difference_json(const struct difference *difference);

/* How many differences there are, and the first of them in the log. `json`, unless it is NULL, gets what
 * sides_print() prints with --json instead; the caller's to free. */
size_t sides_tell(struct arena *arena, struct side *from, struct side *to, struct json **json);

/* Prepares, compares and prints them, with --json as JSON; returns how many there are. */
size_t sides_print(struct arena *arena, const struct config *config, struct side *from, struct side *to);

#endif
