#include "base/patience.h"

#include <string.h>

#include "base/signals.h"
#include "base/text.h"

enum { WORD_EVERY_MS = 30 * 1000 };

bool patience_is_over(const struct patience *patience)
{
    return deadline_passed(patience->until);
}

bool patience_has_word(struct patience *patience, const char *what)
{
    char cut[sizeof patience->said];

    text_copy_cut(cut, sizeof cut, what == NULL ? patience->said : what);
    if (!deadline_passed(patience->next_word) && strcmp(cut, patience->said) == 0)
        return false;
    text_copy_cut(patience->said, sizeof patience->said, cut);
    patience->next_word = deadline_in(WORD_EVERY_MS);
    return true;
}

bool patience_pause(struct patience *patience, int64_t ms, struct error *err)
{
    int64_t left = deadline_left_ms(patience->until);

    patience->pauses++;
    return signals_sleep((long)(ms < left ? ms : left)) || signals_error(err);
}

bool patience_back_off(struct patience *patience, int64_t most_ms, struct error *err)
{
    return patience_pause(patience, backoff_pause_ms(patience->pauses, most_ms), err);
}
