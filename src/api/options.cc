#include "api/options.h"

#include <cstring>

#include "base/config.h"

namespace xccl {
namespace {

// The caller's structure, which may be older (shorter) or newer (longer) than ours.
Result<xcclConfig_t> read_config(const xcclConfig_t* given) {
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    if (given == nullptr) return config;
    if (given->magic != XCCL_CONFIG_MAGIC) {
        return invalid_argument("config->magic is {:#x}; start from XCCL_CONFIG_INITIALIZER",
                                given->magic);
    }
    const std::size_t head = offsetof(xcclConfig_t, blocking);
    if (given->size < head) {
        return invalid_argument("config->size is {}; start from XCCL_CONFIG_INITIALIZER",
                                given->size);
    }
    std::memcpy(&config, given, std::min(given->size, sizeof config));
    return config;
}

int given_or(int value, int otherwise) {
    return value == XCCL_CONFIG_UNDEF_INT ? otherwise : value;
}

Status check_range(const char* name, int value, int low) {
    if (value >= low) return ok_status();
    return invalid_argument("config->{} is {}; it must be at least {}, or XCCL_CONFIG_UNDEF_INT",
                            name, value, low);
}

}  // namespace

Result<CommunicatorOptions> options_from(const xcclConfig_t* given) {
    XCCL_ASSIGN(const xcclConfig_t config, read_config(given));
    XCCL_ASSIGN(const Config settings, load_config());
    CommunicatorOptions options;
    options.timeout_ms = given_or(config.timeoutMs, static_cast<int>(settings.timeout_ms));
    options.init_timeout_ms =
        given_or(config.initTimeoutMs, static_cast<int>(settings.init_timeout_ms));
    options.blocking = given_or(config.blocking, 1) != 0;
    options.reproducible = given_or(config.reproducible, settings.reproducible) != 0;
    options.interfaces = config.netName ? config.netName : settings.socket_ifname;
    options.name = config.commName ? config.commName : "";
    options.spin_us = static_cast<int>(settings.spin_us);
    options.spread = settings.spread;
    options.stall_warn_ms = static_cast<int>(settings.stall_warn_ms);
    options.mismatch_check = settings.mismatch_check;
    XCCL_TRY(check_range("timeoutMs", options.timeout_ms, 0));
    XCCL_TRY(check_range("initTimeoutMs", options.init_timeout_ms, 1));
    return options;
}

Result<CommunicatorOptions> options_for_one(const xcclConfig_t* given) {
    XCCL_ASSIGN(const xcclConfig_t config, read_config(given));
    CommunicatorOptions options;
    options.blocking = given_or(config.blocking, 1) != 0;
    return options;
}

}  // namespace xccl
