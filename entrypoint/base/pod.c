#include "base/pod.h"

#include <unistd.h>

#include "base/env.h"
#include "base/text.h"

void pod_name(char out[POD_NAME_SIZE])
{
    const char *said = env_value("POD_NAME");
    char host[POD_NAME_SIZE] = "";

    (void)gethostname(host, sizeof host - 1);
    text_copy_cut(out, POD_NAME_SIZE, said != NULL ? said : host);
}
