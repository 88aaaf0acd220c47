/// A value of whatever size, by the calls of the C interface. Nothing here is meant for users.

#ifndef ATOLL_VALUE_CALLS_HPP
#define ATOLL_VALUE_CALLS_HPP

#include <cstdint>
#include <utility>

#include "segment.hpp"
#include "type.hpp"
#include "word.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// Owns the C handle of a value that holds a T.
template <class T>
class value_calls {
public:
    static result<value_calls> of(result<handle<atoll_value, atoll_value_close>> opened) {
        if (!opened) return opened.error();
        return value_calls(*std::move(opened));
    }

    /// One of the functions that make or open a value, and a first T for those that take one.
    template <class Call, class... Initial>
    static result<value_calls> obtained(Call function, const segment& in, c_name name,
                                        const Initial*... initial) {
        const atoll_type type = type_of<T>();
        return of(obtain<owned>(function, in.native_handle(), name, &type, initial...,
                                sizeof *initial...));
    }

    static result<value_calls> imported(const ticket& from) {
        result<value_calls> opened = of(obtain<owned>(atoll_value_import, &from));
        if (!opened) return opened;
        const auto type = ask<atoll_type>(atoll_value_type, opened->handle());
        if (!type) return type.error();
        const result<void> same = check_type<T>(*type);
        if (!same) return same.error();
        return opened;
    }

    atoll_value* handle() const noexcept { return handle_.get(); }

    result<T> load() const {
        foreign<T> now{};
        return given(now, atoll_value_load(handle(), &now, sizeof now, nullptr));
    }

    /// Whether it could be done in time.
    template <class Left>
    result<bool> store_within(const T& desired, const Left& left) {
        return in_time(left, [&](std::int64_t timeout_ns) {
            return atoll_value_store(handle(), &desired, sizeof desired, timeout_ns);
        });
    }

    result<void> store(const T& desired) { return at_last(store_within(desired, forever())); }

    result<T> exchange(const T& desired) {
        foreign<T> old{};
        const atoll_status got = wait(forever(), [&](std::int64_t timeout_ns) {
            return atoll_value_swap(handle(), &desired, sizeof desired, timeout_ns, &old,
                                    sizeof old, nullptr);
        });
        return given(old, got);
    }

    result<bool> compare_exchange(T* expected, const T& desired) {
        foreign<T> old{};
        bool exchanged = false;
        const atoll_status got = wait(forever(), [&](std::int64_t timeout_ns) {
            return atoll_value_compare_exchange(handle(), expected, &desired, sizeof(T), timeout_ns,
                                                &old, sizeof old, nullptr, &exchanged);
        });
        if (got != ATOLL_OK) return last_failure();
        if (!exchanged) *expected = static_cast<T>(old);
        return exchanged;
    }

    /// One of the functions atoll_value_fetch_*().
    result<T> fetch(decltype(&atoll_value_fetch_add) function, const T& operand) {
        foreign<T> old{};
        return given(old, function(handle(), &operand, sizeof operand, &old, sizeof old, nullptr));
    }

    result<T*> data() const {
        void* const address = atoll_value_data(handle());
        if (address == nullptr) return last_failure();
        return static_cast<T*>(address);
    }

private:
    using owned = detail::handle<atoll_value, atoll_value_close>;

    explicit value_calls(owned opened) noexcept : handle_(std::move(opened)) {}

    static result<T> given(const foreign<T>& bytes, atoll_status got) {
        if (got != ATOLL_OK) return last_failure();
        return static_cast<T>(bytes);
    }

    owned handle_;
};

}  // namespace detail
}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
