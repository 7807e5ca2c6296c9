#include "options/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "failure.h"
#include "options/nearest_name.h"
#include "options/option_table.h"

namespace xccl::perf {
namespace {

using Arguments = std::span<const std::string_view>;

std::vector<std::string_view> long_names() {
    std::vector<std::string_view> names;
    for (const OptionRow& row : option_table()) names.push_back(row.name);
    return names;
}

[[noreturn]] void refuse(const std::string& text) {
    throw Failure(ExitCode::kInvalidUsage, text);
}

const OptionRow& find_letter(char letter) {
    for (const OptionRow& row : option_table()) {
        if (letter != 0 && row.letter == letter) return row;
    }
    refuse(fmt::format("invalid option '{}'; --help lists those there are", letter));
}

// A whole name, or the beginning of one name only, as getopt_long takes it.
const OptionRow& find_name(std::string_view name) {
    std::vector<const OptionRow*> beginnings;
    for (const OptionRow& row : option_table()) {
        if (row.name == name) return row;
        if (!name.empty() && row.name.starts_with(name)) beginnings.push_back(&row);
    }
    if (beginnings.size() == 1) return *beginnings.front();
    if (beginnings.empty()) {
        const std::string nearest = suggestion(name, long_names());
        refuse(fmt::format("invalid option '--{}'{}", name,
                           nearest.empty() ? "; --help lists those there are" : nearest));
    }
    refuse(fmt::format("option '--{}' may mean --{} or --{}: write more of it", name,
                       beginnings[0]->name, beginnings[1]->name));
}

// Walks the arguments; knows what was taken as an option's argument already.
class ArgumentReader {
  public:
    ArgumentReader(Arguments arguments, ParsedOptions* parsed)
        : arguments_(arguments), parsed_(parsed) {}

    void read_all() {
        while (next_ < arguments_.size()) {
            const std::string_view word = arguments_[next_++];
            if (word == "--") {
                if (next_ < arguments_.size()) refuse_word(arguments_[next_]);
            } else if (word.starts_with("--")) {
                read_long(word);
            } else if (word.size() > 1 && word.front() == '-') {
                read_letters(word);
            } else {
                refuse_word(word);
            }
        }
    }

  private:
    [[noreturn]] static void refuse_word(std::string_view word) {
        refuse(fmt::format("unexpected argument '{}': options start with - or --", word));
    }

    void read_long(std::string_view word) {
        const std::size_t equals = word.find('=');
        const std::string_view typed = word.substr(0, equals);
        const OptionRow& row = find_name(typed.substr(2));
        if (equals == std::string_view::npos) {
            apply(row, typed, row.argument.empty() ? std::string_view() : take(typed));
        } else if (row.argument.empty()) {
            refuse(fmt::format("option --{} takes no argument", row.name));
        } else {
            apply(row, typed, word.substr(equals + 1));
        }
    }

    // "-b8", "-b 8", and letters without an argument side by side.
    void read_letters(std::string_view word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const OptionRow& row = find_letter(word[i]);
            const std::string typed = fmt::format("-{}", word[i]);
            if (row.argument.empty()) {
                apply(row, typed, {});
                continue;
            }
            const std::string_view rest = word.substr(i + 1);
            apply(row, typed, rest.empty() ? take(typed) : rest);
            return;
        }
    }

    std::string_view take(std::string_view option) {
        if (next_ < arguments_.size()) return arguments_[next_++];
        refuse(fmt::format("option {} needs an argument", option));
    }

    void apply(const OptionRow& row, std::string_view typed, std::string_view text) {
        row.apply(parsed_->options, {typed, text, parsed_});
    }

    Arguments arguments_;
    ParsedOptions* parsed_;
    std::size_t next_ = 0;
};

void check_sizes(const SizeRange& sizes) {
    if (sizes.first_bytes > sizes.last_bytes) {
        throw Failure(ExitCode::kBadSize,
                      fmt::format("invalid sizes for 'minbytes' and 'maxbytes': {} > {}",
                                  sizes.first_bytes, sizes.last_bytes));
    }
    if (!sizes.multiplies() && sizes.step_bytes == 0 && sizes.first_bytes < sizes.last_bytes) {
        refuse("option -i 0 never gets from -b to -e: give a step, or a factor with -f");
    }
}

// Options that exclude each other.
void settle(ParsedOptions* parsed) {
    Options& o = parsed->options;
    if (o.replays > 0 && o.blocking == Blocking::kOuterBarrierUntimed) {
        parsed->warnings.push_back("-z 3 does not go with -G: it is off");
        o.blocking = Blocking::kNone;
    }
    if (o.replays > 0 && o.times_iterations()) {
        parsed->warnings.push_back("-I and --percentiles do not go with -G: they are off");
        o.per_iteration = o.percentiles = false;
    }
    if (o.skipped_iterations >= o.iterations) {
        refuse(fmt::format("option -K {}: of -n {} iterations at least one must be left",
                           o.skipped_iterations, o.iterations));
    }
    if (o.replays > 0 && o.null_stream) {
        refuse("-y 1 does not go with -G: only operations on a stream can be queued and replayed");
    }
    if (!o.json_path.empty() && !is_json_path(o.json_path)) {
        parsed->warnings.push_back(fmt::format(
            "-J {}: only names that end in .json are written; it is ignored", o.json_path));
        o.json_path.clear();
    }
}

}  // namespace

bool is_json_path(std::string_view path) {
    constexpr std::string_view kSuffix = ".json";
    if (path.size() < kSuffix.size()) return false;
    path.remove_prefix(path.size() - kSuffix.size());
    return std::equal(path.begin(), path.end(), kSuffix.begin(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

ParsedOptions parse_options(Arguments arguments) {
    ParsedOptions parsed;
    ArgumentReader(arguments, &parsed).read_all();
    if (parsed.options.help) return parsed;
    check_sizes(parsed.options.sizes);
    settle(&parsed);
    return parsed;
}

std::string usage(std::string_view program) {
    std::string text = fmt::format("USAGE: {} \n", program);
    for (const OptionRow& row : option_table()) {
        const std::string letter =
            row.letter == 0 ? std::string("   ") : fmt::format("-{},", row.letter);
        const std::string argument =
            row.argument.empty() ? std::string() : fmt::format(" <{}>", row.argument);
        text += fmt::format("\t[{}--{}{}] \n\t\t{}\n", letter, row.name, argument, row.help);
    }
    return text;
}

}  // namespace xccl::perf
