/// A ring of messages: bytes of any length, from any number of producers to any number of
/// consumers, in one order.
///
///     auto lines = atoll::messages::open_or_create(segment, "lines", {1024});
///     lines.put("the first line");
///     std::cout << lines.get();
///
///     std::string line;
///     while (lines.try_pop(line)) use(line);                      // in the same memory again

#ifndef ATOLL_MESSAGES_HPP
#define ATOLL_MESSAGES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mpmc.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Bytes on their way to C, borrowed for one call.
class c_bytes {
public:
    c_bytes(std::string_view text) noexcept : c_bytes(text.data(), text.size()) {}
    c_bytes(const std::string& text) noexcept : c_bytes(text.data(), text.size()) {}
    c_bytes(const char* text) noexcept : c_bytes(std::string_view(text)) {}
    c_bytes(view<const std::byte> bytes) noexcept : c_bytes(bytes.data(), bytes.size()) {}
    c_bytes(const void* first, std::size_t size) noexcept
        : first_(first != nullptr ? first : ""), size_(size) {}

    const void* data() const noexcept { return first_; }
    std::size_t size() const noexcept { return size_; }

private:
    const void* first_;  // not NULL, which C takes for a mistake
    std::size_t size_;
};

}  // namespace detail

/// A mpmc of messages. Its capacity counts cells of 64 bytes, at least 2; a message takes as many
/// as it and 8 bytes more need, and at most half of them: one that is longer throws
/// status::invalid_argument. Otherwise all is as mpmc says, also after deaths.
class messages : public detail::any_ring<messages, detail::mpmc_calls> {
    using base = messages::any_ring;
    friend base;
    using base::base;

    using bytes = detail::c_bytes;

public:
    using value_type = std::string;
    using reservation = detail::claimed_message;
    using record = detail::shown_message;

    /// Claims room for a message of up to that many bytes, to write it there, as a mpmc claims a
    /// place.
    outcome<reservation> claim(std::size_t size) {
        return detail::settle(detail::reserved<reservation>(ATOLL_FULL, atoll_mpmc_claim,
                                                            native_handle(), size));
    }

    /// Takes the next message into the hand, to read it in its place, as a mpmc does.
    outcome<record> peek() {
        return detail::settle(
            detail::reserved<record>(ATOLL_EMPTY, atoll_mpmc_peek, native_handle()));
    }

    /// Puts a message if there is room: text, a view of std::byte, or {pointer, size}. When it has
    /// returned true the message is in the ring for good, also if this process dies.
    outcome<bool> try_push(bytes message) {
        return detail::settle(detail::unless(
            ATOLL_FULL, atoll_mpmc_push(native_handle(), message.data(), message.size())));
    }

    /// Puts a message, and waits for room if there is none.
    outcome<void> put(bytes message) {
        return detail::settle(detail::at_last(put_within(message, detail::forever())));
    }

    /// The same for so long at most: whether it was put.
    template <class Rep, class Period>
    outcome<bool> put_for(bytes message, const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(put_within(message, detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<bool> put_until(bytes message,
                            const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(put_within(message, detail::until(deadline)));
    }

    /// Gets a message if there is one.
    outcome<std::optional<std::string>> try_pop() {
        return detail::settle(text_of(popped()));
    }

    /// Gets a message and waits for one if there is none.
    outcome<std::string> get() {
        auto got = got_within(detail::forever());
        return detail::settle(got ? result<std::string>((**std::move(got)).record) : got.error());
    }

    /// The same for so long at most; empty if none came.
    template <class Rep, class Period>
    outcome<std::optional<std::string>> get_for(
        const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(text_of(got_within(detail::within(timeout))));
    }

    template <class Clock, class Duration>
    outcome<std::optional<std::string>> get_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(text_of(got_within(detail::until(deadline))));
    }

    /// The same into a string that you have, whose memory is used again: whether there was one. If
    /// not, the string is empty.
    outcome<bool> try_pop(std::string& into) {
        return detail::settle(popped_into(into, nullptr));
    }

    outcome<void> get(std::string& into) {
        return detail::settle(
            detail::at_last(got_into(into, nullptr, detail::forever())));
    }

    /// The same with its mark, as of a mpmc.
    outcome<std::optional<marked<std::string>>> try_pop_marked() {
        return detail::settle(popped());
    }

    outcome<marked<std::string>> get_marked() {
        auto got = got_within(detail::forever());
        return detail::settle(got ? result<marked<std::string>>(**std::move(got)) : got.error());
    }

    template <class Rep, class Period>
    outcome<std::optional<marked<std::string>>> get_marked_for(
        const std::chrono::duration<Rep, Period>& timeout) {
        return detail::settle(got_within(detail::within(timeout)));
    }

    template <class Clock, class Duration>
    outcome<std::optional<marked<std::string>>> get_marked_until(
        const std::chrono::time_point<Clock, Duration>& deadline) {
        return detail::settle(got_within(detail::until(deadline)));
    }

private:
    static atoll_type type_of_records() noexcept {
        atoll_type type{};
        type.struct_size = sizeof type;
        type.code = ATOLL_BYTES;
        return type;
    }

    static result<void> check_records(const atoll_type& found) {
        if (found.code == ATOLL_BYTES && found.size == 0) return {};
        return failure(status::wrong_kind, "what the ticket is for has records, and no messages");
    }

    template <class Left>
    result<bool> put_within(const bytes& message, const Left& left) {
        return detail::in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_mpmc_put(native_handle(), message.data(), message.size(), timeout_ns);
        });
    }

    /// Has a call write to the string, which is made as long as the message that it finds. That
    /// stays in the ring until there is room for it.
    template <class Call>
    static atoll_status written(std::string& into, const Call& call) {
        into.resize(into.capacity());
        for (;;) {
            std::size_t length = 0;
            const atoll_status got = call(into.data(), into.size(), &length);
            if (got != ATOLL_OK && got != ATOLL_TOO_SMALL) length = 0;
            into.resize(length);
            if (got != ATOLL_TOO_SMALL) return got;
        }
    }

    result<bool> popped_into(std::string& into, std::uint32_t* times) {
        return detail::unless(
            ATOLL_EMPTY, written(into, [&](void* to, std::size_t room, std::size_t* length) {
                return atoll_mpmc_pop(native_handle(), to, room, length, times);
            }));
    }

    template <class Left>
    result<bool> got_into(std::string& into, std::uint32_t* times, const Left& left) {
        return detail::unless(
            ATOLL_TIMED_OUT, written(into, [&](void* to, std::size_t room, std::size_t* length) {
                return detail::wait(left, [&](std::int64_t timeout_ns) {
                    return atoll_mpmc_get(native_handle(), to, room, length, times, timeout_ns);
                });
            }));
    }

    using maybe = std::optional<marked<std::string>>;

    result<maybe> popped() {
        marked<std::string> one{};
        return found(one, popped_into(one.record, &one.times));
    }

    template <class Left>
    result<maybe> got_within(const Left& left) {
        marked<std::string> one{};
        return found(one, got_into(one.record, &one.times, left));
    }

    /// By reference: the call that fills it in may come after the arguments before it.
    static result<maybe> found(marked<std::string>& one, const result<bool>& came) {
        if (!came.has_value()) return came.error();
        return *came ? maybe(std::move(one)) : maybe();
    }

    static result<std::optional<std::string>> text_of(result<maybe> got) {
        if (!got) return got.error();
        if (!*got) return std::optional<std::string>();
        return std::optional<std::string>((**std::move(got)).record);
    }
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
