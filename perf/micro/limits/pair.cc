#include "limits/pair.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace xccl::limits {

void run_pair(Places places, const std::function<void()>& mine,
              const std::function<void()>& other) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) give_up("no second process");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);  // it died before the line above
        pin_to_core(places.other);
        other();
        _exit(0);
    }
    pin_to_core(places.mine);
    mine();
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) give_up("the second process failed");
    pin_to_core(0);
}

}  // namespace xccl::limits
