/// Named shared memory: the place where all other objects live.
///
///     auto segment = atoll::segment::create("counters", {1 << 20});
///     ...
///     atoll::segment::unlink("counters");

#ifndef ATOLL_SEGMENT_HPP
#define ATOLL_SEGMENT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "handle.hpp"
#include "waiting.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// How to create or open a segment. A zero means the default that atoll.h states.
struct segment_options {
    std::uint64_t size = 0;              ///< the most it may grow to, in bytes
    std::uint32_t mode = 0;              ///< permission bits, exact whatever the umask
    bool read_only = false;              ///< open only: load and look, never change
    bool ephemeral = false;              ///< goes with its last member
    std::uint32_t max_participants = 0;  ///< threads that may take part at one time
};

/// Facts about a segment, its objects and its members, as atoll.h describes them.
using segment_info = atoll_segment_info;
using object_info = atoll_object_info;
using member_info = atoll_member_info;

/// How an object is handed to another process, with or without a name: plain bytes for any channel.
///
///     channel.send(value.export_ticket());                              // there
///     auto value = atoll::value<int>::import_ticket(channel.receive()); // here
///
/// It keeps the object alive until it is imported, or its writer has left the segment.
using ticket = atoll_ticket;

/// A named segment of shared memory, seen from this process.
///
/// Objects found in it keep its memory alive, so the segment may be destroyed before them.
class segment {
public:
    using options = segment_options;

    /// Makes a new segment; throws status::already_exists if the name is taken.
    static outcome<segment> create(detail::c_name name, const options& how = {}) {
        return made(atoll_segment_create, name, how);
    }

    /// Opens what exists; throws status::not_found if nothing does.
    static outcome<segment> open(detail::c_name name, const options& how = {}) {
        return made(atoll_segment_open, name, how);
    }

    /// Opens it, or makes it if it is not there. However many race, one creates.
    static outcome<segment> open_or_create(detail::c_name name, const options& how = {}) {
        return made(atoll_segment_open_or_create, name, how);
    }

    /// The home segment of this process: made when it is first asked for, gone with the process.
    static outcome<segment> home() {
        return detail::settle(wrapped(detail::obtain<handle>(atoll_segment_home)));
    }

    /// Removes the name. Whoever has the segment open keeps it; the memory goes with the last.
    static outcome<void> unlink(detail::c_name name) {
        return detail::settle(detail::call(atoll_segment_unlink, name));
    }

    /// Checks every invariant of every object; throws status::corrupted with what is wrong.
    outcome<void> verify() const {
        return detail::settle(detail::call(atoll_segment_verify, native_handle()));
    }

    /// Size, use and membership, at one moment.
    outcome<segment_info> info() const {
        return detail::settle(detail::ask<segment_info>(atoll_segment_stat, native_handle()));
    }

    /// Every object, in order of creation.
    outcome<std::vector<object_info>> objects() const { return detail::settle(listed()); }

    /// Waits for the first death of a member after `seen`, an epoch from info() or from the last
    /// death. Only unclean ends count: a process that was killed or that crashed.
    outcome<member_info> wait_death(std::uint64_t seen) const {
        const auto dead = death_after(seen, detail::forever());
        return detail::settle(dead ? result<member_info>(**dead) : dead.error());
    }

    /// The same, empty if nobody died in that time.
    template <class Rep, class Period>
    outcome<std::optional<member_info>> wait_death_for(
        std::uint64_t seen, const std::chrono::duration<Rep, Period>& timeout) const {
        return detail::settle(death_after(seen, detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<std::optional<member_info>> wait_death_until(
        std::uint64_t seen, const std::chrono::time_point<Clock, Duration>& deadline) const {
        return detail::settle(death_after(seen, detail::until(deadline)));
    }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_segment* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_segment, atoll_segment_close>;

    explicit segment(handle opened) noexcept : handle_(std::move(opened)) {}

    static result<segment> wrapped(result<handle> opened) {
        if (!opened) return opened.error();
        return segment(*std::move(opened));
    }

    template <class Call>
    static outcome<segment> made(Call function, detail::c_name name, const options& how) {
        atoll_segment_options given = ATOLL_SEGMENT_OPTIONS_INIT;
        given.size = how.size;
        given.mode = how.mode;
        given.read_only = how.read_only;
        given.ephemeral = how.ephemeral;
        given.max_participants = how.max_participants;
        return detail::settle(wrapped(detail::obtain<handle>(function, name, &given)));
    }

    result<std::vector<object_info>> listed() const {
        constexpr std::size_t page = 16;
        std::vector<object_info> all;
        for (std::size_t found = page; found != 0;) {
            const std::size_t seen = all.size();
            all.resize(seen + page);
            const result<void> done = detail::call(atoll_segment_list, native_handle(), seen,
                                                   all.data() + seen, page, &found);
            if (!done) return done.error();
            all.resize(seen + found);
        }
        return all;
    }

    template <class Left>
    result<std::optional<member_info>> death_after(std::uint64_t seen, const Left& left) const {
        member_info dead{};
        std::uint64_t epoch = 0;
        const atoll_status got = detail::wait(left, [&](std::int64_t timeout_ns) {
            return atoll_segment_wait_death(native_handle(), seen, timeout_ns, &epoch, &dead);
        });
        if (got == ATOLL_TIMED_OUT) return std::optional<member_info>();
        if (got != ATOLL_OK) return detail::last_failure();
        return std::optional(dead);
    }

    handle handle_;
};

/// Removes the ephemeral segments of this user whose processes were all killed, and says how many
/// there were. Every segment::create() does the same.
inline outcome<std::uint64_t> gc() { return detail::settle(detail::ask<std::uint64_t>(atoll_gc)); }

/// Leaves all segments in good order, for a process that is about to end by _exit().
inline outcome<void> process_leave() { return detail::settle(detail::call(atoll_process_leave)); }

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
