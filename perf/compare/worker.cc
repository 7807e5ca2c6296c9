// One rank of one library in a comparison: the loop that is the same for all.
//
//   compare_<library> SOCKET STARTING_LINE [ARGUMENTS OF THE LIBRARY...]
//
// It opens its library, tells the coordinator at the Unix socket who it is, and then sleeps in a
// read until it is told to measure, so that jobs can live side by side and only one of them runs:
//
//   hello RANK RANKS|DESCRIPTION|ALGORITHM ALGORITHM...          what a rank says first
//   measure BYTES WARM_UPS ITERATIONS ALGORITHM                  what it is told
//   times NANOSECONDS...  |  unfit  |  wrong TEXT                what it answers
//
// Buffers are made for each request, page-aligned and touched, input and output apart. Before each
// iteration a rank rewrites its input and all line up, both untimed. The result of the last
// iteration is checked, every element; inputs change from one iteration to the next, so that an
// old result is a wrong one.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "library.h"
#include "starting_line.h"

namespace xccl::compare {

namespace {

struct Request {
    std::size_t bytes = 0;
    int warm_ups = 0;
    int iterations = 0;
    std::string algorithm;
};

// Small whole numbers, so that their float32 sums are exact in any order.
constexpr unsigned kValues = 64;
float value(unsigned index, unsigned rank, unsigned iteration) {
    return static_cast<float>((index + 7 * rank + 13 * iteration) % kValues);
}

// Memory of the library's for as long as this lives; null where it has no such pages.
class Memory {
  public:
    Memory(Library& library, std::size_t bytes, Pages pages)
        : library_(library), bytes_(bytes), pages_(pages), start_(library.allocate(bytes, pages)) {}
    ~Memory() {
        if (start_ != nullptr) library_.free(start_, bytes_, pages_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    Memory(Memory&&) = delete;
    Memory& operator=(Memory&&) = delete;
    bool is_there() const { return start_ != nullptr; }
    std::span<float> floats() const {
        return {static_cast<float*>(start_), bytes_ / sizeof(float)};
    }

  private:
    Library& library_;
    std::size_t bytes_;
    Pages pages_;
    void* start_;
};

void fill(std::span<float> input, int rank, int iteration) {
    for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = value(static_cast<unsigned>(i), static_cast<unsigned>(rank),
                         static_cast<unsigned>(iteration));
    }
}

// Empty if every element is right.
std::string difference(std::span<const float> output, int rank_count, int iteration) {
    float expected[kValues] = {};  // repeats with the index
    for (unsigned i = 0; i < kValues; ++i) {
        for (int rank = 0; rank < rank_count; ++rank) {
            expected[i] += value(i, static_cast<unsigned>(rank), static_cast<unsigned>(iteration));
        }
    }
    for (std::size_t i = 0; i < output.size(); ++i) {
        if (output[i] == expected[i % kValues]) continue;
        std::ostringstream text;
        text << "element " << i << " is " << output[i] << ", not " << expected[i % kValues];
        return text.str();
    }
    return {};
}

std::string measure(Library& library, StartingLine& line, const Request& request) {
    const Memory input(library, request.bytes, Pages::kOrdinary);
    const Memory output(library, request.bytes, Pages::kOrdinary);
    const Call call{.operation = Operation::kAllReduce,
                    .input = input.floats(),
                    .output = output.floats(),
                    .algorithm = request.algorithm,
                    .rotates = false};
    if (!input.is_there() || !output.is_there() || !library.prepare(call)) return "unfit";
    std::ostringstream answer;
    answer << "times";
    const int last = request.warm_ups + request.iterations - 1;
    for (int iteration = 0; iteration <= last; ++iteration) {
        fill(input.floats(), library.rank(), iteration);
        line.line_up();
        const auto before = std::chrono::steady_clock::now();
        library.run();
        const std::chrono::nanoseconds passed = std::chrono::steady_clock::now() - before;
        if (iteration >= request.warm_ups) answer << ' ' << passed.count();
    }
    const std::string wrong = difference(output.floats(), library.rank_count(), last);
    line.line_up();  // nobody lets a buffer go that another may still read
    library.release();
    return wrong.empty() ? answer.str() : "wrong " + wrong;
}

// Where there is a core for each rank, each calling thread has its own, as for all libraries; their
// helper threads stay free.
void take_a_core(int rank, int rank_count) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < rank_count) {
        return;
    }
    for (int core = 0, place = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed) || place++ != rank) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        sched_setaffinity(0, sizeof own, &own);
        return;
    }
}

struct Coordinator {
    std::FILE* hears = nullptr;
    std::FILE* says = nullptr;

    void tell(const std::string& text) const {
        std::fprintf(hears, "%s\n", text.c_str());
        std::fflush(hears);
    }
};

Coordinator dial(const char* path) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (descriptor < 0 ||
        connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        give_up(std::string("the coordinator at ") + path +
                " does not answer: " + std::strerror(errno));
    }
    return {.hears = fdopen(descriptor, "w"), .says = fdopen(dup(descriptor), "r")};
}

void serve(Library& library, StartingLine& line, const Coordinator& coordinator) {
    char text[256];
    while (std::fgets(text, sizeof text, coordinator.says) != nullptr) {
        std::istringstream words(text);
        std::string verb;
        Request request;
        words >> verb;
        if (verb == "end") return;
        words >> request.bytes >> request.warm_ups >> request.iterations >> request.algorithm;
        if (verb != "measure" || !words || request.bytes < sizeof(float) ||
            request.iterations < 1) {
            give_up("the coordinator says what no rank knows: " + std::string(text));
        }
        coordinator.tell(measure(library, line, request));
    }
}

}  // namespace
}  // namespace xccl::compare

int main(int argc, char** argv) {
    using namespace xccl::compare;
    if (argc < 3) give_up("use: compare_<library> SOCKET STARTING_LINE [ARGUMENTS...]");
    const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
    auto library = open_library(arguments.subspan(3));
    StartingLine line(arguments[2], library->rank_count());
    take_a_core(library->rank(), library->rank_count());

    const Coordinator coordinator = dial(arguments[1]);
    std::ostringstream hello;
    hello << "hello " << library->rank() << ' ' << library->rank_count() << '|'
          << library->description() << '|';
    for (const std::string& algorithm : library->algorithms()) hello << algorithm << ' ';
    coordinator.tell(hello.str());
    serve(*library, line, coordinator);
    return 0;
}
