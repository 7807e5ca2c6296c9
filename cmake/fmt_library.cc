// fmt, compiled once. Distributions have it as a shared library, which libxccl.so must not drag
// into other people's processes, or as headers alone, which cost every file seconds to compile.
#include <fmt/format-inl.h>

namespace fmt_detail = fmt::detail;

template auto fmt::detail::thousands_sep_impl<char>(fmt_detail::locale_ref)
    -> fmt_detail::thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl<char>(fmt_detail::locale_ref) -> char;
template void fmt::detail::buffer<char>::append(const char*, const char*);
template void fmt::detail::vformat_to(fmt_detail::buffer<char>&, fmt::string_view, fmt::format_args,
                                      fmt_detail::locale_ref);
template auto fmt::detail::dragonbox::to_decimal(float) noexcept
    -> fmt_detail::dragonbox::decimal_fp<float>;
template auto fmt::detail::dragonbox::to_decimal(double) noexcept
    -> fmt_detail::dragonbox::decimal_fp<double>;
