#include "base/base64.h"

void base64_add(struct slice bytes, bool is_for_url, struct text *out)
{
    static const char alphabets[][65] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    };
    const char *digits = alphabets[is_for_url ? 1 : 0];

    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        unsigned bits = (unsigned)(unsigned char)bytes.at[i] << 16;
        char group[4];

        if (left > 1)
            bits |= (unsigned)(unsigned char)bytes.at[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)bytes.at[i + 2];
        for (int digit = 0; digit < 4; digit++)
            group[digit] = digits[bits >> (18 - 6 * digit) & 63];
        if (left < 3)
            group[3] = '=';
        if (left < 2)
            group[2] = '=';
        text_add(out, group, sizeof group);
    }
}
