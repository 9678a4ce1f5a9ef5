#include "config/password_source.h"

const char *const PASSWORD_SOURCE_NAMES[] = {
    [PASSWORD_NOWHERE] = "nowhere", [PASSWORD_AWS_RDS] = "aws-rds", [PASSWORD_AWS_SECRET] = "aws-secret",
    [PASSWORD_GOOGLE] = "google",   [PASSWORD_AZURE] = "azure",     [PASSWORD_VAULT] = "vault",
};
_Static_assert(sizeof PASSWORD_SOURCE_NAMES / sizeof *PASSWORD_SOURCE_NAMES == PASSWORD_SOURCES,
               "name every source");

bool password_source_is_token(int source)
{
    return source == PASSWORD_AWS_RDS || source == PASSWORD_GOOGLE || source == PASSWORD_AZURE;
}

bool password_source_may_give_user(int source)
{
    return source != PASSWORD_NOWHERE && !password_source_is_token(source);
}
