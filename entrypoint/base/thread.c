#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

bool thread_start(void *(*run)(void *argument), void *argument)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return false;
    (void)pthread_detach(thread);
    return true;
}
