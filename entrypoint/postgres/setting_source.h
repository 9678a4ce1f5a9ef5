/*
 * Where a setting comes from, in words.
 */
#ifndef POSTGRES_SETTING_SOURCE_H
#define POSTGRES_SETTING_SOURCE_H

/* "set for the role", from pg_settings.source (documentation, "pg_settings"). */
const char *setting_source_text(const char *source);

#endif
