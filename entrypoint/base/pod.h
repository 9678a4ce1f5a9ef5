/*
 * The pod that this process runs in.
 */
#ifndef BASE_POD_H
#define BASE_POD_H

/* The pod's own name: POD_NAME, else the host's. Into an array of 256 bytes. */
enum { POD_NAME_SIZE = 256 };
void pod_name(char out[POD_NAME_SIZE]);

#endif
