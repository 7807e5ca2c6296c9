#include "trust/sealed.h"

#include <sodium.h>

namespace xccl {
namespace {

constexpr std::size_t kSealNonceBytes = crypto_secretbox_NONCEBYTES;
static_assert(kSealBytes == kSealNonceBytes + crypto_secretbox_MACBYTES);
static_assert(sizeof(Secret) == crypto_secretbox_KEYBYTES);

unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string seal(const Secret& secret, std::string_view text) {
    std::string sealed(kSealBytes + text.size(), '\0');
    random_bytes(sealed.data(), kSealNonceBytes);
    crypto_secretbox_easy(raw(sealed) + kSealNonceBytes, bytes_of(text).data(), text.size(),
                          raw(sealed), secret.data());
    return sealed;
}

std::optional<std::string> unseal(const Secret& secret, std::string_view sealed) {
    if (sealed.size() < kSealBytes) return std::nullopt;
    std::string text(sealed.size() - kSealBytes, '\0');
    const std::uint8_t* const nonce = bytes_of(sealed).data();
    const int result = crypto_secretbox_open_easy(
        raw(text), nonce + kSealNonceBytes, sealed.size() - kSealNonceBytes, nonce, secret.data());
    if (result != 0) return std::nullopt;
    return text;
}

}  // namespace xccl
