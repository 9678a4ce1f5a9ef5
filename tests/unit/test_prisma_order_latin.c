#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "check.h"
#include "dialect/prisma_order.h"

/* U+0020 to U+017F as the collator of ICU sorts them one by one, but for controls and the soft hyphen. */
static void each_latin_character_has_its_place(void **state)
{
    static const char order[] =
        " \u00A0_-,;:!¡?¿.·'\"«»()[]{}§¶@*/\\&#%`´^¯¨¸°©®+±÷×<=>¬|¦~¤¢$£¥01¹½¼2²"
        "3³¾456789aAªáÁàÀăĂâÂåÅäÄãÃąĄāĀæÆbBcCćĆĉĈčČċĊçÇdDďĎđĐðÐeEéÉèÈĕĔêÊ"
        "ěĚëËėĖęĘēĒfFgGğĞĝĜġĠģĢhHĥĤħĦiIíÍìÌĭĬîÎïÏĩĨİįĮīĪĳĲıjJĵĴkKķĶlLĺĹľĽ"
        "ļĻłŁŀĿmMnNńŃňŇñÑņŅŋŊoOºóÓòÒŏŎôÔöÖőŐõÕøØōŌœŒpPqQĸrRŕŔřŘŗŖsSśŚŝŜšŠ"
        "şŞſßtTťŤţŢŧŦuUúÚùÙŭŬûÛůŮüÜűŰũŨųŲūŪvVwWŵŴxXyYýÝŷŶÿŸzZźŹžŽżŻþÞŉµ";
    enum { MOST = 400 };
    static char names[MOST][5];
    size_t count = 0;

    (void)state;
    for (const char *at = order; *at != '\0'; count++) {
        size_t length = utf8_length(at, strlen(at));

        assert_true(count < MOST && length > 0);
        memcpy(names[count], at, length);
        at += length;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int difference = prisma_order_compare(names[i], names[j]);

            if ((difference > 0) - (difference < 0) != (i > j) - (i < j))
                fail_msg("\"%s\" and \"%s\": %d", names[i], names[j], difference);
        }
    }
}

/* What sorting needs, over names made of what weighs unusually. */
static void the_order_is_transitive(void **state)
{
    static const char *const parts[] = { "",  "a", "A", "b",    "é", "e\u0301", "\u0301", "æ",
                                         "ß", "-", "_", "\x01", "0", "þ",       "日",     "ŉ" };
    enum { PARTS = array_length(parts), NAMES = PARTS * PARTS };
    static char names[NAMES][16];

    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        strcpy(names[i], parts[i / PARTS]);
        strcat(names[i], parts[i % PARTS]);
    }
    for (size_t i = 0; i < NAMES; i++) {
        for (size_t j = 0; j < NAMES; j++) {
            if (prisma_order_compare(names[i], names[j]) > 0)
                continue;
            for (size_t k = 0; k < NAMES; k += 3) {
                if (prisma_order_compare(names[j], names[k]) <= 0 &&
                    prisma_order_compare(names[i], names[k]) > 0)
                    fail_msg("%zu %zu %zu", i, j, k);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_latin_character_has_its_place),
        cmocka_unit_test(the_order_is_transitive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
