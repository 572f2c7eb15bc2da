# Sums a `perf report --sort sym` by what the time is spent on. See docs/benchmarks.md.
{
    share = $1
    sub("%", "", share)
    what = "other"
    if ($0 ~ /memmove|memcpy|memset|memcmp/) what = "copying and comparing bytes"
    else if ($0 ~ /malloc|free|realloc|calloc/) what = "allocation"
    else if ($0 ~ /blake3/) what = "digests"
    else if ($0 ~ /\[k\]/) what = "the kernel"
    else if ($0 ~ /bytes::|Bytes/) what = "reference counts of shared bytes"
    else if ($0 ~ /sim::checkers/) what = "the checkers"
    else if ($0 ~ /sim::|BinaryHeap/) what = "the simulator itself"
    else if ($0 ~ /agree::door|wire::|Decode|Encode/) what = "wire and the door"
    else if ($0 ~ /monitor::/) what = "monitor"
    else if ($0 ~ /agree::/) what = "agree"
    else if ($0 ~ /BTree|btree|alloc::|core::|std::/) what = "collections"
    sum[what] += share
}
END { for (what in sum) printf "%5.1f %% %s\n", sum[what], what }
