#include "sql/gist.h"

#include <string.h>

#include "sql/scan.h"

/* Tokens that would not always be the same two if they were moved together or apart: "1" and "e5", "<" and
 * "=". Those of different kinds, or alone, always are. */
enum kind { ALONE, NAMES_AND_VALUES, OPERATOR };

static enum kind kind_of(const struct scanner *scanner, struct token token)
{
    static const enum kind KINDS[TOKEN_KINDS] = {
        [TOKEN_WORD] = NAMES_AND_VALUES,   [TOKEN_QUOTED_NAME] = NAMES_AND_VALUES,
        [TOKEN_STRING] = NAMES_AND_VALUES, [TOKEN_NUMBER] = NAMES_AND_VALUES,
        [TOKEN_DOT] = NAMES_AND_VALUES,    [TOKEN_PARAMETER] = NAMES_AND_VALUES,
        [TOKEN_OTHER] = OPERATOR,
    };

    return token.kind == TOKEN_OTHER && scanner->at[token.start] == ',' ? ALONE : KINDS[token.kind];
}

/* Most of what is added is a few bytes, and each call of the library costs as much as a hundred of them. */
enum { KEPT_MOST = 4096 };

struct gist {
    struct sha256 sha256;
    char kept[KEPT_MOST];
    size_t length;
};

static void flush(struct gist *gist)
{
    sha256_add(&gist->sha256, gist->kept, gist->length);
    gist->length = 0;
}

/* Bytes that belong together are added as they are, and a NUL, which is in no script, ends them. */
static void add(struct gist *gist, const char *at, size_t length)
{
    if (gist->length + length + 1 > KEPT_MOST)
        flush(gist);
    if (length >= KEPT_MOST) {
        sha256_add(&gist->sha256, at, length);
    } else {
        memcpy(gist->kept + gist->length, at, length);
        gist->length += length;
    }
    gist->kept[gist->length++] = '\0';
}

/* A semicolon counts where it parts two statements. */
void gist_of(struct slice script, bool has_standard_strings, char out[SHA256_HEX_SIZE])
{
    struct gist gist;
    struct scanner scanner = scanner_of(script, has_standard_strings);
    struct token run = scan_token(&scanner);
    struct token next;
    bool has_statement = false;
    bool is_ended = false;
    unsigned char digest[SHA256_BYTES];

    gist.length = 0;
    sha256_begin(&gist.sha256);
    for (; run.kind != TOKEN_END; run = next) {
        enum kind kind = kind_of(&scanner, run);

        next = scan_token(&scanner);
        if (next.start == run.end && kind != ALONE && kind == kind_of(&scanner, next)) {
            next.start = run.start;
            continue;
        }
        if (run.kind == TOKEN_SEMICOLON) {
            is_ended = has_statement;
            continue;
        }
        if (is_ended)
            add(&gist, ";", 1);
        add(&gist, script.at + run.start, run.end - run.start);
        has_statement = true;
        is_ended = false;
    }
    flush(&gist);
    sha256_end(&gist.sha256, digest);
    sha256_hex(digest, out);
}
