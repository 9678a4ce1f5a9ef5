#include "check.h"
#include "report/progress_line.h"

static void the_bar_fills(void **state)
{
    static const struct {
        double ratio;
        const char *bar;
    } cases[] = { { 0, "[>         ]" }, { 0.5, "[=====>    ]" }, { 1, "[==========]" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto_text struct text text = text_init(64);

        progress_line_add_bar(cases[i].ratio, 12, &text);
        assert_string_equal(text.at, cases[i].bar);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_fills),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
