/// How C++ types are described in shared memory, so that every language can check them.

#ifndef ATOLL_TYPE_HPP
#define ATOLL_TYPE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "error.hpp"

namespace libatoll {

/// The fields of a struct as a PEP 3118 string, for readers in other languages. Without one only
/// size and alignment are compared. Specialise it beside the struct:
///
///     template <> inline constexpr const char* libatoll::format<point> = "T{<d:x:<d:y:}";
template <class T>
inline constexpr const char* format = "";

namespace detail {

template <class T>
struct is_bytes : std::false_type {};
template <std::size_t N>
struct is_bytes<std::array<char, N>> : std::true_type {};

constexpr std::uint32_t integer_code(std::size_t size, bool is_signed) {
    switch (size) {
        case 1: return is_signed ? ATOLL_I8 : ATOLL_U8;
        case 2: return is_signed ? ATOLL_I16 : ATOLL_U16;
        case 4: return is_signed ? ATOLL_I32 : ATOLL_U32;
        case 8: return is_signed ? ATOLL_I64 : ATOLL_U64;
        default: return ATOLL_STRUCT;
    }
}

/// Scalars have codes of their own, enums that of their integer, std::array<char, N> is N bytes of
/// text; anything else is a struct.
template <class T>
constexpr std::uint32_t code_of() {
    if constexpr (std::is_same_v<T, bool>) return ATOLL_BOOL;
    else if constexpr (std::is_integral_v<T>) return integer_code(sizeof(T), std::is_signed_v<T>);
    else if constexpr (std::is_enum_v<T>) return code_of<std::underlying_type_t<T>>();
    else if constexpr (std::is_same_v<T, float>) return ATOLL_F32;
    else if constexpr (std::is_same_v<T, double>) return ATOLL_F64;
    else if constexpr (is_bytes<T>::value) return ATOLL_BYTES;
    else return ATOLL_STRUCT;
}

/// Objects start on a cache line, so that is the strictest alignment they can promise.
template <class T>
inline constexpr bool can_be_shared =
    std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && alignof(T) <= 64;

template <class T>
atoll_type type_of() {
    static_assert(sizeof(float) == 4 && sizeof(double) == 8);
    atoll_type type{};
    type.struct_size = sizeof type;
    type.code = code_of<T>();
    type.size = sizeof(T);
    type.align = alignof(T);
    if (std::strlen(format<T>) >= sizeof type.format) {
        throw error(status::invalid_argument, "libatoll::format of a type must fit 63 bytes");
    }
    std::strcpy(type.format, format<T>);
    return type;
}

/// Refuses what is no T, as opening by name does. A format counts where both sides have one.
template <class T>
void check_type(const atoll_type& found) {
    const atoll_type wanted = type_of<T>();
    const bool formats_agree = wanted.format[0] == 0 || found.format[0] == 0 ||
                               std::strcmp(wanted.format, found.format) == 0;
    if (found.code != wanted.code || found.size != wanted.size ||
        (wanted.code == ATOLL_STRUCT && (found.align != wanted.align || !formats_agree))) {
        throw error(status::wrong_kind, "what the ticket is for holds another type than T");
    }
}

}  // namespace detail
}  // namespace libatoll

#endif
