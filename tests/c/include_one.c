/* Two files include the header, each of them twice; include_two.c is the other. */

#include <atoll.h>
#include <atoll.h>

uint32_t version_seen_by_two(void);

int main(void) {
    return version_seen_by_two() == atoll_abi_version() ? 0 : 1;
}
