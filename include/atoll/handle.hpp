/// How C handles become C++ objects. Nothing here is meant for users.

#ifndef ATOLL_HANDLE_HPP
#define ATOLL_HANDLE_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "result.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

template <class T, atoll_status (*close)(T*)>
struct closer {
    /// A close cannot fail for a handle that came from create or open, so nothing is lost here.
    void operator()(T* handle) const noexcept { static_cast<void>(close(handle)); }
};

/// A C handle that closes itself. The pointer is only a number: it is never dereferenced.
template <class T, atoll_status (*close)(T*)>
using handle = std::unique_ptr<T, closer<T, close>>;

/// What goes with a handle: a move leaves nothing behind, so that what was moved from takes no
/// short way into memory that it no longer keeps mapped.
template <class T>
class companion {
public:
    companion() = default;
    companion(const T& given) noexcept : kept_(given) {}
    companion(companion&& from) noexcept : kept_(std::exchange(from.kept_, T{})) {}
    companion& operator=(companion&& from) noexcept {
        kept_ = std::exchange(from.kept_, T{});
        return *this;
    }
    ~companion() = default;

    const T& operator*() const noexcept { return kept_; }

private:
    T kept_{};
};

/// A name on its way to C, borrowed for one call. NULL makes an anonymous object.
class c_name {
public:
    c_name(const char* text) noexcept : text_(text) {}
    c_name(const std::string& text) noexcept
        : text_(text.c_str()), whole_(std::strlen(text_) == text.size()) {}

    /// C would cut a name at an inner NUL, and so reach somebody else's object.
    bool whole() const noexcept { return whole_; }

    operator const char*() const noexcept { return text_; }

private:
    const char* text_;
    bool whole_ = true;
};

/// A count on its way to C. The standard library counts in ptrdiff_t, which holds more and less.
class c_count {
public:
    c_count(std::ptrdiff_t count) noexcept : count_(count) {}

    /// C would take what is left of it.
    bool fits() const noexcept { return count_ == static_cast<std::uint32_t>(count_); }

    static constexpr const char* unfit = "a count must not be negative, nor 2^32 or more";

    operator std::uint32_t() const noexcept { return static_cast<std::uint32_t>(count_); }

private:
    std::ptrdiff_t count_;
};

/// What speaks against giving an input to C, or nullptr.
template <class Input>
const char* objection(const Input& input) noexcept {
    if constexpr (std::is_same_v<Input, c_name>) {
        return input.whole() ? nullptr : "a name must not contain a NUL byte";
    } else if constexpr (std::is_same_v<Input, c_count>) {
        return input.fits() ? nullptr : c_count::unfit;
    } else {
        return nullptr;
    }
}

/// Makes a C call.
template <class Call, class... Inputs>
result<void> call(Call function, const Inputs&... inputs) {
    const char* against = nullptr;
    static_cast<void>(((against = objection(inputs)) || ...));
    if (against) return failure(status::invalid_argument, against);
    return check(function(inputs...));
}

/// Calls a C function that fills in its last parameter.
template <class Answer, class Call, class... Inputs>
result<Answer> ask(Call function, const Inputs&... inputs) {
    Answer out{};
    const result<void> done = call(function, inputs..., &out);
    if (!done) return done.error();
    return out;
}

/// Where the object of a handle lies, in the words of inline.h.
template <class Call, class T>
result<atoll_place> place_of(Call function, const T* handle) {
    return ask<atoll_place>(function, handle, std::uint32_t{ATOLL_PLACE_CONTRACT});
}

/// Calls a C function that delivers a handle through its last parameter.
template <class Handle, class Call, class... Inputs>
result<Handle> obtain(Call function, const Inputs&... inputs) {
    typename Handle::pointer out = nullptr;
    const result<void> done = call(function, inputs..., &out);
    if (!done) return done.error();
    return Handle(out);
}

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
