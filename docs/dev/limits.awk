# Sums the samples of `perf script -F comm,ip,sym,dso` by what the processors do while a cluster is under load. See docs/benchmarks.md.
function count() {
    if (comm == "") return
    total += 1
    if (comm == "swapper") what = stack ~ /(idle_call|safe_halt|default_idle|intel_idle|acpi_idle)/ ? "nothing: all wait" : "the kernel, between processes"
    else if (comm ~ /^(kworker|ksoftirqd|kdamond)/) what = "disk: the kernel's own threads"
    else if (comm == "log-writer") what = "disk: files made ready, snapshots"
    else if (stack ~ /__x64_sys_(fdatasync|fsync)/) what = "disk: fdatasync"
    else if (stack ~ /__x64_sys_pwrite64/) what = "disk: pwrite"
    else if (stack ~ /__x64_sys_(sendto|write|writev)/) what = "network: sending, and what that wakes"
    else if (stack ~ /__x64_sys_(recvfrom|read|readv)/) what = "network: receiving"
    else if (stack ~ /__x64_sys_(epoll_wait|epoll_pwait|poll|ppoll)/) what = "network: waiting for it"
    else if (stack ~ /__x64_sys_futex/) what = "waking threads"
    else if (top ~ /\(\[kernel/) what = "the kernel, other"
    else if (top ~ /blake3/) what = "programs: digests and MACs"
    else if (top ~ /(malloc|free|realloc|calloc)/) what = "programs: allocation"
    else if (top ~ /(memmove|memcpy|memset|memcmp)/) what = "programs: copying"
    else what = "programs: the rest"
    sum[what] += 1
}
/^[^ \t]/ { comm = $1; stack = ""; top = ""; next }
/^[ \t]+[0-9a-f]/ { if (top == "") top = $0; stack = stack $0; next }
/^$/ { count(); comm = "" }
END { count(); for (what in sum) printf "%5.1f %% %s\n", 100 * sum[what] / total, what }
