#include "base/parting.h"

static int64_t spent_ms;

int64_t parting_left_ms(void)
{
    return spent_ms < PARTING_MS ? PARTING_MS - spent_ms : 0;
}

void parting_spend(int64_t ms)
{
    spent_ms += ms;
}
