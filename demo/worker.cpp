/// A worker of the demo, in C++: takes chunks of the corpus, counts them, merges the counts.
///
///     worker SEGMENT NUMBER
///
/// layout.h says what lies in the segment. README.md says why no kill can make the totals wrong;
/// the numbers in brackets here are those of its table.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <atoll.hpp>

#include "layout.h"

namespace {

using counts = std::array<std::uint64_t, CELLS>;

struct work {
    std::uint64_t ticket, chunk;
};

bool in_word(std::uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/// Keeps the compiler from moving stores to one side of here to the other. A kill is like a signal
/// handler that never returns: it sees memory as the instructions left it, in their order.
void in_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

class worker {
public:
    worker(const atoll::segment& segment, std::uint32_t number)
        : me(number),
          corpus(atoll::array<const std::uint8_t>::open(segment, "corpus")),
          chunks(atoll::array<std::uint8_t>::open(segment, "chunks")),
          totals(atoll::array<std::uint64_t>::open(segment, "counts", {CELLS})),
          before(atoll::array<std::uint64_t>::open(segment, "before", {CELLS})),
          mutex(atoll::mutex::open(segment, "lock")),
          next(atoll::value<std::uint64_t>::open(segment, "next")),
          armed(atoll::value<trap>::open(segment, "trap")),
          news(atoll::value<takeover>::open(segment, "takeover")) {}

    void run() {
        while (const auto work = take()) {
            const counts mine = count(work->chunk);
            merge(work->chunk, mine, wait_turn(work->ticket));
        }
    }

private:
    /// Takes a ticket, and finds the chunk to do for it; nothing if all chunks are merged.
    std::optional<work> take() {
        const std::uint64_t ticket = next.fetch_add(1);  // (1)
        if (ticket < chunks.size()) return work{ticket, ticket};

        // All are handed out. Those not merged yet are in work, or lost with somebody who was
        // killed. No need to know which: it does no harm to count a chunk twice, for one merges it.
        const auto hold = lock();
        const auto found = std::find(chunks.begin(), chunks.end(), TODO);
        if (found == chunks.end()) return std::nullopt;
        return work{ticket, static_cast<std::uint64_t>(found - chunks.begin())};
    }

    counts count(std::uint64_t chunk) const {
        const std::uint64_t length = (corpus.size() + chunks.size() - 1) / chunks.size();
        const auto begin = corpus.begin() + std::min(chunk * length, corpus.size());
        const auto end = begin + std::min<std::uint64_t>(length, corpus.end() - begin);

        counts mine{};
        std::for_each(begin, end, [&](std::uint8_t byte) { mine[byte]++; });

        // A word that reaches into the chunk belongs to an earlier one; one that begins here and
        // reaches out belongs here.
        const bool reaches_in = begin != corpus.begin() && in_word(begin[-1]);
        auto start = reaches_in ? std::find_if_not(begin, end, in_word) : begin;
        while ((start = std::find_if(start, end, in_word)) != end) {
            const auto stop = std::find_if_not(start, corpus.end(), in_word);
            mine[BYTES + std::min<std::ptrdiff_t>(stop - start, LONGEST) - 1]++;
            start = std::min(stop, end);
        }
        return mine;
    }

    /// Lets the worker go first that the demo wants to kill next. If this is the one, says after
    /// how many cells it is to stop; more than there are means later.
    std::optional<std::uint32_t> wait_turn(std::uint64_t ticket) const {
        for (;;) {
            const trap set = armed.load();
            if (set.worker == NOBODY || ticket < set.ticket) return std::nullopt;
            if (set.worker == me) return set.cells - spared;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    /// Adds my counts of a chunk to the totals, unless somebody has done so.
    void merge(std::uint64_t chunk, const counts& mine, std::optional<std::uint32_t> stop_after) {
        const auto hold = lock();  // (2)
        if (chunks[chunk] != TODO) return;
        std::copy(totals.begin(), totals.end(), before.begin());  // (3)
        in_order();
        chunks[chunk] = MERGING;  // (4)
        in_order();
        for (std::uint32_t cell = 0; cell < CELLS; cell++) {
            if (cell == stop_after) std::raise(SIGSTOP);  // and never comes back
            totals[cell] += mine[cell];                   // (5)
        }
        if (stop_after == CELLS) std::raise(SIGSTOP);
        in_order();
        chunks[chunk] = static_cast<std::uint8_t>(me);  // (6)
        if (stop_after) spared += CELLS;
    }

    /// Holds the lock for as long as what it returns lives.
    std::unique_lock<atoll::mutex> lock() {
        const bool owner_died = mutex.lock_recover();
        const auto now = std::chrono::steady_clock::now();
        std::unique_lock hold(mutex, std::adopt_lock);
        if (owner_died) mend(now);
        return hold;
    }

    /// Takes back what a dead owner has merged of a chunk, and says so.
    void mend(std::chrono::steady_clock::time_point taken_over) {
        takeover said{};
        said.at_ns = std::chrono::nanoseconds(taken_over.time_since_epoch()).count();
        said.chunk = NO_CHUNK;
        said.worker = me;
        const auto torn = std::find(chunks.begin(), chunks.end(), MERGING);
        if (torn != chunks.end()) {
            said.chunk = torn - chunks.begin();
            std::copy(before.begin(), before.end(), totals.begin());  // (7)
            in_order();
            *torn = TODO;  // (8)
        }
        news.store(said);
        mutex.mark_consistent();  // (9)
    }

    const std::uint32_t me;
    atoll::array<const std::uint8_t> corpus;
    atoll::array<std::uint8_t> chunks;
    atoll::array<std::uint64_t> totals, before;
    atoll::mutex mutex;
    atoll::value<std::uint64_t> next;
    atoll::value<trap> armed;
    atoll::value<takeover> news;
    std::uint32_t spared = 0;  // cells merged since the demo wants to kill me
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: worker SEGMENT NUMBER; `make demo` starts it\n");
        return 2;
    }
    try {
        const auto segment = atoll::segment::open(argv[1]);
        worker(segment, std::stoul(argv[2])).run();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "worker.cpp: %s\n", problem.what());
        return 1;
    }
}
