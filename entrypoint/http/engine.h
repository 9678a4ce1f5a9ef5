/*
 * What drives the requests that are under way: libcurl's multi interface behind one descriptor. Of this room.
 */
#ifndef HTTP_ENGINE_H
#define HTTP_ENGINE_H

#include <curl/curl.h>
#include <stdint.h>

/* Hands a prepared request over; `finished(private, code)` is called when it is over, with what was said as
 * CURLOPT_PRIVATE. */
void engine_add(CURL *easy, void (*finished)(void *private, CURLcode code));
void engine_remove(CURL *easy);

/* For whoever has nothing else to wait for: readable when something can go on, -1 before the first request;
 * and how long at most until then.
 */
int engine_descriptor(void);
int64_t engine_patience_ms(void);

/* Goes on with all that can. */
void engine_turn(void);

void engine_close(void);

#endif
