/*
 * What is done before the first pending migration runs, in a sentence.
 */
#ifndef PRINT_PRECAUTIONS_H
#define PRINT_PRECAUTIONS_H

#include "deploy/precaution.h"

/* Prints nothing where nothing is asked for. */
void print_precautions(const struct precautions *precautions);

#endif
