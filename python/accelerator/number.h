/* Numbers of C from and to those of Python, as memoryviews convert them.
 *
 * In between they are bits: those of the number, in the lowest bytes of a uint64_t, zeros above.
 */
#ifndef ATOLL_ACCELERATOR_NUMBER_H
#define ATOLL_ACCELERATOR_NUMBER_H

#include "accelerator.h"

/* The bytes of a number or bool of that type, an ATOLL_I8 or the like; 0 for other types. */
static inline int number_size(int code) {
    switch (code) {
    case ATOLL_I8: case ATOLL_U8: case ATOLL_BOOL: return 1;
    case ATOLL_I16: case ATOLL_U16: return 2;
    case ATOLL_I32: case ATOLL_U32: case ATOLL_F32: return 4;
    case ATOLL_I64: case ATOLL_U64: case ATOLL_F64: return 8;
    default: return 0;
    }
}

static inline bool is_float(int code) { return code == ATOLL_F32 || code == ATOLL_F64; }

static inline double double_of(int code, uint64_t bits) {
    float narrow;
    double wide;
    memcpy(&narrow, &bits, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return code == ATOLL_F32 ? (double)narrow : wide;
}

static inline uint64_t bits_of_double(int code, double number) {
    const float narrow = (float)number;
    uint64_t bits = 0;
    if (code == ATOLL_F32) memcpy(&bits, &narrow, sizeof narrow);
    else memcpy(&bits, &number, sizeof number);
    return bits;
}

/* The bits of a signed integer as a number of 64 bits. */
static inline int64_t signed_of(int code, uint64_t bits) {
    switch (code) {
    case ATOLL_I8: return (int8_t)bits;
    case ATOLL_I16: return (int16_t)bits;
    case ATOLL_I32: return (int32_t)bits;
    default: return (int64_t)bits;
    }
}

/* The bits of what lies somewhere, and back: one plain access. */
static inline uint64_t bits_at(const void *place, int size) {
    switch (size) {
    case 1: return *(const uint8_t *)place;
    case 2: return *(const uint16_t *)place;
    case 4: return *(const uint32_t *)place;
    default: return *(const uint64_t *)place;
    }
}

static inline void put_bits(void *place, int size, uint64_t bits) {
    switch (size) {
    case 1: *(uint8_t *)place = (uint8_t)bits; break;
    case 2: *(uint16_t *)place = (uint16_t)bits; break;
    case 4: *(uint32_t *)place = (uint32_t)bits; break;
    default: *(uint64_t *)place = bits; break;
    }
}

static inline PyObject *number_of_bits(int code, uint64_t bits) {
    switch (code) {
    case ATOLL_F32: case ATOLL_F64: return PyFloat_FromDouble(double_of(code, bits));
    case ATOLL_BOOL: return PyBool_FromLong(bits != 0);
    case ATOLL_U64: return PyLong_FromUnsignedLongLong(bits);
    default: return PyLong_FromLongLong(signed_of(code, bits)); /* the lesser unsigned fit too */
    }
}

/* What became of a number that was to be converted. */
enum conversion {
    CONVERTED,
    REFUSED, /* of the wrong type, or too large: Python knows the words for it */
    RAISED   /* its own conversion failed */
};

/* After a failure of Python's conversions. */
enum conversion refused_or_raised(void);

enum conversion bits_of_int(int code, PyObject *number, uint64_t *bits);

static inline enum conversion bits_of_number(int code, PyObject *number, uint64_t *bits) {
    if (is_float(code)) {
        const double wide = PyFloat_AsDouble(number);
        if (wide == -1.0 && PyErr_Occurred()) return refused_or_raised();
        *bits = bits_of_double(code, wide);
        return CONVERTED;
    }
    if (code == ATOLL_BOOL) {
        const int truth = PyObject_IsTrue(number);
        if (truth < 0) return refused_or_raised();
        *bits = (uint64_t)truth;
        return CONVERTED;
    }
    return bits_of_int(code, number, bits);
}

#endif
