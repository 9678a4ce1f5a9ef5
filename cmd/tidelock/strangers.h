/*
 * Commands of other migration tools, typed out of habit: what does it here, or that it stays with the tool.
 */
#ifndef STRANGERS_H
#define STRANGERS_H

/* What to say to somebody who typed `word`, after `before` (a group such as "db"; NULL = none): one or two
 * sentences, or NULL when no tool that is known has such a command. Static text. */
const char *stranger_advice(const char *before, const char *word);

#endif
