/*
 * Drives the requests in progress: libcurl's multi interface behind one descriptor. Internal to this room.
 */
#ifndef HTTP_ENGINE_H
#define HTTP_ENGINE_H

#include <curl/curl.h>
#include <stdint.h>

/* Takes over a prepared request; `finished(private, code)` is called when it has ended, with the
 * CURLOPT_PRIVATE that was set. */
void engine_add(CURL *easy, void (*finished)(void *private, CURLcode code));
void engine_remove(CURL *easy);

/* For a caller with nothing else to wait for: a descriptor that is readable when a request can proceed, -1
 * before the first one; and the longest time until then.
 * */
int engine_descriptor(void);
int64_t engine_patience_ms(void);

/* Continues all requests that can proceed. */
void engine_turn(void);

void engine_close(void);

#endif
