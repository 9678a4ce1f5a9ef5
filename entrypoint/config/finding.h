/*
 * How folder and ledger can disagree without anything having failed: what --strict refuses.
 */
#ifndef CONFIG_FINDING_H
#define CONFIG_FINDING_H

enum finding {
    FINDING_EDITED,       /* an applied migration was edited since */
    FINDING_MISSING,      /* an applied migration is not in the folder */
    FINDING_OUT_OF_ORDER, /* a pending migration is older than an applied one */
    FINDINGS
};

extern const char *const FINDING_NAMES[];

#endif
