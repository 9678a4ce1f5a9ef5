#include "report/progress_line.h"

#include "base/log.h"

enum { BAR_WIDTH = 24, BAR_FROM = 72, LINE_EVERY_MS = 10 * 1000, LINE_MOST = 2048 };

struct progress_line progress_line_begin(void)
{
    return (struct progress_line) { .next = deadline_in(LINE_EVERY_MS) };
}

void progress_line_add_bar(double ratio, int width, struct text *out)
{
    int inside = width - 2;
    int done = (int)(ratio * inside);

    text_add(out, "[", 1);
    for (int i = 0; i < inside; i++)
        text_add(out, i < done ? "=" : i == done ? ">" : " ", 1);
    text_add(out, "]", 1);
}

static void show_passing(size_t width, double ratio, const char *text)
{
    auto_text struct text line = text_init(LINE_MOST);

    if (width >= BAR_FROM && ratio >= 0) {
        progress_line_add_bar(ratio, BAR_WIDTH, &line);
        text_add(&line, " ", 1);
    }
    text_add_string(&line, text);
    log_passing(line.at);
}

void progress_line_show(struct progress_line *line, double ratio, const char *text)
{
    size_t width = log_passing_width();

    if (width > 0) {
        show_passing(width, ratio, text);
    } else if (deadline_passed(line->next)) {
        log_info("%s", text);
        line->next = deadline_in(LINE_EVERY_MS);
    }
}
