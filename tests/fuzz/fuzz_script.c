/* Any bytes as a script: the splitter's properties hold, and nothing else that reads scripts breaks. */
#include <stdint.h>
#include <stdlib.h>

#include "execution/mode.h"
#include "execution/obstacle.h"
#include "script_properties.h"
#include "sql/directive.h"
#include "sql/index_statement.h"
#include "sql/segment.h"
#include "sql/subject.h"
#include "sql/transaction_head.h"
#include "sql/update_statement.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Where a script may be run at all, each statement is in one segment, whatever the rules, and none overlap.
 */
static void segments_cover(struct script_reader reader, const struct script_summary *summary,
                           const uint8_t *data)
{
    const struct directives directives = { .transaction = TRANSACTION_AUTO };
    const struct mode_question question = { "any.sql", reader.bytes, summary, &directives };
    const struct segment_rules rules = { .is_grouping = (data[0] & 2) != 0,
                                         .ends_at_value = (data[0] & 4) != 0,
                                         .has_refused = (data[0] & 8) != 0,
                                         .refused = data[1] };
    struct segment_reader segments = segment_reader_of(reader, 0, &rules);
    struct segment segment = { .end = 0 };
    struct error err;
    enum mode mode;
    size_t passed = 0;
    size_t end = 0;

    if (!mode_decide(&question, &mode, &err))
        return;
    while (segment_next(&segments, &segment, &err) == SEGMENT_FOUND) {
        struct transaction_head head = transaction_head_of(reader, segment.start, segment.end);

        require(segment.first == passed && segment.count > 0 && segment.start >= end &&
                segment.end >= segment.start && head.statements <= segment.count &&
                head.rest >= segment.start && head.rest <= segment.end);
        passed += segment.count;
        end = segment.end;
    }
    require(passed == summary->statements);
    require(obstacle_of(reader, passed, "25001") == OBSTACLE_NONE);
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
    struct script_reader reader;
    struct error err;
    bool has_standard_strings;

    if (size < 4)
        return 0;
    has_standard_strings = (data[0] & 1) != 0;
    bytes = (struct slice) { .at = (const char *)data + 3, .length = size - 3 };
    require(statements_tile(bytes, has_standard_strings));
    require(prefix_is_stable(bytes, (size_t)(data[1] * 256 + data[2]) % bytes.length, has_standard_strings));
    reader = script_reader_of("any.sql", bytes, 180000, has_standard_strings);
    if (script_summarize(reader, &summary, &err)) {
        require(summary.begins + summary.commits + summary.rollbacks + summary.nontransactional <=
                summary.statements);
        segments_cover(reader, &summary, data);
    }
    (void)!directive_parse("any.sql", bytes, &directives, &err);
    (void)!index_statement_parse(bytes, &index);
    (void)!subject_parse(bytes, &subject);
    if (update_statement_parse(bytes, has_standard_strings, &update, &err))
        (void)!update_statement_is_repeatable(bytes, has_standard_strings, &update);
    return 0;
}
