/* Integers that have to fit. */

#include "number.h"

enum conversion refused_or_raised(void) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_OverflowError))
        return RAISED;
    PyErr_Clear();
    return REFUSED;
}

static enum conversion bits_of_exact_int(int code, PyObject *number, uint64_t *bits) {
    int overflow;
    const int64_t wide = PyLong_AsLongLongAndOverflow(number, &overflow);
    const uint64_t mask = UINT64_MAX >> (64 - 8 * number_size(code));
    if (overflow > 0 && code == ATOLL_U64) {
        *bits = PyLong_AsUnsignedLongLong(number);
        return *bits == UINT64_MAX && PyErr_Occurred() ? refused_or_raised() : CONVERTED;
    }
    if (overflow) return REFUSED;
    *bits = (uint64_t)wide & mask;
    switch (code) {
    case ATOLL_I8: case ATOLL_I16: case ATOLL_I32: case ATOLL_I64:
        return signed_of(code, *bits) == wide ? CONVERTED : REFUSED;
    default: return wide >= 0 && *bits == (uint64_t)wide ? CONVERTED : REFUSED;
    }
}

enum conversion bits_of_int(int code, PyObject *number, uint64_t *bits) {
    if (PyLong_Check(number)) return bits_of_exact_int(code, number, bits);
    PyObject *index = PyNumber_Index(number);
    if (!index) return refused_or_raised();
    enum conversion outcome = bits_of_exact_int(code, index, bits);
    Py_DECREF(index);
    return outcome;
}
