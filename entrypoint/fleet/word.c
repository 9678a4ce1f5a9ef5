#include "fleet/word.h"

#include <string.h>

enum { KEY_LENGTH = SHA256_HEX_SIZE - 1, WORD_LENGTH = 1 + KEY_LENGTH };

static const char LETTERS[] = {
    [WORD_HELLO] = 'h', [WORD_BYE] = 'x', [WORD_BEGUN] = 'b', [WORD_DONE] = 'd', [WORD_APPLIED] = 'a',
};
_Static_assert(sizeof LETTERS == WORD_KINDS, "a letter for every kind");

void word_add(const struct word *word, struct text *out)
{
    text_add(out, &LETTERS[word->kind], 1);
    text_add(out, word->key, KEY_LENGTH);
}

bool word_take(struct slice *text, struct word *out)
{
    size_t kind = 0;

    if (text->length < WORD_LENGTH)
        return false;
    while (kind < WORD_KINDS && LETTERS[kind] != text->at[0])
        kind++;
    if (kind == WORD_KINDS)
        return false;
    out->kind = (enum word_kind)kind;
    memcpy(out->key, text->at + 1, KEY_LENGTH);
    out->key[KEY_LENGTH] = '\0';
    text->at += WORD_LENGTH;
    text->length -= WORD_LENGTH;
    return strspn(out->key, "0123456789abcdef") == KEY_LENGTH;
}
