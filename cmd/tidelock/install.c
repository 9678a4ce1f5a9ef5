#include "base/file.h"
#include "base/text.h"
#include "command.h"
#include "config/options.h"
#include "print.h"

enum { PATH_BYTES_MOST = 4096, EXECUTABLE = 0755 };

static bool install_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    auto_text struct text target = text_init(PATH_BYTES_MOST);

    (void)arena;
    (void)exit_code;
    if (config->word_count != 1) {
        error_set(err, ERROR_USAGE, "install needs exactly one folder");
        return error_hint(err, "Write: tidelock install DIR");
    }
    text_add_format(&target, "%s/tidelock", config->words[0]);
    if (!file_copy("/proc/self/exe", target.at, EXECUTABLE, err))
        return error_hint(err, "The folder must exist, and this user must be able to write to it.");
    print_line("%s", target.at);
    return true;
}

const struct command COMMAND_INSTALL = {
    .name = "install",
    .usage = "DIR",
    .summary = "copy this program to DIR/tidelock",
    .about =
        "Copies this program to DIR/tidelock, mode 0755, and prints that path. For an init container that "
        "passes it to the application's container through a shared volume: the image has no cp.",
    .example = "tidelock install /shared",
    .options = FOR_INSTALL,
    .words = WORDS_FOLDER,
    .run = install_run,
};
