#include "base/redact.h"

#include <ctype.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/text.h"

enum { SECRET_LEAST = 3, WORD_LEAST = 4 };

struct secret {
    char *text;
    size_t length;
    bool is_word;   /* letters alone, or digits alone: not blanked inside a longer word */
    bool is_common; /* blanked as a value only */
};

static struct {
    struct secret *secrets;
    size_t count;
    size_t capacity;
} state;

static bool all_are(const char *text, size_t length, int (*is_kind)(int))
{
    for (size_t i = 0; i < length; i++) {
        if (is_kind((unsigned char)text[i]) == 0)
            return false;
    }
    return true;
}

/* Not memmem(): AddressSanitizer's would object to the gaps that it leaves between constants. */
__attribute__((no_sanitize_address)) static bool holds(const char *bytes, size_t size,
                                                       const struct secret *word)
{
    for (size_t i = 0; i + word->length <= size; i++) {
        size_t same = 0;

        while (same < word->length && bytes[i + same] == word->text[same])
            same++;
        if (same == word->length)
            return true;
    }
    return false;
}

/* Called for the program first, then for its libraries. */
static int find_in_program(struct dl_phdr_info *program, size_t size, void *context)
{
    struct secret *word = context;

    (void)size;
    for (int i = 0; i < program->dlpi_phnum && !word->is_common; i++) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        const ElfW(Addr) address = program->dlpi_addr + part->p_vaddr; /* the loader's form of a pointer */
        const char *bytes;

        memcpy(&bytes, &address, sizeof bytes);
        if (part->p_type == PT_LOAD && (part->p_flags & (PF_R | PF_W)) == PF_R)
            word->is_common = holds(bytes, part->p_filesz, word);
    }
    return 1;
}

/* Every text of the program is in its constants: there it is looked for, but only what is a word at all. */
static void judge(struct secret *secret)
{
    bool is_number = all_are(secret->text, secret->length, isdigit);

    secret->is_word = is_number || all_are(secret->text, secret->length, isalpha);
    secret->is_common = is_number || (secret->is_word && secret->length < WORD_LEAST);
    if (secret->is_word && !secret->is_common)
        (void)dl_iterate_phdr(find_in_program, secret);
}

static void add_secret(const char *secret, size_t length)
{
    struct secret *added;

    for (size_t i = 0; i < state.count; i++) {
        if (state.secrets[i].length == length && memcmp(state.secrets[i].text, secret, length) == 0)
            return;
    }
    state.secrets = memory_grow(state.secrets, state.count, &state.capacity, sizeof *state.secrets);
    added = &state.secrets[state.count++];
    *added = (struct secret) { .text = memory_copy(secret, length), .length = length };
    judge(added);
}

/* As it stands in a literal of SQL, in which each of these bytes is written twice. */
static void add_quoted(const char *secret, size_t length, const char *doubled)
{
    auto_text struct text quoted = text_init(2 * length);

    quoted.is_secret = true;
    for (size_t i = 0; i < length; i++) {
        if (strchr(doubled, secret[i]) != NULL)
            text_add(&quoted, secret + i, 1);
        text_add(&quoted, secret + i, 1);
    }
    if (quoted.length > length)
        add_secret(quoted.at, quoted.length);
}

void redact_register(const char *secret, size_t length)
{
    if (length < SECRET_LEAST)
        return;
    add_secret(secret, length);
    add_quoted(secret, length, "'");
    add_quoted(secret, length, "\\");
    add_quoted(secret, length, "'\\");
}

void redact_register_login(struct slice user, struct slice password)
{
    auto_text struct text login = text_init(user.length + password.length + 1);
    auto_text struct text encoded = text_init(2 * (user.length + password.length) + 8);

    login.is_secret = encoded.is_secret = true;
    text_add(&login, user.at, user.length);
    text_add_string(&login, ":");
    text_add(&login, password.at, password.length);
    base64_add(text_slice(&login), false, &encoded);
    /* Whoever repeats it may write the padding in another way. */
    while (encoded.length > 0 && encoded.at[encoded.length - 1] == '=')
        encoded.at[--encoded.length] = '\0';
    redact_register(password.at, password.length);
    redact_register(encoded.at, encoded.length);
}

void redact_spare(const char *name)
{
    for (size_t i = 0; name != NULL && i < state.count; i++) {
        if (strcmp(state.secrets[i].text, name) == 0)
            state.secrets[i].is_word = state.secrets[i].is_common = true;
    }
}

static bool is_word_byte(char byte)
{
    return isalnum((unsigned char)byte) != 0 || byte == '_';
}

static bool is_inside_word(const char *text, const char *found, size_t length)
{
    return (found > text && is_word_byte(found[-1])) || is_word_byte(found[length]);
}

/* password=X, PASSWORD 'X', "password": "X", user:X@host. */
static bool is_value(const char *text, const char *found, size_t length)
{
    static const char *const keys[] = { "password", "passwd", "pwd", "secret", "token" };
    const char *key = found;
    bool is_apart = false;

    if (found > text && found[-1] == ':' && found[length] == '@')
        return true;
    for (; key > text && strchr(" =:'\"\\", key[-1]) != NULL; key--)
        is_apart |= key[-1] != ' ';
    for (size_t i = 0; is_apart && i < array_length(keys); i++) {
        size_t size = strlen(keys[i]);

        if ((size_t)(key - text) >= size && strncasecmp(key - size, keys[i], size) == 0)
            return true;
    }
    return false;
}

static void redact_one(char *text, const struct secret *secret)
{
    char *found = text;

    while ((found = strstr(found, secret->text)) != NULL) {
        if ((secret->is_word && is_inside_word(text, found, secret->length)) ||
            (secret->is_common && !is_value(text, found, secret->length))) {
            found += secret->length;
            continue;
        }
        memset(found, '*', 3);
        memmove(found + 3, found + secret->length, strlen(found + secret->length) + 1);
        found += 3;
    }
}

/* The longest first: a password that contains another must not leave its tail behind. */
void redact(char *text)
{
    size_t below = SIZE_MAX;

    while (below > SECRET_LEAST) {
        size_t longest = 0;

        for (size_t i = 0; i < state.count; i++) {
            if (state.secrets[i].length < below && state.secrets[i].length > longest)
                longest = state.secrets[i].length;
        }
        for (size_t i = 0; i < state.count; i++) {
            if (state.secrets[i].length == longest)
                redact_one(text, &state.secrets[i]);
        }
        if (longest == 0)
            return;
        below = longest;
    }
}

void redact_text(struct text *text)
{
    redact(text->at);
    text->length = strlen(text->at);
}

void redact_clear(void)
{
    for (size_t i = 0; i < state.count; i++) {
        memory_wipe(state.secrets[i].text, state.secrets[i].length);
        memory_free(state.secrets[i].text);
    }
    memory_free(state.secrets);
    state.secrets = NULL;
    state.count = state.capacity = 0;
}
