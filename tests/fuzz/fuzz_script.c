/* Any bytes as a script: the splitter's properties hold, and nothing else that reads scripts breaks. */
#include <stdint.h>
#include <stdlib.h>

#include "script_properties.h"
#include "sql/directive.h"
#include "sql/index_statement.h"
#include "sql/subject.h"
#include "sql/update_statement.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The first byte chooses the settings, the next two where the prefix is cut; the rest is the script. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes;
    struct directives directives;
    struct index_statement index;
    struct subject subject;
    struct update_statement update;
    struct script_summary summary;
    struct error err;
    bool has_standard_strings;

    if (size < 4)
        return 0;
    has_standard_strings = (data[0] & 1) != 0;
    bytes = (struct slice) { .at = (const char *)data + 3, .length = size - 3 };
    require(statements_tile(bytes, has_standard_strings));
    require(prefix_is_stable(bytes, (size_t)(data[1] * 256 + data[2]) % bytes.length, has_standard_strings));
    if (script_summarize(script_reader_of("any.sql", bytes, 180000, has_standard_strings), &summary, &err))
        require(summary.begins + summary.commits + summary.rollbacks + summary.nontransactional <=
                summary.statements);
    (void)!directive_parse("any.sql", bytes, &directives, &err);
    (void)!index_statement_parse(bytes, &index);
    (void)!subject_parse(bytes, &subject);
    if (update_statement_parse(bytes, has_standard_strings, &update, &err))
        (void)!update_statement_is_repeatable(bytes, has_standard_strings, &update);
    return 0;
}
