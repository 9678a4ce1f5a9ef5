#include "credentials/service.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "config/trust.h"

enum { CALL_MOST_MS = 5000, SAID_MOST = 256 };

bool service_call(const struct occasion *occasion, const char *whom, struct request request,
                  struct answer *out, struct error *err)
{
    auto_text struct text said = text_init(8 * SAID_MOST);
    int64_t left = deadline_left_ms(occasion->until);

    request.timeout_ms = left < CALL_MOST_MS ? left : CALL_MOST_MS;
    request.answer_most = SERVICE_BODY_MOST;
    if (!trust_complete(&request, err))
        return error_context(err, "asking %s", whom);
    if (request.ca_file != NULL && !file_exists(request.ca_file)) {
        error_set(err, ERROR_USAGE, "CA file \"%s\" does not exist", request.ca_file);
        return error_context(err, "asking %s", whom);
    }
    if (!http_call(&request, out, err))
        return error_context(err, "asking %s", whom);
    if (answer_is_good(out))
        return true;
    answer_add_said(out, SAID_MOST, &said);
    error_set(err, answer_is_passing(out) ? ERROR_UNREACHABLE : ERROR_LOGIN, "%s answered %ld: %s", whom,
              out->status, said.at);
    return false;
}

struct json *service_json(const struct answer *answer, const char *whom, struct error *err)
{
    struct json *found = json_read(text_slice(&answer->body));

    if (found == NULL)
        error_set(err, ERROR_UNREACHABLE, "the answer of %s is not JSON", whom);
    return found;
}

const char *service_keep_secret(const struct config *config, const char *text)
{
    redact_register(text, strlen(text));
    return arena_copy(config->arena, text, strlen(text));
}

bool service_lacks(const char *whom, const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "got no %s from %s", what, whom);
}
