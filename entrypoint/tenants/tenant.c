#include "tenants/tenant.h"

#include <string.h>

#include "base/redact.h"
#include "config/password_source.h"
#include "config/secret.h"

struct config tenant_config(const struct config *config, const struct tenant *tenant)
{
    struct config own = *config;

    own.database = tenant->database;
    own.schema = tenant->schema;
    own.user = tenant->user;
    if (tenant->url != NULL) {
        secret_register_url(config->arena, tenant->url);
        own.database_url = tenant->url;
        own.database_url_file = tenant->url_file;
        own.direct_url = own.direct_url_file = NULL;
    }
    if (tenant->password != NULL) {
        redact_register(tenant->password, strlen(tenant->password));
        own.password = tenant->password;
        own.password_file = tenant->password_file;
        own.is_password_first = true;
        own.password_from = PASSWORD_NOWHERE;
    }
    /* Read again, they would give user and password of the URL. */
    if (tenant->user != NULL || tenant->password != NULL)
        own.database_url_file = own.direct_url_file = NULL;
    return own;
}
