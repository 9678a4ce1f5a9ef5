#include "print_edit.h"

#include "print.h"

static const char *const EDITS[] = {
    [EDIT_NONE] = "is as it was when it was applied",
    [EDIT_BLANKS] = "differs from what was applied only in blanks or line ends",
    [EDIT_COMMENTS] = "differs from what was applied only in comments and blanks",
    [EDIT_SQL] = "differs from what was applied in its SQL, not only in comments and blanks",
    [EDIT_UNKNOWN] = "differs from what was applied",
};

void print_edit(const struct migration *migration, enum edit edit, const char *checksum)
{
    print_line_of(migration->name, "%s %s.", migration->script_path, EDITS[edit]);
    if (edit == EDIT_UNKNOWN)
        print_line("  Of that, only the checksum is known (%s): your version control knows what has changed.",
                   checksum);
    if (edit >= EDIT_SQL)
        print_line("  The edit itself has not been run on this database.");
}
