/* A value as one atomic of its own width, 1, 2, 4 or 8 bytes.
 *
 * Sequentially consistent, as the calls of the library are: users of values do not think about
 * orderings.
 */
#ifndef ATOLL_ACCELERATOR_WORD_H
#define ATOLL_ACCELERATOR_WORD_H

#include "accelerator.h"

/* A function of that name that applies `builtin` and gives what was there. */
#define ON_ITS_WIDTH(name, builtin)                                                             \
    static inline uint64_t name(void *word, int size, uint64_t operand) {                       \
        switch (size) {                                                                         \
        case 1: return builtin((uint8_t *)word, (uint8_t)operand, __ATOMIC_SEQ_CST);            \
        case 2: return builtin((uint16_t *)word, (uint16_t)operand, __ATOMIC_SEQ_CST);          \
        case 4: return builtin((uint32_t *)word, (uint32_t)operand, __ATOMIC_SEQ_CST);          \
        default: return builtin((uint64_t *)word, operand, __ATOMIC_SEQ_CST);                   \
        }                                                                                       \
    }

ON_ITS_WIDTH(word_swap, __atomic_exchange_n)
ON_ITS_WIDTH(word_add, __atomic_fetch_add)
ON_ITS_WIDTH(word_sub, __atomic_fetch_sub)
ON_ITS_WIDTH(word_and, __atomic_fetch_and)
ON_ITS_WIDTH(word_or, __atomic_fetch_or)
ON_ITS_WIDTH(word_xor, __atomic_fetch_xor)

static inline uint64_t word_load(const void *word, int size) {
    switch (size) {
    case 1: return __atomic_load_n((const uint8_t *)word, __ATOMIC_SEQ_CST);
    case 2: return __atomic_load_n((const uint16_t *)word, __ATOMIC_SEQ_CST);
    case 4: return __atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST);
    default: return __atomic_load_n((const uint64_t *)word, __ATOMIC_SEQ_CST);
    }
}

/* Replaces `expected` by `desired`, and gives what was there. */
static inline uint64_t word_exchange(void *word, int size, uint64_t expected, uint64_t desired) {
    const int order = __ATOMIC_SEQ_CST;
    uint8_t one = (uint8_t)expected;
    uint16_t two = (uint16_t)expected;
    uint32_t four = (uint32_t)expected;
    switch (size) {
    case 1:
        __atomic_compare_exchange_n((uint8_t *)word, &one, (uint8_t)desired, false, order, order);
        return one;
    case 2:
        __atomic_compare_exchange_n((uint16_t *)word, &two, (uint16_t)desired, false, order, order);
        return two;
    case 4:
        __atomic_compare_exchange_n((uint32_t *)word, &four, (uint32_t)desired, false, order,
                                    order);
        return four;
    default:
        __atomic_compare_exchange_n((uint64_t *)word, &expected, desired, false, order, order);
        return expected;
    }
}

#endif
