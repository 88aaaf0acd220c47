// The second of two files that include the header; include_one.cpp is the first.

#include <atoll.hpp>
#include <atoll.hpp>

#include <cstdlib>

const std::error_category& category_seen_by_two();

const std::error_category& category_seen_by_two() {
    return std::atoll("1") == 1 ? atoll::category() : std::generic_category();
}
