#include "bootstrap/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/owned_descriptor.h"

namespace xccl {
namespace {

// Their addresses are the same on many hosts.
constexpr std::string_view kBridges[] = {"docker", "virbr", "br-", "podman", "cni", "lxc"};

struct Pattern {
    std::string_view name;
    bool exact = false;
    bool excludes = false;

    bool matches(std::string_view interface) const {
        return exact ? interface == name : interface.substr(0, name.size()) == name;
    }
};

std::vector<Pattern> parse(std::string_view specification) {
    const bool all_exclude = specification.substr(0, 1) == "^";
    std::vector<Pattern> patterns;
    while (!specification.empty()) {
        std::string_view item = specification.substr(0, specification.find(','));
        specification.remove_prefix(std::min(specification.size(), item.size() + 1));
        Pattern pattern;
        pattern.excludes = all_exclude;
        for (; !item.empty() && (item[0] == '^' || item[0] == '=' || item[0] == ' ');
             item.remove_prefix(1)) {
            pattern.excludes = pattern.excludes || item[0] == '^';
            pattern.exact = pattern.exact || item[0] == '=';
        }
        pattern.name = item.substr(0, item.find_last_not_of(' ') + 1);
        if (!pattern.name.empty()) patterns.push_back(pattern);
    }
    return patterns;
}

// How gladly an interface is taken; 0: not at all. Only those of the highest rank are.
int preference(const Interface& interface, const std::vector<Pattern>& patterns) {
    if (!interface.is_up || interface.is_link_local) return 0;
    bool names_any = false, named = false;
    for (const Pattern& pattern : patterns) {
        if (pattern.excludes && pattern.matches(interface.name)) return 0;
        if (pattern.excludes) continue;
        names_any = true;
        named = named || pattern.matches(interface.name);
    }
    if (names_any) return named ? 3 : 0;
    if (interface.is_loopback) return 1;
    const bool is_bridge = std::any_of(
        std::begin(kBridges), std::end(kBridges),
        [&](std::string_view bridge) { return interface.name.substr(0, bridge.size()) == bridge; });
    return is_bridge && patterns.empty() ? 2 : 3;
}

std::string describe(const std::vector<Interface>& interfaces) {
    std::string text;
    for (const Interface& interface : interfaces) {
        text += fmt::format(
            "{}{} ({}{})", text.empty() ? "" : ", ", interface.name, interface.address,
            interface.is_up ? (interface.is_link_local ? ", link-local" : "") : ", down");
    }
    return text.empty() ? "none at all" : text;
}

}  // namespace

Result<std::vector<Interface>> list_interfaces() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) {
        if (errno == EMFILE || errno == ENFILE)
            return descriptor_failure("listing the network interfaces", errno);
        return system_error("cannot list the network interfaces: {}",
                            errno_text("getifaddrs", errno));
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
    std::vector<Interface> interfaces;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        const int family = entry->ifa_addr ? entry->ifa_addr->sa_family : AF_UNSPEC;
        if (family != AF_INET && family != AF_INET6) continue;
        const bool v6 = family == AF_INET6;
        char host[NI_MAXHOST];
        if (getnameinfo(entry->ifa_addr, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in), host,
                        sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) {
            continue;
        }
        const auto* v6_address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
        interfaces.push_back(
            {.name = entry->ifa_name,
             .address = host,
             .is_up = (entry->ifa_flags & IFF_UP) != 0,
             .is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0,
             .is_v6 = v6,
             .is_link_local = v6 && IN6_IS_ADDR_LINKLOCAL(&v6_address->sin6_addr)});
    }
    return interfaces;
}

Result<std::vector<std::string>> choose_addresses(std::string_view specification,
                                                  const std::vector<Interface>& interfaces) {
    const std::vector<Pattern> patterns = parse(specification);
    int best = 1;
    for (const Interface& interface : interfaces) {
        best = std::max(best, preference(interface, patterns));
    }
    std::vector<const Interface*> chosen;
    for (const Interface& interface : interfaces) {
        if (preference(interface, patterns) == best) chosen.push_back(&interface);
    }
    std::vector<std::string> addresses;
    for (const bool v6 : {false, true}) {
        for (const Interface* candidate : chosen) {
            const bool has_v4 = std::any_of(chosen.begin(), chosen.end(), [&](const auto* other) {
                return other->name == candidate->name && !other->is_v6;
            });
            if (candidate->is_v6 == v6 && !(v6 && has_v4)) addresses.push_back(candidate->address);
        }
    }
    if (!addresses.empty()) return addresses;
    const std::string asked =
        specification.empty() ? "" : fmt::format(" (XCCL_SOCKET_IFNAME is '{}')", specification);
    return system_error("no network interface is usable{}; this host has {}", asked,
                        describe(interfaces));
}

Result<std::vector<std::string>> usable_addresses(std::string_view specification) {
    XCCL_ASSIGN(const auto interfaces, list_interfaces());
    return choose_addresses(specification, interfaces);
}

}  // namespace xccl
