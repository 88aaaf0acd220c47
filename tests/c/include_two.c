/* The second of two files that include the header; include_one.c is the first. */

#include <atoll.h>
#include <atoll.h>

uint32_t version_seen_by_two(void);

uint32_t version_seen_by_two(void) {
    return atoll_abi_version();
}
