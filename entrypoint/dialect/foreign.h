/*
 * Files of other migration tools, which turn up where migrations are expected: whose they are, by their names
 * and by what these tools need in them.
 *
 * Pure functions over two tables: nothing is read here.
 */
#ifndef DIALECT_FOREIGN_H
#define DIALECT_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "dialect/dialect.h"

struct foreign_tool {
    const char *name;
    enum format format;     /* FORMAT_AUTO: its migrations can't be applied here */
    const char *command;    /* that applies them then, or NULL */
    const char *own_file;   /* which it keeps beside them, or NULL */
    const char *own_folder; /* in which its folder of migrations lies, or NULL */

    /* Its files. Words of marks are compared without regard to case and to the blanks between them. */
    const char *files;          /* a pattern of their names; NULL = only what is in them tells */
    const char *mark;           /* of scripts: a comment … */
    const char *back_mark;      /* … and the one behind which the way back begins */
    const char *back_is_behind; /* where `back_mark` alone may be anybody's: the comment that is the mark of
                                   the way there; both have no other words. Or NULL */
    const char *word;           /* of programs: what is in each */
};

/* The tool that the script `file` (its name without folders) with `text` at its start belongs to, or NULL.
 * The text says more than the name, which several tools share. */
const struct foreign_tool *foreign_tool_of(const char *file, struct slice text);

/* The same for a file that is no script: migrations as programs, or in a language of the tool's own. */
const struct foreign_tool *foreign_program_of(const char *file, struct slice text);

/* Whether a file of that name may be one. */
bool foreign_is_program(const char *file);

/* The tool, of those that can't be applied here, that keeps a file of this name beside its scripts; or NULL.
 */
const struct foreign_tool *foreign_owner_of(const char *file);

/* The same, of those whose folder of migrations lies in one of that name; or NULL. */
const struct foreign_tool *foreign_owner_of_folder(const char *folder);

/* Adds what can be done with its files, as a sentence. */
void foreign_add_remedy(const struct foreign_tool *tool, struct text *out);

/* The tool to which a comment of the script is one behind which the way back is kept, and that comment's
 * offset; NULL = there is none, or nothing comes before it, or follows. To PostgreSQL it is a comment, and
 * what follows is run.
 */
const struct foreign_tool *foreign_find_way_back(struct slice script, size_t *offset);

#endif
