// Two files include the header, each of them twice, and <cstdlib> before or after it, which
// declares a C function atoll(); include_two.cpp is the other.

#include <cstdlib>

#include <atoll.hpp>
#include <atoll.hpp>

const std::error_category& category_seen_by_two();

int main() { return category_seen_by_two() == atoll::category() ? 0 : 1; }
