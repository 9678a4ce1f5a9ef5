#include "print_precautions.h"

#include "base/clock.h"
#include "base/text.h"
#include "print.h"

enum { LINE_MOST = 256, AGE_SIZE = 32 };

void print_precautions(const struct precautions *precautions)
{
    const bool wants_backup = precautions->backup_ms > 0 || precautions->has_backup_check;
    auto_text struct text line = text_init(LINE_MOST);
    char age[AGE_SIZE];

    if (precautions->backup_ms > 0)
        text_add_format(&line, "the last backup must be younger than %s",
                        duration_text(precautions->backup_ms, age, sizeof age));
    else if (wants_backup)
        text_add_string(&line, "--backup-check must find a backup");
    if (precautions->wants_restore_point)
        text_add_format(&line, "%sa restore point would be made", wants_backup ? ", and " : "");
    if (line.length > 0)
        print_line("Before that, %s.", line.at);
}
