/// How C handles become C++ objects. Nothing here is meant for users.

#ifndef ATOLL_HANDLE_HPP
#define ATOLL_HANDLE_HPP

#include <cstring>
#include <memory>
#include <string>

#include "error.hpp"

namespace libatoll::detail {

template <class T, atoll_status (*close)(T*)>
struct closer {
    /// A close cannot fail for a handle that came from create or open, so nothing is lost here.
    void operator()(T* handle) const noexcept { static_cast<void>(close(handle)); }
};

/// A C handle that closes itself. The pointer is only a number: it is never dereferenced.
template <class T, atoll_status (*close)(T*)>
using handle = std::unique_ptr<T, closer<T, close>>;

/// Calls a C function that delivers a handle through its last parameter.
template <class Handle, class Call, class... Inputs>
Handle obtain(Call call, Inputs... inputs) {
    typename Handle::pointer out = nullptr;
    check(call(inputs..., &out));
    return Handle(out);
}

/// A name on its way to C, borrowed for one call. NULL makes an anonymous object.
class c_name {
public:
    c_name(const char* text) noexcept : text_(text) {}

    /// C would cut the name at an inner NUL, and so reach somebody else's object.
    c_name(const std::string& text) : text_(text.c_str()) {
        if (std::strlen(text_) != text.size()) {
            throw error(status::invalid_argument, "a name must not contain a NUL byte");
        }
    }

    operator const char*() const noexcept { return text_; }

private:
    const char* text_;
};

}  // namespace libatoll::detail

#endif
