/* A name, a line of settings and a script, as Flyway would find them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/flyway_name.h"
#include "dialect/flyway_script.h"

enum { NAME_SIZE = 256, SCRIPT_MOST = 1 << 20 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const char *variable(const char *name)
{
    return strstr(name, "KNOWN") != NULL ? "value" : NULL;
}

/* Takes the first line. */
static struct slice take_line(struct slice *rest)
{
    const char *feed = rest->length == 0 ? NULL : memchr(rest->at, '\n', rest->length);
    struct slice line = { rest->at, feed == NULL ? rest->length : (size_t)(feed - rest->at) };
    size_t taken = line.length + (feed != NULL);

    *rest = (struct slice) { rest->at + taken, rest->length - taken };
    return line;
}

static int order_of(const char *one, const char *other)
{
    const struct order_key a = flyway_order_key_of(one);
    const struct order_key b = flyway_order_key_of(other);

    return flyway_compare_keys(&a, &b);
}

/* What a file is called in the ledger is called so again, and comes where the file does. */
static void check_name(const char *name)
{
    char key[KEY_SIZE];
    char again[KEY_SIZE];
    char description[KEY_SIZE];

    flyway_key_of(name, key);
    flyway_describe(name, description);
    require(order_of(name, name) == 0 && order_of(name, "V2__a.sql") == -order_of("V2__a.sql", name));
    if (flyway_entry_kind_of(name, false) != ENTRY_MIGRATION || strchr(name, '/') != NULL)
        return;
    flyway_key_of(key, again);
    /* A description may look like an extension. */
    require(strcmp(key, again) == 0 || (flyway_repeats(name) && strchr(key, '.') != NULL));
    require(flyway_repeats(name) == flyway_repeats(key) &&
            flyway_is_baseline(name) == flyway_is_baseline(key));
}

static void check_script(const char *name, struct slice settings, struct slice bytes)
{
    static const struct script_session session = {
        .database = "d", .schema = "s", .role = "r", .table = "t"
    };
    const struct script_source source = {
        .path = "file", .name = name, .settings = settings, .session = &session, .variable = variable
    };
    auto_text struct text script = text_init(SCRIPT_MOST);
    struct script_wishes wishes = { .transaction = SCRIPT_TRANSACTION_UNSAID };
    struct error err = { .class = ERROR_NONE };
    char checksum[CHECKSUM_SIZE];

    text_add(&script, bytes.at, bytes.length);
    if (!flyway_script_read(&source, &script, &wishes, &err))
        require(err.class == ERROR_CLEAN && err.message[0] != '\0');
    else if (bytes.length > 0 && memmem(bytes.at, bytes.length, "${", 2) == NULL)
        require(slice_is_same(text_slice(&script), bytes));
    flyway_checksum_of(bytes, checksum);
    require(flyway_checksum_matches(checksum, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = { .at = (const char *)data, .length = size };
    const struct slice line = take_line(&rest);
    const struct slice settings = take_line(&rest);
    char name[NAME_SIZE] = "";

    if (line.length >= NAME_SIZE || size > SCRIPT_MOST / 4)
        return 0;
    if (line.length > 0)
        memcpy(name, line.at, line.length);
    check_name(name);
    check_script(name, settings, rest);
    return 0;
}
