#include "version.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "command.h"
#include "config/options.h"
#include "print.h"

/* Made by the build: MADE_VERSION, MADE_COMMIT, MADE_DATE, and MADE_FROM with the libraries and the versions
 * it was built with. */
#include "made_from.h"

const char VERSION_AGENT[] = "tidelock/" MADE_VERSION;

static const struct {
    const char *library;
    const char *version;
} COMPONENTS[] = { MADE_FROM };

/* The version under the first of two names that exists: pkg-config and Debian have different names for
 * OpenSSL. */
static const char *version_of(const char *name, const char *other_name)
{
    for (size_t i = 0; i < array_length(COMPONENTS); i++) {
        if (strcmp(COMPONENTS[i].library, name) == 0 || strcmp(COMPONENTS[i].library, other_name) == 0)
            return COMPONENTS[i].version;
    }
    return "";
}

struct build version_build(void)
{
    return (struct build) { .version = MADE_VERSION,
                            .libpq = version_of("libpq", "libpq"),
                            .openssl = version_of("openssl", "libcrypto") };
}

static bool version_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    struct json *answer;
    struct json *components;

    (void)arena;
    (void)exit_code;
    (void)err;
    if (!config->wants_json) {
        print_line("tidelock %s (%s, %s)", MADE_VERSION, MADE_COMMIT, MADE_DATE);
        return true;
    }
    answer = json_new_object();
    components = json_new_object();
    for (size_t i = 0; i < array_length(COMPONENTS); i++)
        json_set_text(components, COMPONENTS[i].library, COMPONENTS[i].version);
    json_set_text(answer, "version", MADE_VERSION);
    json_set_text(answer, "commit", MADE_COMMIT);
    json_set_text(answer, "date", MADE_DATE);
    json_set(answer, "components", components);
    print_json(answer);
    return true;
}

const struct command COMMAND_VERSION = {
    .name = "version",
    .usage = "[--json]",
    .summary = "print the version",
    .about =
        "Prints the version, its commit and the commit's date; with --json, also the libraries that it "
        "was built with and their versions. \"tidelock --version\" and \"tidelock -V\" do the same.",
    .example = "tidelock version --json",
    .options = FOR_VERSION,
    .run = version_run,
};
