#include "bootstrap/secret.h"

#include <sodium.h>

#include <cstring>

#include "base/assert.h"

namespace xccl {
namespace {

// sodium_init() is idempotent and thread-safe; once per process is enough.
void ready() {
    static const int state = sodium_init();
    XCCL_ASSERT(state >= 0);
}

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void random_bytes(void* data, std::size_t size) {
    ready();
    randombytes_buf(data, size);
}

Secret random_secret() {
    Secret secret;
    random_bytes(secret.data(), secret.size());
    return secret;
}

Tag authenticate(const Secret& key, std::string_view message) {
    ready();
    Tag tag;
    crypto_generichash(tag.data(), tag.size(), bytes_of(message), message.size(), key.data(),
                       key.size());
    return tag;
}

Secret derive(const Secret& key, std::string_view label, std::string_view context) {
    // The zero byte separates: no label contains one.
    std::string message = "xccl derive ";
    message.append(label).push_back('\0');
    message.append(context);
    return authenticate(key, message);
}

Secret secret_from_text(std::string_view text) {
    Secret none{};
    return derive(none, "text", text);
}

bool equal_tags(const Tag& a, const Tag& b) {
    return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
    std::string hex(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes_of(bytes), bytes.size());
    hex.pop_back();
    return hex;
}

bool from_hex(std::string_view hex, void* bytes, std::size_t size) {
    if (hex.size() != 2 * size) return false;
    std::size_t length = 0;
    const char* end = nullptr;
    const int result = sodium_hex2bin(static_cast<unsigned char*>(bytes), size, hex.data(),
                                      hex.size(), nullptr, &length, &end);
    return result == 0 && length == size && end == hex.data() + hex.size();
}

}  // namespace xccl
