// Boost's heap in shared memory, for lanes/heap: allocates 64 bytes and frees them.
#include <cstdint>
#include <string>

#include <boost/interprocess/managed_shared_memory.hpp>

namespace bip = boost::interprocess;

namespace {

constexpr std::size_t segment_bytes = 1 << 20;
constexpr std::size_t block_bytes = 64;

bip::managed_shared_memory *segment;
std::string segment_name;

// Keeps the compiler from seeing through what happens to a block.
void *opaque(void *block) {
    asm volatile("" : "+r"(block) : : "memory");
    return block;
}

}  // namespace

extern "C" {

int peer_open(const char *name, int is_new) {
    segment_name = name;
    try {
        segment = is_new ? new bip::managed_shared_memory(bip::create_only, name, segment_bytes)
                         : new bip::managed_shared_memory(bip::open_only, name);
    } catch (const bip::interprocess_exception &) {
        return 1;
    }
    return 0;
}

void peer_work(std::uint32_t operations) {
    for (; operations > 0; operations--)
        segment->deallocate(opaque(segment->allocate(block_bytes)));
}

void peer_remove() {
    bip::shared_memory_object::remove(segment_name.c_str());
}
}
