// Question: what can this machine do at best, of what a collective between its processes is made
// of?
//
// Method: small programs that use nothing of the library: a line between two cores, bandwidth at
// each level of memory, system calls and handovers, TCP on loopback, clocks. Each figure is the
// median of many batches, with its spread (interquartile range / median), and void where that
// exceeds 10 %: then something else used the machine. It takes about 15 seconds.
//
//   machine_limits [--only GROUP[,GROUP...]] [--json FILE] [--quick] [--help]
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "limits/cores.h"
#include "limits/groups.h"
#include "limits/streams.h"

namespace xccl::limits {
namespace {

struct Group {
    const char* name;
    const char* content;
    std::vector<Figure> (*measure)(const Effort& effort);
};

constexpr Group kGroups[] = {
    {"clocks", "what reading a clock costs", clock_figures},
    {"lines", "a cache line from one core to another, with a flag and with up to 56 bytes",
     line_figures},
    {"kernel", "a system call, handing a core over, waking who sleeps", kernel_figures},
    {"tcp", "TCP on loopback: round trip and stream", tcp_figures},
    {"bandwidth", "reading, writing, copying: caches and memory, one core and two",
     bandwidth_figures},
};

struct Options {
    Effort effort;
    std::vector<const Group*> groups;
    std::string json;  // a file; empty: none
};

void print_help(std::FILE* file) {
    std::fputs(
        "use: machine_limits [--only GROUP[,GROUP...]] [--json FILE] [--quick]\n"
        "Measures what this machine can do at best, and prints a table: the median, its unit, the\n"
        "spread of the batches, and \"void\" where that is over 10 %.\n"
        "  --only GROUP   such groups alone:\n",
        file);
    for (const Group& group : kGroups) {
        std::fprintf(file, "                   %-9s  %s\n", group.name, group.content);
    }
    std::fputs(
        "  --json FILE    also a JSON line for each figure; - for standard output, without the\n"
        "                 table\n"
        "  --quick        so few batches that the figures mean nothing: does it work?\n",
        file);
}

[[noreturn]] void refuse(const std::string& what) {
    std::fprintf(stderr, "machine_limits: %s\n", what.c_str());
    print_help(stderr);
    std::exit(2);
}

std::vector<const Group*> groups_of(std::string names) {
    std::vector<const Group*> groups;
    for (names += ','; !names.empty(); names.erase(0, names.find(',') + 1)) {
        const std::string name = names.substr(0, names.find(','));
        const Group* found = nullptr;
        for (const Group& group : kGroups) {
            if (name == group.name) found = &group;
        }
        if (found == nullptr) refuse("--only: there is no group \"" + name + "\"");
        groups.push_back(found);
    }
    return groups;
}

// Empty: nothing is to be measured, and all is said.
std::optional<Options> parsed(int argc, char** argv) {
    Options options;
    for (const Group& group : kGroups) options.groups.push_back(&group);
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--help" || word == "-h") {
            print_help(stdout);
            return std::nullopt;
        }
        if (word == "--quick") {
            options.effort = Effort::quick();
        } else if (word == "--only" || word == "--json") {
            if (++i == argc) refuse(word + " needs a value");
            if (word == "--only") {
                options.groups = groups_of(argv[i]);
            } else {
                options.json = argv[i];
            }
        } else {
            refuse("what is \"" + word + "\"?");
        }
    }
    return options;
}

int run(const Options& options) {
    const bool to_output = options.json == "-";
    std::FILE* json = to_output              ? stdout
                      : options.json.empty() ? nullptr
                                             : std::fopen(options.json.c_str(), "w");
    if (json == nullptr && !options.json.empty()) {
        give_up(("--json: " + options.json + " cannot be written").c_str());
    }
    if (core_count() < 1) give_up("no core may be used");
    pin_to_core(0);
    std::vector<Figure> figures;
    for (const Group* group : options.groups) {
        std::fprintf(stderr, "%s ...\n", group->name);
        for (Figure& figure : group->measure(options.effort)) {
            if (json != nullptr) std::fprintf(json, "%s\n", json_line(figure).c_str());
            figures.push_back(std::move(figure));
        }
    }
    if (!to_output) {
        std::printf("%sBandwidths with %s.\n", table(figures).c_str(), widest_streams().vectors);
    }
    const bool is_written = json == nullptr || (std::fflush(json) == 0 && std::ferror(json) == 0);
    if (json != nullptr && !to_output && std::fclose(json) != 0) return 1;
    if (!is_written) give_up("not all of the JSON lines could be written");
    return 0;
}

}  // namespace
}  // namespace xccl::limits

int main(int argc, char** argv) {
    // Nothing below waits for more than its partner process; should that hang, so would this.
    constexpr unsigned kMostSeconds = 120;
    alarm(kMostSeconds);
    const auto options = xccl::limits::parsed(argc, argv);
    return options ? xccl::limits::run(*options) : 0;
}
