/* A C fuzz target: driver.c mutates what fuzz_seed gives. */
#ifndef RUNG_FUZZ_H
#define RUNG_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int fuzz_one(const uint8_t *data, size_t size);

/* Writes an input that is accepted to data, returns its size. */
size_t fuzz_seed(uint8_t *data, size_t size);

#endif
